"""Workspace and Experiment: a local store, and a name in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.notes import note_once
from pellucid.store.location import locate

if TYPE_CHECKING:
    from pellucid.azureml.runs import Run


class Workspace:
    """The place of runs, models, services and data sets: Pellucid's store on this machine.

    The names of subscription, group and region are kept and mean nothing here.
    """

    def __init__(
        self,
        subscription_id: str = "local",
        resource_group: str = "local",
        workspace_name: str = "local",
        location: str = "local",
        **others: Any,
    ) -> None:
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.name = workspace_name
        self.location = location
        self.sku = "local"

    @classmethod
    def from_config(cls, path: str | None = None, **others: Any) -> Workspace:
        """The workspace of a config.json where there is one, else the local one."""
        places = [Path(path)] if path else [Path("config.json"), Path(".azureml/config.json")]
        for place in places:
            file = place / "config.json" if place.is_dir() else place
            if file.is_file():
                facts = json.loads(file.read_text("utf-8"))
                known = ("subscription_id", "resource_group", "workspace_name")
                return cls(**{key: facts[key] for key in known if key in facts})
        return cls()

    @classmethod
    def get(cls, name: str = "local", **others: Any) -> Workspace:
        """The local workspace, by any name."""
        known = {k: v for k, v in others.items() if k in ("subscription_id", "resource_group")}
        return cls(workspace_name=name, **known)

    @classmethod
    def create(cls, name: str = "local", **others: Any) -> Workspace:
        """The local workspace: there is nothing to create."""
        note_once("Workspace.create makes nothing: runs are kept on this machine")
        return cls.get(name, **others)

    def write_config(self, path: str = ".", file_name: str = "config.json", **others: Any) -> None:
        """Write what `from_config` reads."""
        facts = {
            "subscription_id": self.subscription_id, "resource_group": self.resource_group,
            "workspace_name": self.name,
        }  # fmt: skip
        (Path(path) / file_name).write_text(json.dumps(facts), "utf-8")

    def get_details(self) -> dict[str, Any]:
        """What is known of it."""
        return {"name": self.name, "location": self.location, "store": str(locate(None))}

    @property
    def directory(self) -> Path:
        """Where the files of runs, models, services and data sets lie."""
        folder = locate(None).folder
        return (folder if folder is not None else Path("pellucid-store").absolute()) / "azureml"

    @property
    def experiments(self) -> dict[str, Experiment]:
        """Experiments that have runs with files."""
        folder = self.directory / "experiments"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return {name: Experiment(self, name) for name in sorted(names)}

    @property
    def compute_targets(self) -> dict[str, Any]:
        """Every compute target is this machine."""
        from pellucid.azureml.compute import Anywhere

        return Anywhere()

    @property
    def models(self) -> dict[str, Any]:
        """Registered models by name, the latest version of each."""
        from pellucid.azureml.models import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def webservices(self) -> dict[str, Any]:
        """Services by name."""
        from pellucid.azureml.services import Webservice

        return {service.name: service for service in Webservice.list(self)}

    @property
    def datasets(self) -> dict[str, Any]:
        """Registered data sets by name."""
        from pellucid.azureml.datasets import registered

        return registered(self)

    def get_default_datastore(self) -> Any:
        """A folder on this machine."""
        from pellucid.azureml.datasets import Datastore

        return Datastore(self, "workspaceblobstore")

    def __repr__(self) -> str:
        return f"Workspace(name={self.name!r}, store={str(locate(None))!r})"


class Experiment:
    """A name under which runs are kept."""

    def __init__(self, workspace: Workspace, name: str, **others: Any) -> None:
        self.workspace = workspace
        self.name = name

    @property
    def directory(self) -> Path:
        """Where the files of its runs lie."""
        return self.workspace.directory / "experiments" / self.name

    def submit(self, config: Any, tags: Any = None, **others: Any) -> Run:
        """Train, or run a script, here and now; give the run when it has ended.

        ``config`` is an AutoMLConfig or a ScriptRunConfig.
        """
        run: Run = config.submit_to(self, tags=tags or {}, **others)
        return run

    def start_logging(self, **others: Any) -> Run:
        """A run that the caller fills."""
        from pellucid.azureml.runs import Run, new_id

        return Run(self, new_id())

    def get_runs(self, **others: Any) -> list[Run]:
        """Its runs, latest first."""
        from pellucid.azureml.runs import Run

        found = sorted(self.directory.glob("*/run.json"), key=lambda file: -file.stat().st_mtime)
        return [Run.load(self, file.parent.name) for file in found]

    def __repr__(self) -> str:
        return f"Experiment(name={self.name!r}, workspace={self.workspace.name!r})"


class InteractiveLoginAuthentication:
    """Nobody needs to log in to their own machine."""

    def __init__(self, *arguments: Any, **others: Any) -> None:
        note_once("authentication is not needed: everything stays on this machine")


class ServicePrincipalAuthentication(InteractiveLoginAuthentication):
    """Nobody needs to log in to their own machine."""

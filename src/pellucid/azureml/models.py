"""Registered models: files under a name and a version, as old scripts load them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.azureml.services import InferenceConfig, Webservice
    from pellucid.azureml.workspace import Workspace

SERVED = "PELLUCID_AZUREML_MODELS"  # JSON of name -> file, in a service's process
_FACTS = "model.json"
_CONTENT = "content"


class ModelError(PellucidError):
    """A model, or a version of one, that does not exist."""


class Model:
    """A version of a registered model: a file or a folder.

    Versions of a name count from 1; the latest is meant where none is named, ``name:version``
    names one.
    """

    def __init__(
        self, workspace: Workspace, name: str, version: int | None = None, **others: Any
    ) -> None:
        self.workspace = workspace
        self.name, _, last = name.partition(":")
        folder = workspace.directory / "models" / self.name
        known = _versions(folder)
        wanted = version if version is not None else (int(last) if last else max(known, default=0))
        if wanted not in known:
            names = sorted(path.name for path in folder.parent.glob("*"))
            raise ModelError(
                f"there is no model {name!r} with version {wanted or 'any'}; "
                f"models: {', '.join(names) or 'none'}"
            )
        self.version = wanted
        self._folder = folder / str(wanted)
        facts = json.loads((self._folder / _FACTS).read_text("utf-8"))
        self.tags: dict[str, str] = facts["tags"]
        self.properties: dict[str, str] = facts["properties"]
        self.description: str = facts["description"]
        self.run_id: str | None = facts["run_id"]

    @classmethod
    def register(
        cls,
        workspace: Workspace,
        model_path: str,
        model_name: str,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str | None = None,
        run_id: str | None = None,
        **others: Any,
    ) -> Model:
        """Keep a file or a folder as the next version of a name."""
        source = Path(model_path)
        if not source.exists():
            raise ModelError(f"there is no file or folder {model_path} to register")
        if "/" in model_name or model_name in (".", ".."):
            raise ModelError(f"{model_name!r} cannot name a model; leave out slashes")
        folder = workspace.directory / "models" / model_name
        folder.mkdir(parents=True, exist_ok=True)
        number = max(_versions(folder), default=0) + 1
        part = folder / f".{number}.part"
        shutil.rmtree(part, ignore_errors=True)
        content = part / _CONTENT
        content.mkdir(parents=True)
        if source.is_dir():
            shutil.copytree(source, content / source.name)
        else:
            shutil.copyfile(source, content / source.name)
        facts = {
            "tags": dict(tags or {}), "properties": dict(properties or {}),
            "description": description or "", "run_id": run_id,
            "created": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        (part / _FACTS).write_text(json.dumps(facts), "utf-8")
        part.rename(folder / str(number))  # seen whole or not at all
        return cls(workspace, model_name, number)

    @staticmethod
    def list(
        workspace: Workspace, name: str | None = None, latest: bool = False, **others: Any
    ) -> list[Model]:
        """Registered models, latest version first."""
        folders = sorted((workspace.directory / "models").glob("*"))
        found = []
        for folder in folders:
            if name in (None, folder.name):
                versions = sorted(_versions(folder), reverse=True)
                found += [
                    Model(workspace, folder.name, v) for v in versions[: 1 if latest else None]
                ]
        return found

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: Workspace | None = None
    ) -> str:
        """Where the file of a model lies; in a service, of one that the service was given."""
        served = json.loads(os.environ.get(SERVED, "{}"))
        if model_name in served:
            return str(served[model_name])
        if served:
            raise ModelError(
                f"the service was not given a model {model_name!r}; it has {', '.join(served)}"
            )
        from pellucid.azureml.workspace import Workspace

        return Model(_workspace or Workspace.from_config(), model_name, version).path

    @property
    def id(self) -> str:
        """Name and version."""
        return f"{self.name}:{self.version}"

    @property
    def path(self) -> str:
        """The registered file or folder."""
        return str(next((self._folder / _CONTENT).iterdir()))

    def load(self) -> Any:
        """What joblib reads from the file."""
        import joblib

        return joblib.load(self.path)

    def download(self, target_dir: str = ".", exist_ok: bool = False, **others: Any) -> str:
        """Copy it out; give where it lies."""
        source = Path(self.path)
        target = Path(target_dir) / source.name
        if target.exists() and not exist_ok:
            raise ModelError(f"{target} exists already; pass exist_ok=True to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=exist_ok)
        else:
            shutil.copyfile(source, target)
        return str(target)

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Keep tags."""
        self.tags.update(tags)
        self._write()

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Keep properties."""
        self.properties.update(properties)
        self._write()

    def update(
        self, tags: Mapping[str, str] | None = None, description: str | None = None, **others: Any
    ) -> None:
        """Replace tags or the description."""
        self.tags = dict(tags) if tags is not None else self.tags
        self.description = description if description is not None else self.description
        self._write()

    def delete(self) -> None:
        """Remove this version."""
        shutil.rmtree(self._folder)

    def _write(self) -> None:
        facts = json.loads((self._folder / _FACTS).read_text("utf-8"))
        facts |= {"tags": self.tags, "properties": self.properties, "description": self.description}
        (self._folder / _FACTS).write_text(json.dumps(facts), "utf-8")

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        models: Sequence[Model],
        inference_config: InferenceConfig | None = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
        **others: Any,
    ) -> Webservice:
        """Serve an entry script with models, in a process of this machine."""
        from pellucid.azureml.services import start

        return start(workspace, name, models, inference_config, deployment_config, overwrite)

    def __repr__(self) -> str:
        return f"Model(name={self.name}, version={self.version})"


def _versions(folder: Path) -> set[int]:
    return {int(path.name) for path in folder.glob("*") if path.name.isdigit()}

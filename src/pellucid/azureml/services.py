"""Web services: the user's entry script, served by a process of its own on this machine."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.models import SERVED, Model
from pellucid.azureml.notes import note_once
from pellucid.errors import PellucidError
from pellucid.serve.local import FACTS
from pellucid.serve.process import APART, LOG, end_process, free_port, has_ended, write_facts
from pellucid.store.process import token_of

if TYPE_CHECKING:
    from pellucid.azureml.workspace import Workspace

_PATIENCE = 180.0  # seconds until a service must answer


class WebserviceException(PellucidError):
    """A service that does not exist, did not start, or answered with an error."""

    @property
    def message(self) -> str:
        """What went wrong."""
        return str(self)


class InferenceConfig:
    """Which script answers, and in what environment: that of this process."""

    def __init__(
        self,
        entry_script: str | None = None,
        runtime: str | None = None,
        conda_file: str | None = None,
        source_directory: str | None = None,
        environment: Any = None,
        **others: Any,
    ) -> None:
        self.entry_script = entry_script
        self.source_directory = source_directory
        self.conda_file = conda_file
        self.environment = environment
        note_once("services run in the environment that starts them; conda files are not used")


class Webservice:
    """A service of a name."""

    def __init__(self, workspace: Workspace, name: str, **others: Any) -> None:
        self.workspace = workspace
        self.name = name
        self._folder = workspace.directory / "services" / name
        if not (self._folder / FACTS).is_file():
            known = [service.name for service in self.list(workspace)]
            raise WebserviceException(
                f"there is no service {name!r}; services: {', '.join(known) or 'none'}"
            )

    @classmethod
    def list(cls, workspace: Workspace, **others: Any) -> list[Webservice]:
        """All services."""
        files = sorted((workspace.directory / "services").glob(f"*/{FACTS}"))
        return [cls(workspace, file.parent.name) for file in files]

    @staticmethod
    def deploy_configuration(**settings: Any) -> dict[str, Any]:
        """Size, tags and whether a key is asked for."""
        return settings

    @property
    def _facts(self) -> dict[str, Any]:
        return dict(json.loads((self._folder / FACTS).read_text("utf-8")))

    @property
    def tags(self) -> dict[str, str]:
        """Tags."""
        return dict(self._facts["tags"])

    @property
    def description(self) -> str:
        """Description."""
        return str(self._facts["description"])

    @property
    def scoring_uri(self) -> str:
        """Where rows are posted to."""
        return f"http://127.0.0.1:{self._facts['port']}/score"

    @property
    def state(self) -> str:
        """Healthy, Transitioning, Failed or Unhealthy."""
        facts = self._facts
        if has_ended(facts["process"]):
            return "Failed"
        try:
            uri = f"http://127.0.0.1:{facts['port']}/"
            with urllib.request.urlopen(uri, timeout=5) as answer:  # nosec B310: http on loopback
                return "Healthy" if answer.status == 200 else "Unhealthy"
        except (urllib.error.URLError, OSError):
            return "Transitioning"

    def wait_for_deployment(self, show_output: bool = False, **others: Any) -> None:
        """Wait until it answers.

        Raises
        ------
        WebserviceException
            If it ends instead; the message has the last lines of its log.
        """
        end = time.monotonic() + _PATIENCE
        while True:
            state = self.state
            if state == "Healthy":
                break
            if state == "Failed" or time.monotonic() > end:
                last = "\n".join(self.get_logs().splitlines()[-20:])
                raise WebserviceException(f"the service {self.name!r} did not start:\n{last}")
            time.sleep(0.1)
        if show_output:
            print(f"service {self.name} is {state.lower()} at {self.scoring_uri}")

    def run(self, input_data: Any) -> Any:
        """Post rows; give what the script's ``run`` gave.

        Raises
        ------
        WebserviceException
            If the service does not answer, or the script raised an error.
        """
        body = input_data if isinstance(input_data, (str, bytes)) else json.dumps(input_data)
        request = urllib.request.Request(
            self.scoring_uri, data=body.encode() if isinstance(body, str) else body,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        key = self._facts["keys"]
        if key:
            request.add_header("Authorization", f"Bearer {key[0]}")
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:  # nosec B310: http on loopback
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise WebserviceException(
                f"the service {self.name!r} answered {error.code}: {error.read().decode()}"
            ) from error
        except OSError as error:
            raise WebserviceException(
                f"the service {self.name!r} does not answer ({error}); its state is {self.state}"
            ) from error

    @property
    def port(self) -> int:
        """Where it listens, on this machine."""
        return int(self._facts["port"])

    @property
    def swagger_uri(self) -> None:
        """None: entry scripts say nothing of what they take."""

    @property
    def compute_type(self) -> str:
        """Local."""
        return "Local"

    def reload(self, wait: bool = False, **others: Any) -> None:
        """Start its process anew, with the same script and models."""
        self.update()

    def update(
        self,
        models: Sequence[Model] | None = None,
        inference_config: InferenceConfig | None = None,
        **others: Any,
    ) -> None:
        """Start its process anew, with other models or another script where they are given."""
        facts = self._facts
        if models is None:
            models = [Model(self.workspace, each) for each in facts["models"]]
        if inference_config is None:
            inference_config = InferenceConfig(**facts["inference"])
        settings = {**facts["settings"], "port": facts["port"]}
        start(self.workspace, self.name, models, inference_config, settings, overwrite=True)

    def get_logs(self, num_lines: int = 5000, **others: Any) -> str:
        """The last lines of what it printed."""
        text = (self._folder / LOG).read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-num_lines:])

    def get_keys(self) -> tuple[str, ...]:
        """Keys that requests carry, where they are asked for."""
        return tuple(self._facts["keys"])

    def delete(self) -> None:
        """End it and forget it."""
        end_process(self._facts["process"])
        shutil.rmtree(self._folder, ignore_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name}, state={self.state})"


class AciWebservice(Webservice):
    """A service by the name of a container's."""


class AksWebservice(Webservice):
    """A service by the name of a cluster's."""


class LocalWebservice(Webservice):
    """A service on this machine, as all are."""


def start(
    workspace: Workspace,
    name: str,
    models: Sequence[Model],
    inference: InferenceConfig | None,
    settings: Mapping[str, Any] | None,
    overwrite: bool,
) -> Webservice:
    """Start the process of a service; called by `Model.deploy`."""
    if inference is None or inference.entry_script is None:
        raise WebserviceException("Model.deploy needs inference_config with an entry_script")
    source = Path(inference.source_directory or ".").resolve()
    if not (source / inference.entry_script).is_file():
        raise WebserviceException(f"there is no entry script {inference.entry_script} in {source}")
    folder = workspace.directory / "services" / name
    if (folder / FACTS).is_file():
        if not overwrite:
            raise WebserviceException(
                f"there is a service {name!r} already; pass overwrite=True, or delete it first"
            )
        Webservice(workspace, name).delete()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # its facts hold the keys
    given = settings = dict(settings or {})
    # with a folder of its own all of it is the script's; else the script alone
    if inference.source_directory:
        shutil.copytree(source, folder / "source", dirs_exist_ok=True)
        script = inference.entry_script
    else:
        (folder / "source").mkdir(exist_ok=True)
        script = Path(inference.entry_script).name
        shutil.copyfile(source / inference.entry_script, folder / "source" / script)
    port = settings.get("port") or free_port()
    keys = [secrets.token_urlsafe(24)] * 2 if settings.get("auth_enabled") else []
    known = {
        **os.environ,
        SERVED: json.dumps({model.name: model.path for model in models}),
        "AZUREML_MODEL_DIR": str(Path(models[0].path).parent) if models else str(folder),
        "PELLUCID_AZUREML_KEYS": json.dumps(keys),
        "PELLUCID_STORE": str(workspace.directory.parent),
    }
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pellucid.azureml.serving", script, str(port)],
            cwd=folder / "source", env=known, stdout=log, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, **APART,
        )  # fmt: skip
    facts = {
        "process": token_of(process.pid), "port": port, "keys": keys,
        "tags": settings.get("tags") or {}, "description": settings.get("description") or "",
        "models": [model.id for model in models], "settings": given,
        "inference": {
            "entry_script": inference.entry_script, "source_directory": str(source) if
            inference.source_directory else None,
        },
    }  # fmt: skip
    write_facts(folder, facts)
    return Webservice(workspace, name)

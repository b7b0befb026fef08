"""Runs: a folder of facts and files each."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.run_files import RunError, RunFiles, copy_out
from pellucid.files import write_file

if TYPE_CHECKING:
    from pellucid.azureml.models import Model
    from pellucid.azureml.workspace import Experiment, Workspace

CONTEXT = "PELLUCID_AZUREML_RUN"  # experiment/run of the script that a run started
_FACTS = "run.json"
MODEL_FILE = "outputs/model.pkl"


def new_id() -> str:
    """An id that no other run has."""
    return uuid.uuid4().hex


class Run:
    """One run: metrics, tags, properties and files, in a folder of its experiment."""

    kind = "script"

    def __init__(self, experiment: Experiment, run_id: str, **others: Any) -> None:
        self.experiment = experiment
        self.id = run_id
        self.directory = experiment.directory / run_id
        if not (self.directory / _FACTS).is_file():
            self.directory.mkdir(parents=True, exist_ok=True)
            now = datetime.now(UTC).isoformat()
            self._write(
                {"kind": self.kind, "status": "Running", "started": now, "metrics": {}, "tags": {},
                 "properties": {}, "children": []}
            )  # fmt: skip

    @staticmethod
    def load(experiment: Experiment, run_id: str) -> Run:
        """The run of an id, of whatever kind."""
        file = experiment.directory / run_id / _FACTS
        if not file.is_file():
            raise RunError(f"experiment {experiment.name!r} has no run {run_id!r}")
        from pellucid.azureml.trained import AutoMLRun, TrialRun

        kinds: dict[str, type[Run]] = {"automl": AutoMLRun, "trial": TrialRun}
        return kinds.get(json.loads(file.read_text("utf-8"))["kind"], Run)(experiment, run_id)

    @classmethod
    def get_context(cls, allow_offline: bool = True, **others: Any) -> Run:
        """The run that this script belongs to; a new one of experiment "offline" without any."""
        from pellucid.azureml.workspace import Experiment, Workspace

        place = os.environ.get(CONTEXT)
        if place:
            name, _, run_id = place.rpartition("/")
            return Run.load(Experiment(Workspace.from_config(), name), run_id)
        return Run(Experiment(Workspace.from_config(), "offline"), new_id())

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        """The run of an id, in any experiment."""
        for experiment in workspace.experiments.values():
            if (experiment.directory / run_id / _FACTS).is_file():
                return Run.load(experiment, run_id)
        raise RunError(f"there is no run {run_id!r} in {workspace.directory}")

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """It has ended, well or not."""
        if kind is not None:
            self.fail(error)
        elif self.status == "Running":
            self.complete()

    # facts

    @property
    def facts(self) -> dict[str, Any]:
        """All that is known of it."""
        return dict(json.loads((self.directory / _FACTS).read_text("utf-8")))

    def _write(self, facts: Mapping[str, Any]) -> None:
        write_file(self.directory / _FACTS, json.dumps(facts, indent=1, default=str).encode())

    def _update(self, key: str, entries: Mapping[str, Any]) -> None:
        facts = self.facts
        facts[key].update(entries)
        self._write(facts)

    @property
    def status(self) -> str:
        """Running, Completed, Failed or Canceled."""
        return str(self.facts["status"])

    @property
    def tags(self) -> dict[str, str]:
        """Tags."""
        return dict(self.facts["tags"])

    @property
    def properties(self) -> dict[str, str]:
        """Properties."""
        return dict(self.facts["properties"])

    @property
    def name(self) -> str:
        """Its id."""
        return self.id

    def get_status(self) -> str:
        """Running, Completed, Failed or Canceled."""
        return self.status

    def get_tags(self) -> dict[str, str]:
        """Tags."""
        return self.tags

    def get_properties(self) -> dict[str, str]:
        """Properties."""
        return self.properties

    def get_metrics(self, name: str | None = None, **others: Any) -> dict[str, Any]:
        """Metrics, or one of them."""
        metrics = dict(self.facts["metrics"])
        return metrics if name is None else {k: v for k, v in metrics.items() if k == name}

    def get_details(self) -> dict[str, Any]:
        """Its id, status, times and properties, by the old keys."""
        facts = self.facts
        return {
            "runId": self.id, "target": "local", "status": facts["status"],
            "startTimeUtc": facts["started"], "endTimeUtc": facts.get("ended"),
            "properties": facts["properties"],
        }  # fmt: skip

    def get_environment(self) -> Any:
        """The environment that its models need."""
        from pellucid.azureml.environment import Environment

        return Environment.of_this("AutoML")

    def get_portal_url(self) -> str:
        """How to look at it: the command of the studio."""
        return "http://localhost: run `pellucid studio`"

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Keep a metric; more than one value makes a list."""
        known = self.facts["metrics"].get(name)
        if known is not None:
            value = [*(known if isinstance(known, list) else [known]), value]
        self._update("metrics", {name: value})

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:
        """Keep a list."""
        self._update("metrics", {name: list(value)})

    def log_row(self, name: str, description: str = "", **columns: Any) -> None:
        """Keep a row."""
        self._update("metrics", {name: columns})

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Keep a table."""
        self._update("metrics", {name: dict(value)})

    log_accuracy_table = log_confusion_matrix = log_predictions = log_residuals = log_table

    def log_image(
        self, name: str, path: str | None = None, plot: Any = None, **others: Any
    ) -> None:
        """Keep a picture as a file."""
        place = self.directory / f"{name}.png"
        if plot is not None:
            plot.savefig(place)
        elif path is not None:
            shutil.copyfile(path, place)

    def tag(self, key: str, value: str | None = None) -> None:
        """Keep a tag."""
        self._update("tags", {key: value})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Keep tags."""
        self._update("tags", tags)

    def add_properties(self, properties: Mapping[str, str]) -> None:
        """Keep properties."""
        self._update("properties", properties)

    def complete(self, **others: Any) -> None:
        """Say that it has ended well."""
        self._end("Completed")

    def fail(self, error_details: Any = None, **others: Any) -> None:
        """Say that it has failed."""
        self._end("Failed")
        if error_details is not None:
            self._update("properties", {"error": str(error_details)})

    def cancel(self) -> None:
        """Say that it was given up."""
        self._end("Canceled")

    def _end(self, status: str) -> None:
        ended = datetime.now(UTC).isoformat()
        self._write({**self.facts, "status": status, "ended": ended})

    def wait_for_completion(self, show_output: bool = False, **others: Any) -> dict[str, Any]:
        """Its details: it has ended already, or is this very script."""
        return self.get_details()

    def get_all_logs(self, **others: Any) -> list[str]:
        """Files with what its script printed."""
        return [str(each) for each in sorted((self.directory / "logs").glob("*.txt"))]

    def get_details_with_logs(self) -> dict[str, Any]:
        """Its details, and what its script printed."""
        files = {Path(each).name: Path(each).read_text("utf-8") for each in self.get_all_logs()}
        return {**self.get_details(), "logFiles": files}

    # children

    @property
    def parent(self) -> Run | None:
        """The run that this one is below."""
        name = self.id.rpartition("_")[0]
        known = name and (self.experiment.directory / name / _FACTS).is_file()
        return Run.load(self.experiment, name) if known else None

    def child_run(self, name: str | None = None, **others: Any) -> Run:
        """A run below this one."""
        child = Run(self.experiment, f"{self.id}_{name or new_id()[:8]}")
        facts = self.facts
        facts["children"].append(child.id)
        self._write(facts)
        return child

    def get_children(self, **others: Any) -> list[Run]:
        """Runs below this one."""
        return [Run.load(self.experiment, each) for each in self.facts["children"]]

    # files

    @property
    def _files(self) -> RunFiles:
        return RunFiles(self.directory, hidden=(_FACTS,))

    def upload_file(self, name: str, path_or_stream: Any, **others: Any) -> None:
        """Keep a file under a name."""
        self._files.add(name, path_or_stream)

    def upload_folder(self, name: str, path: str, **others: Any) -> None:
        """Keep what is in a folder."""
        self._files.add_folder(name, Path(path))

    def download_file(self, name: str, output_file_path: str | None = None, **others: Any) -> None:
        """Copy a file out; to its own name, or into a folder."""
        source = self._existing(name)
        copy_out(source, Path(output_file_path or source.name))

    def download_files(
        self, prefix: str | None = None, output_directory: str = ".", **others: Any
    ) -> None:
        """Copy files out, with their folders."""
        for name in self.get_file_names():
            if name.startswith(prefix or ""):
                copy_out(self._existing(name), Path(output_directory) / name)

    def get_file_names(self) -> list[str]:
        """Names of its files."""
        return self._files.names

    def _existing(self, name: str) -> Path:
        place = self._files.place(name)
        if not place.exists():
            known = ", ".join(self.get_file_names()[:20]) or "none"
            raise RunError(f"run {self.id} has no file {name!r}; it has: {known}")
        return place

    def register_model(
        self, model_name: str, model_path: str | None = None, **others: Any
    ) -> Model:
        """Register a file of the run as the next version of a model."""
        from pellucid.azureml.models import Model

        source = self._existing(model_path or model_name)
        known = {key: others[key] for key in ("tags", "properties", "description") if key in others}
        return Model.register(
            self.experiment.workspace, str(source), model_name, run_id=self.id, **known
        )

    @staticmethod
    def list(experiment: Experiment, **others: Any) -> list[Run]:
        """The runs of an experiment, latest first."""
        return experiment.get_runs()

    def __repr__(self) -> str:
        return f"Run(Experiment: {self.experiment.name}, Id: {self.id}, Status: {self.status})"

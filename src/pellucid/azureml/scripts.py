"""Scripts that are submitted: each runs to its end, in a process of its own, as a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.environment import Environment
from pellucid.azureml.runs import CONTEXT, Run, new_id
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.azureml.workspace import Experiment


class ExperimentExecutionException(PellucidError):
    """A run that failed."""


class ScriptError(ExperimentExecutionException):
    """A script that is not there, or that failed."""


class ScriptRun(Run):
    """The run of a script."""


class RunConfiguration:
    """How a script runs; only its environment's variables are used here."""

    def __init__(self, script: str | None = None, **others: Any) -> None:
        self.script = script
        self.target = "local"
        self.environment = Environment("local")


class ScriptRunConfig:
    """A script to run as a run of an experiment."""

    def __init__(
        self,
        source_directory: str = ".",
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        run_config: RunConfiguration | None = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        **others: Any,
    ) -> None:
        self.source_directory = source_directory
        self.script = script
        self.arguments = list(arguments or ())
        self.run_config = run_config or RunConfiguration()
        if environment is not None:
            self.run_config.environment = environment

    def submit_to(
        self, experiment: Experiment, *, tags: Mapping[str, str], **others: Any
    ) -> ScriptRun:
        """Run the script to its end, in a process of its own; called by `Experiment.submit`.

        What it writes to ``outputs`` becomes files of the run, what it prints ``logs/output.txt``.
        """
        folder = Path(self.source_directory).resolve()
        if self.script is None or not (folder / self.script).is_file():
            raise ScriptError(f"there is no script {self.script} in {folder}")
        run = ScriptRun(experiment, new_id())
        run.set_tags(tags)
        command = [sys.executable, "-m", "pellucid.azureml", self.script]
        command += [str(getattr(each, "name", each)) for each in self.arguments]
        known = {**os.environ, **self.run_config.environment.environment_variables}
        known.setdefault("PYTHONIOENCODING", "utf-8")
        known[CONTEXT] = f"{experiment.name}/{run.id}"
        known["PELLUCID_STORE"] = str(experiment.workspace.directory.parent)
        done = subprocess.run(
            command, cwd=folder, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        (run.directory / "logs").mkdir(exist_ok=True)
        (run.directory / "logs/output.txt").write_text(done.stdout, "utf-8")
        if (folder / "outputs").is_dir():
            run.upload_folder("outputs", str(folder / "outputs"))
        if done.returncode:
            run.fail(f"exit code {done.returncode}")
            last = "\n".join(done.stdout.splitlines()[-20:])
            raise ScriptError(f"{self.script} ended with code {done.returncode}:\n{last}")
        if run.status == "Running":
            run.complete()
        return run

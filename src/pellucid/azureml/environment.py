"""Environments and compute targets: what they were called, and that all of them are here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.azureml.notes import note_once
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.azureml.runs import ScriptRun
    from pellucid.azureml.workspace import Experiment, Workspace

VERSION = "1.62.0"  # of the SDK whose names these are
DEFAULT_CPU_IMAGE = "this machine"  # the container image of old scripts
DEFAULT_GPU_IMAGE = DEFAULT_CPU_IMAGE
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class ExperimentExecutionException(PellucidError):
    """A run that failed."""


class ScriptError(ExperimentExecutionException):
    """A script that is not there, or that failed."""


class ComputeTargetException(PellucidError):
    """Never raised here: every compute target exists, and is this machine."""


class CondaDependencies:
    """Packages of an environment, and their YAML.

    Examples
    --------
    >>> needs = CondaDependencies.create(conda_packages=["numpy"], pip_packages=["shap==0.51"])
    >>> needs.add_pip_package("lightgbm")
    >>> print(needs.serialize_to_string())  # doctest: +ELLIPSIS
    name: project_environment
    dependencies:
      - python=3...
      - numpy
      - pip:
        - shap==0.51
        - lightgbm
    <BLANKLINE>
    """

    def __init__(self, conda_dependencies_file_path: str | None = None, **others: Any) -> None:
        self.python_version = _PYTHON
        self._conda: list[str] = []
        self._pip: list[str] = []
        if conda_dependencies_file_path is not None:
            self._read(Path(conda_dependencies_file_path).read_text("utf-8"))

    @classmethod
    def create(
        cls,
        pip_indexurl: str | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
        python_version: str | None = None,
        pin_sdk_version: bool = True,
        **others: Any,
    ) -> CondaDependencies:
        """From lists of packages."""
        made = cls()
        made.python_version = python_version or _PYTHON
        made._conda += list(conda_packages or ())
        made._pip += list(pip_packages or ())
        return made

    def add_pip_package(self, pip_package: str) -> None:
        """One more from the Python index."""
        self._pip.append(pip_package)

    def add_conda_package(self, conda_package: str) -> None:
        """One more from conda."""
        self._conda.append(conda_package)

    def set_python_version(self, version: str) -> None:
        """Which Python."""
        self.python_version = version

    @property
    def pip_packages(self) -> list[str]:
        """Packages from the Python index."""
        return list(self._pip)

    @property
    def conda_packages(self) -> list[str]:
        """Packages from conda."""
        return list(self._conda)

    def serialize_to_string(self) -> str:
        """The YAML that conda reads."""
        lines = ["name: project_environment", "dependencies:", f"  - python={self.python_version}"]
        lines += [f"  - {each}" for each in self._conda]
        if self._pip:
            lines += ["  - pip:", *(f"    - {each}" for each in self._pip)]
        return "\n".join(lines) + "\n"

    def save_to_file(self, base_directory: str = ".", conda_file_path: str = "env.yml") -> str:
        """Write the YAML; give its name."""
        (Path(base_directory) / conda_file_path).write_text(self.serialize_to_string(), "utf-8")
        return conda_file_path

    save = save_to_file

    def _read(self, text: str) -> None:
        inside_pip = False
        for line in text.splitlines():
            found = re.match(r"\s*-\s*(\S+)\s*$", line)
            if found is None:
                continue
            if found[1] == "pip:":
                inside_pip = True
            elif found[1].startswith("python="):
                self.python_version = found[1].partition("=")[2]
            else:
                (self._pip if inside_pip else self._conda).append(found[1])


class _PythonSection:
    def __init__(self) -> None:
        self.conda_dependencies = CondaDependencies()
        self.user_managed_dependencies = False


class DockerSection:
    """Settings of a container; none are used here."""

    def __init__(self, **settings: Any) -> None:
        self.enabled = False
        self.__dict__.update(settings)


class DockerConfiguration:
    """Whether a script runs in a container: it does not here."""

    def __init__(self, use_docker: bool = False, **others: Any) -> None:
        self.use_docker = use_docker


class ResourceConfiguration:
    """What a model asks for; not used here."""

    def __init__(self, cpu: Any = None, memory_in_gb: Any = None, gpu: Any = None) -> None:
        self.cpu, self.memory_in_gb, self.gpu = cpu, memory_in_gb, gpu


class Environment:
    """A named list of packages; what runs here runs in this very environment."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.python = _PythonSection()
        self.docker = DockerSection()
        self.environment_variables: dict[str, str] = {}

    @classmethod
    def of_this(cls, name: str) -> Environment:
        """The packages that a model needs, as they are installed here."""
        made = cls(name)
        for package in ("pellucid", "numpy", "pandas", "scikit-learn", "lightgbm"):
            try:
                made.python.conda_dependencies.add_pip_package(f"{package}=={version(package)}")
            except PackageNotFoundError:
                continue
        return made

    @classmethod
    def get(cls, workspace: Workspace, name: str, version: str | None = None) -> Environment:
        """A curated environment: this one."""
        return cls.of_this(name)

    @classmethod
    def from_conda_specification(cls, name: str, file_path: str) -> Environment:
        """From a YAML file."""
        made = cls(name)
        made.python.conda_dependencies = CondaDependencies(file_path)
        return made

    @classmethod
    def from_pip_requirements(cls, name: str, file_path: str, **others: Any) -> Environment:
        """From a list of requirements."""
        made = cls(name)
        for line in Path(file_path).read_text("utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                made.python.conda_dependencies.add_pip_package(line.strip())
        return made

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Write its packages as conda_dependencies.yml into a folder."""
        target = Path(path) / "conda_dependencies.yml"
        if target.exists() and not overwrite:
            raise ScriptError(f"{target} exists already; pass overwrite=True to replace it")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.python.conda_dependencies.serialize_to_string(), "utf-8")

    def clone(self, new_name: str) -> Environment:
        """The same under another name."""
        made = Environment(new_name)
        made.__dict__.update(deepcopy(self.__dict__), name=new_name)
        return made

    def register(self, workspace: Workspace) -> Environment:
        """Itself."""
        return self


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
        from pellucid.azureml.runs import CONTEXT, ScriptRun, new_id

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


class ComputeTarget:
    """A cluster by its name; it is this machine."""

    def __init__(self, workspace: Workspace | None = None, name: str = "local") -> None:
        self.name = name
        self.type = "local"
        note_once(f"the compute target {name} is this machine")

    @classmethod
    def create(cls, workspace: Workspace, name: str, configuration: Any = None) -> ComputeTarget:
        """The same: there is nothing to create."""
        return cls(workspace, name)

    def wait_for_completion(self, show_output: bool = False, **others: Any) -> None:
        """It is there."""

    def get_status(self) -> Any:
        """It is there."""
        return "Succeeded"

    def delete(self) -> None:
        """There is nothing to delete."""


class AmlCompute(ComputeTarget):
    """A cluster by its name; it is this machine."""

    @staticmethod
    def provisioning_configuration(**settings: Any) -> dict[str, Any]:
        """What a cluster would be like; not used here."""
        return settings


class Anywhere(dict[str, Any]):
    """Compute targets by name: any name is this machine."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> ComputeTarget:
        return AmlCompute(None, name)

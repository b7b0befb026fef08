"""Environments: lists of packages under a name; what runs here runs in this very environment."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from copy import deepcopy
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.azureml.workspace import Workspace

VERSION = "1.62.0"  # of the SDK whose names these are
DEFAULT_CPU_IMAGE = "this machine"  # the container image of old scripts
DEFAULT_GPU_IMAGE = DEFAULT_CPU_IMAGE
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class EnvironmentFileError(PellucidError):
    """A file of an environment that is there already."""


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
            raise EnvironmentFileError(
                f"{target} exists already; pass overwrite=True to replace it"
            )
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

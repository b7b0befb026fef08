"""Modules under the old paths, made from the table of names when they are imported."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pellucid.azureml.names import AZUREML, BESIDE
from pellucid.errors import PellucidError

_OURS = "pellucid.azureml"


class AliasError(PellucidError):
    """The real SDK is installed, and would be hidden."""


class UnknownNameError(ImportError):
    """A name of the old SDK that has no counterpart here."""


class _Finder(MetaPathFinder, Loader):
    """Makes the modules of one table; refuses other names below ``closed``, its root."""

    def __init__(self, table: Mapping[str, Mapping[str, str]], closed: str | None) -> None:
        self.table = table
        self.closed = closed
        self.packages = {
            ".".join(path.split(".")[:k]) for path in table for k in range(1, path.count(".") + 1)
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self.table or fullname in self.packages:
            return ModuleSpec(fullname, self, is_package=True)
        below = self.closed is not None and fullname.startswith(f"{self.closed}.")
        if below and not fullname.rpartition(".")[2].startswith("_"):
            raise self.unknown(fullname)
        return None

    def exec_module(self, module: ModuleType) -> None:
        names = self.table.get(module.__name__, {})

        def look_up(name: str) -> Any:
            if name in names:
                value = getattr(import_module(names[name]), name)
                setattr(module, name, value)
                return value
            if name.startswith("_"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            raise self.unknown(f"{module.__name__}.{name}")

        module.__dict__.update(__getattr__=look_up, __all__=sorted(names), __path__=[])

    def unknown(self, name: str) -> UnknownNameError:
        known = [f"{path}.{each}" for path, names in self.table.items() for each in names]
        last = name.rpartition(".")[2].lower()
        same = [each for each in known if each.rpartition(".")[2].lower() == last]
        near = same[:1] or difflib.get_close_matches(name, known, n=1, cutoff=0.3)
        hint = f"; the nearest that there is: {near[0]}" if near else ""
        return UnknownNameError(f"{name} has no counterpart in pellucid.azureml{hint}", name=name)


def install_here() -> None:
    """Let ``pellucid.azureml.core`` and the others be imported."""
    table = {f"{_OURS}.{path}": names for path, names in AZUREML.items()}
    sys.meta_path.append(_Finder(table, _OURS))


def install(*, override: bool = False) -> None:
    """Let ``import azureml...``, and what old scripts import beside it, find our names.

    Holds for this process. Of what is beside it, packages that are installed are left alone.

    Parameters
    ----------
    override : bool
        Hide a real azureml package.

    Raises
    ------
    AliasError
        azureml is installed, and ``override`` is not set.
    """
    if any(isinstance(finder, _Finder) and finder.closed == "azureml" for finder in sys.meta_path):
        return
    if not override and importlib.util.find_spec("azureml") is not None:
        raise AliasError(
            "the package azureml is installed here, and its names are left as they are; pass "
            "--override (or install(override=True)) to let Pellucid answer instead"
        )
    for name in [name for name in sys.modules if name.partition(".")[0] == "azureml"]:
        del sys.modules[name]
    sys.meta_path.insert(
        0, _Finder({f"azureml.{p}": names for p, names in AZUREML.items()}, "azureml")
    )
    beside = {
        path: names
        for path, names in BESIDE.items()
        if override or importlib.util.find_spec(path.partition(".")[0]) is None
    }
    sys.meta_path.append(_Finder(beside, None))

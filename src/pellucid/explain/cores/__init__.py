"""The core of a model, by the package that its class comes from; one file per library.

A module has one function ``read(model) -> Core``, which asks the library itself, so that what is
explained is held against the library's own numbers.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pellucid.explain.subject import Core

_CORES: dict[str, str] = {
    "lightgbm": "pellucid.explain.cores.lightgbm",
    "xgboost": "pellucid.explain.cores.xgboost",
    "catboost": "pellucid.explain.cores.catboost",
    "sklearn": "pellucid.explain.cores.sklearn",
}


def read_core(model: Any) -> Core:
    """What a fitted estimator, or a function, answers.

    Raises
    ------
    SubjectError
        An estimator that is not fitted, or that answers nothing in numbers.
    """
    for base in type(model).__mro__:
        package = base.__module__.partition(".")[0]
        if package in _CORES:
            core: Core = import_module(_CORES[package]).read(model)
            return core
    from pellucid.explain.cores.anything import read

    return read(model)

"""From a fitted model of a library to the one array form; one file per library.

A reader module has one function ``read(model) -> TreeEnsemble`` and is found by the package that
the model's class, or one of its bases, comes from.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.trees import TreeEnsemble

# package of the model's class -> module with `read`; modules are imported when they are used
_READERS: dict[str, str] = {
    "lightgbm": "pellucid.shapley.readers.lightgbm",
    "xgboost": "pellucid.shapley.readers.xgboost",
    "catboost": "pellucid.shapley.readers.catboost",
    "sklearn": "pellucid.shapley.readers.sklearn",
}


def read_ensemble(model: Any) -> TreeEnsemble:
    """Read the trees of a fitted model; a `TreeEnsemble` is given back as it is.

    Raises
    ------
    ReaderError
        No reader knows the model's class.
    """
    if isinstance(model, TreeEnsemble):
        return model
    for base in type(model).__mro__:
        package = base.__module__.partition(".")[0]
        if package in _READERS:
            try:
                reader = import_module(_READERS[package])
            except ModuleNotFoundError as error:
                if error.name != _READERS[package]:
                    raise
                break
            ensemble: TreeEnsemble = reader.read(model)
            return ensemble
    raise ReaderError(
        f"no reader for a model of class {type(model).__module__}.{type(model).__name__}; "
        f"expected a fitted model of {', '.join(_READERS)}, or a TreeEnsemble"
    )

"""From a fitted model of a library to the one array form; one file per library.

A reader module is found by the package that the model's class, or one of its bases, comes from. It
has two functions: ``read(model) -> TreeEnsemble``, and ``margins(model, rows)``, what the library
itself gives these rows, (n_rows, n_outputs), or None where it refuses them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from pellucid.shapley.additivity import FLOAT32, FLOAT64
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
    ensemble: TreeEnsemble = _reader(model).read(model)
    return ensemble


def hold_reader(model: Any, trees: TreeEnsemble, rows: np.ndarray, margins: np.ndarray) -> None:
    """Hold the margins of rows, as they were read, to those that the library itself gives.

    Parameters
    ----------
    model : what ``trees`` were read from; nothing is held to a `TreeEnsemble`.
    rows : (n_rows, n_columns); margins : float64 (n_rows, n_outputs)

    Raises
    ------
    ReaderError
        The first row whose margins differ by more than rounding.
    """
    if isinstance(model, TreeEnsemble):
        return
    found = _reader(model).margins(model, rows)
    if found is None:
        return
    own = np.asarray(found, dtype=np.float64).reshape(margins.shape)
    tolerance = (FLOAT32 if trees.float32_sums else FLOAT64).relative
    gaps = np.abs(margins - own)
    wrong = ~(gaps <= tolerance * (np.abs(own) + trees.magnitude))
    wrong &= ~(np.isnan(margins) & np.isnan(own))  # a linear leaf of an infinite value
    if wrong.any():
        row, output = np.argwhere(wrong)[0]
        raise ReaderError(
            f"reader of {trees.library}: row {row} of the background has the margin "
            f"{margins[row, output]:.17g}, {trees.library} itself gives {own[row, output]:.17g}"
            + (f" (output {output})" if margins.shape[1] > 1 else "")
            + f"; the {type(model).__name__} has something that this reader does not know, so "
            "nothing was compiled: please report it, with the library's version"
        )


def _reader(model: Any) -> Any:
    for base in type(model).__mro__:
        package = base.__module__.partition(".")[0]
        if package in _READERS:
            try:
                return import_module(_READERS[package])
            except ModuleNotFoundError as error:
                if error.name != _READERS[package]:
                    raise
                break
    raise ReaderError(
        f"no reader for a model of class {type(model).__module__}.{type(model).__name__}; "
        f"expected a fitted model of {', '.join(_READERS)}, or a TreeEnsemble"
    )

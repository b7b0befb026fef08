"""Shapley values, exact for additive models, sampled for any function; knows nothing of AutoML.

Compile once per model and background, then look up. Importing this package loads NumPy only;
Numba is loaded when the first model is compiled, or by `warmup`.

Examples
--------
>>> from pellucid import shapley
>>> tables = shapley.linear([[2.0, -1.0]], [0.5], background=[[0.0, 0.0], [1.0, 2.0]])
>>> tables.values([[3.0, 1.0]])
array([[5., 0.]])
>>> tables.base_values
array([0.5])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pellucid.shapley.additive import AdditiveTables, BinnedTable, Term, additive
from pellucid.shapley.errors import (
    AdditivityError,
    ReaderError,
    ShapleyError,
    TablesFileError,
)
from pellucid.shapley.linear import linear

if TYPE_CHECKING:
    from pellucid.shapley.interaction import interactions
    from pellucid.shapley.sampling import Sampled, sample
    from pellucid.shapley.tables import compile, load
    from pellucid.shapley.warming import warmup

__all__ = [
    "AdditiveTables",
    "AdditivityError",
    "BinnedTable",
    "ReaderError",
    "Sampled",
    "ShapleyError",
    "TablesFileError",
    "Term",
    "additive",
    "compile",
    "interactions",
    "linear",
    "load",
    "sample",
    "warmup",
]

_LAZY = {
    "Sampled": "pellucid.shapley.sampling",
    "compile": "pellucid.shapley.tables",
    "interactions": "pellucid.shapley.interaction",
    "load": "pellucid.shapley.tables",
    "sample": "pellucid.shapley.sampling",
    "warmup": "pellucid.shapley.warming",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value

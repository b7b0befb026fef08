"""What pandas, NumPy and scikit-learn took when the old scripts were written, in this process only.

The entry scripts of the time read their rows by ``pd.read_json(raw_data, orient="records")``, fill
targets by ``astype(np.float)``, and have joblib from ``sklearn.externals``.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PLAIN = {"float": float, "int": int, "bool": bool, "object": object, "str": str}
_JOBLIB = "sklearn.externals.joblib"


def restore() -> None:
    """Let ``pd.read_json`` read a text itself, ``np.float`` mean float, and joblib be found."""
    import numpy as np
    import pandas as pd

    for name, kind in _PLAIN.items():
        if name not in vars(np):
            setattr(np, name, kind)
    if not hasattr(pd.read_json, "__wrapped__"):
        pd.read_json = _reading_texts(pd.read_json)
    if not any(isinstance(finder, _JoblibFinder) for finder in sys.meta_path):
        sys.meta_path.append(_JoblibFinder())


def _reading_texts(read_json: Any) -> Any:
    @functools.wraps(read_json)
    def read(path_or_buf: Any, *arguments: Any, **others: Any) -> Any:
        if isinstance(path_or_buf, str) and path_or_buf.lstrip()[:1] in ("[", "{"):
            path_or_buf = io.StringIO(path_or_buf)
        return read_json(path_or_buf, *arguments, **others)

    return read


class _JoblibFinder(MetaPathFinder, Loader):
    """``sklearn.externals.joblib``, which is joblib itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == _JOBLIB else None

    def exec_module(self, module: ModuleType) -> None:
        import joblib

        module.__dict__.update({name: getattr(joblib, name) for name in joblib.__all__})

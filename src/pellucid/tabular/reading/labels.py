"""Cells as labels of a category, or as texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.reading.values import is_missing, text_of

_FEW = 64  # rows below which a plain loop is faster than hashing a whole column


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of labels.

    codes : ndarray of int, (n_rows,); position in ``levels``, -1 where there is no value.
    levels : the different labels.
    """

    codes: np.ndarray
    levels: list[str]

    def counts(self) -> np.ndarray:
        """Rows of each level, int (n_levels,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def texts(self) -> list[str | None]:
        """The label of each row, None where there is none."""
        levels = [*self.levels, None]  # code -1 finds the last one
        return [levels[code] for code in self.codes.tolist()]


def read_labels(values: pd.Series, *, name: str) -> Labels:
    """A column as labels: stripped text, whole numbers without a point, blanks missing.

    Raises
    ------
    SchemaError
        For a cell that is no single value.

    Examples
    --------
    >>> labels = read_labels(pd.Series(["a ", None, "b", "a"]), name="x")
    >>> labels.codes, labels.levels
    (array([ 0, -1,  1,  0]), ['a', 'b'])
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes, levels = values.cat.codes.to_numpy(), dtype.categories.tolist()
    elif isinstance(dtype, pd.SparseDtype):
        return read_labels(pd.Series(np.asarray(values), index=values.index), name=name)
    elif len(values) > _FEW and _is_uniform(values):
        codes, uniques = pd.factorize(values)
        levels = uniques.tolist()
    else:
        codes, levels = _each(values, name)
    return _clean(codes, levels, name)


def _is_uniform(values: pd.Series) -> bool:
    """Whether equal cells have equal text, which a mix such as 1, True and 1.0 has not."""
    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):  # lists and structs cannot be hashed
        return dtype.kind != "O" or dtype.type is str
    if not pd.api.types.is_object_dtype(dtype):
        return True
    return pd.api.types.infer_dtype(values, skipna=True) == "string"


def _each(values: pd.Series, name: str) -> tuple[np.ndarray, list[str]]:
    position: dict[str, int] = {}
    codes = np.empty(len(values), dtype=np.int64)
    for i, value in enumerate(values.tolist()):
        if is_missing(value):
            codes[i] = -1
        else:
            text = value if isinstance(value, str) else text_of(value, name)
            codes[i] = position.setdefault(text, len(position))
    return codes, list(position)


def _clean(codes: np.ndarray, levels: list[Any], name: str) -> Labels:
    position: dict[str, int] = {}
    target = np.empty(len(levels) + 1, dtype=np.int64)
    target[-1] = -1
    for code, level in enumerate(levels):
        text = text_of(level, name).strip()
        target[code] = position.setdefault(text, len(position)) if text else -1
    return Labels(target[codes], list(position))


def label_of(value: Any, name: str) -> str | None:
    """A cell as a label, None where there is none."""
    return None if is_missing(value) else text_of(value, name).strip() or None


def read_texts(values: pd.Series, *, name: str) -> list[str | None]:
    """A column as texts (n_rows), None where there is no value.

    Raises
    ------
    SchemaError
        For a cell that is no single value.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    return [None if is_missing(v) else text_of(v, name) for v in values.tolist()]

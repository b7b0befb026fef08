"""Rows in the three forms that models take them in: frames, arrays, and CSR matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def width(rows: Any) -> int:
    """Number of columns; a Series or a list of texts has one."""
    shape: tuple[int, ...] = getattr(rows, "shape", ())
    return int(shape[1]) if len(shape) == 2 else 1


def known(rows: Any) -> Any:
    """Rows in a form of these: what a step gives as a polars frame becomes a pandas one."""
    return rows.to_pandas() if type(rows).__module__.startswith("polars") else rows


def take(rows: Any, at: Any) -> Any:
    """Some of the rows, by position."""
    return rows.iloc[at] if isinstance(rows, (pd.DataFrame, pd.Series)) else rows[at]


def stack(parts: Sequence[Any]) -> Any:
    """Rows of one form, one after the other."""
    if isinstance(parts[0], (pd.DataFrame, pd.Series)):
        return pd.concat(list(parts), ignore_index=True)
    if sparse.issparse(parts[0]):
        return sparse.csr_matrix(sparse.vstack(list(parts)))
    return np.concatenate(list(parts))


def is_numeric(rows: Any) -> bool:
    """Whether every cell is a number, or a truth value."""
    if isinstance(rows, pd.DataFrame):
        return all(
            isinstance(dtype, pd.SparseDtype) or getattr(dtype, "kind", "O") in "fiub"
            for dtype in rows.dtypes
        )
    return rows.dtype.kind in "fiub"


def dense(rows: Any, *, absent: float = 0.0) -> np.ndarray:
    """Numbers as a float array, missing ones NaN; ``absent`` is what a cell not stored is.

    Raises
    ------
    ValueError
        A cell that is no number.
    """
    if sparse.issparse(rows):
        matrix = sparse.csr_array(rows)
        out = np.full(matrix.shape, absent)
        at = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        out[at, matrix.indices] = matrix.data
        return out
    if isinstance(rows, pd.DataFrame):
        rows = rows.to_numpy(dtype=np.float64, na_value=np.nan)
    array = np.asarray(rows)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def as_frame(rows: Any, names: Sequence[str], index: pd.Index) -> pd.DataFrame:
    """Rows as a table that people read."""
    if isinstance(rows, pd.DataFrame):
        return rows.set_axis(index, axis=0).set_axis(list(names), axis=1)
    if sparse.issparse(rows):
        made: pd.DataFrame = pd.DataFrame.sparse.from_spmatrix(  # type: ignore[attr-defined]
            rows, index=index, columns=list(names)
        )
        return made
    return pd.DataFrame(rows, index=index, columns=list(names))

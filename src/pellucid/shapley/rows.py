"""Rows and weights as the callers give them, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.shapley.errors import ShapleyError


def check_rows(X: Any, *, n_columns: int, what: str = "X") -> np.ndarray:
    """Give a 2-D float32 or float64 array, without copying what is one already.

    Raises
    ------
    ShapleyError
        A wrong number of dimensions or columns, or values that are not numbers.
    """
    rows = np.asarray(X)
    if rows.dtype not in (np.float32, np.float64):
        try:
            rows = rows.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ShapleyError(
                f"{what} holds {rows.dtype} values; expected numbers, with NaN for missing"
            ) from error
    if rows.ndim != 2 or rows.shape[1] != n_columns:
        raise ShapleyError(
            f"{what} has shape {rows.shape}; expected (n_rows, {n_columns}), "
            "the columns that the model was fitted on, in their order"
        )
    return rows


def check_weights(weights: Any, *, n_rows: int) -> np.ndarray:
    """Background weights that sum to one; equal when ``weights`` is None.

    Raises
    ------
    ShapleyError
        No background rows, a wrong count of weights, negative weights, or a sum of zero.
    """
    if n_rows == 0:
        raise ShapleyError("background has no rows; give at least one row to compare with")
    if weights is None:
        return np.full(n_rows, 1.0 / n_rows)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n_rows,):
        raise ShapleyError(f"weights has shape {array.shape}; expected ({n_rows},)")
    if not np.isfinite(array).all() or array.min() < 0 or array.sum() <= 0:
        raise ShapleyError("weights must be finite, not negative, and not all zero")
    return array / array.sum()

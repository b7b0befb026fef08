"""Rows and weights as the callers give them, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.shapley.errors import ShapleyError


def names_of(X: Any) -> tuple[str, ...] | None:
    """Column names of a frame, as text; None for arrays."""
    names = getattr(X, "columns", None)
    return None if names is None else tuple(map(str, names))


def known_columns(
    background: Any, columns: tuple[str, ...] | None = None
) -> tuple[str, ...] | None:
    """Names that rows are aligned by: the model's ``columns``, or else those of the background.

    A model that was fitted on an array has no names, or made-up ones that no frame has.
    """
    names = names_of(background)
    if names is None or (columns and set(_plain(columns)) & set(_plain(names))):
        return columns
    return names


def check_rows(
    X: Any, *, n_columns: int, columns: tuple[str, ...] | None = None, what: str = "X"
) -> np.ndarray:
    """Give a 2-D float32 or float64 array, without copying what is one already.

    A frame is put in the order of ``columns`` by name, where it has any of these names; what it has
    beside them is left out.

    Raises
    ------
    ShapleyError
        A wrong number of dimensions or columns, a column that is missing by name or there twice, or
        values that are not numbers.
    """
    names = names_of(X)
    rows = np.asarray(X)
    if columns is not None and names is not None and names != columns:
        order = _order(_plain(names), _plain(columns), what)
        rows = rows if order is None else rows[:, order]
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


def _plain(names: Sequence[str]) -> list[str]:
    """Names as LightGBM keeps them, with no blanks."""
    return [name.replace(" ", "_") for name in names]


def _order(names: list[str], columns: list[str], what: str) -> list[int] | None:
    """Where each of the model's columns is among ``names``; None when no name is shared."""
    places = {name: place for place, name in enumerate(names)}
    absent = [name for name in columns if name not in places]
    if len(absent) == len(columns):
        return None
    if absent:
        raise ShapleyError(
            f"{what} lacks the columns {', '.join(absent[:5])}, which the model was fitted on; "
            f"give it all {len(columns)}, in any order"
        )
    if len(places) < len(names):
        twice = [name for name in columns if names.count(name) > 1]
        if twice:
            raise ShapleyError(f"{what} has several columns named {twice[0]}; give it one")
    return [places[name] for name in columns]


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

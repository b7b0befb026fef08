"""Where the cells of a row may move: to values seen in data, within bounds, at what distance."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import Asked, AskError, is_ordered, position_in
from pellucid.explain.response import numbers_of

_LEVELS = 30  # most frequent levels of a category that are tried


@dataclass(frozen=True, eq=False)
class Column:
    """Where one column of a row may move to.

    Attributes
    ----------
    name : str
    position : int
    cell : what the row has.
    seen : ndarray, (n_seen,)
        All values that it may move to, the nearest first.
    costs : ndarray of float64, (n_seen,)
        How far each is: in spreads of the column (its median absolute deviation) for numbers and
        times, 1 for another category.
    tried : ndarray of int
        Those of ``seen`` that a search begins with.
    """

    name: str
    position: int
    cell: Any
    seen: np.ndarray
    costs: np.ndarray
    tried: np.ndarray


def find_moves(
    row: Asked,
    data: pd.DataFrame,
    *,
    immutable: Iterable[str] = (),
    bounds: Mapping[str, Any] | None = None,
    per_column: int = 10,
) -> list[Column]:
    """The columns that may move, and where to.

    Parameters
    ----------
    row : Asked, of one row
    data : DataFrame, (n_rows, n_columns)
        Rows whose values are plausible, in the form that the model takes.
    immutable : names of columns that stay as they are.
    bounds : mapping of a column to where it may move
        A tuple (low, high), either of which may be None; "increase" or "decrease"; or a list or
        set of the cells that are allowed.
    per_column : int
        How many values of a column a search begins with.

    Raises
    ------
    AskError
        Unknown columns, or bounds that make no sense.

    Notes
    -----
    Distances as Wachter, Mittelstadt and Russell (2018), section 3.
    """
    fixed = {position_in(row.names, name) for name in _names(immutable)}
    limits = {position_in(row.names, name): limit for name, limit in (bounds or {}).items()}
    found = []
    for at, name in enumerate(row.names):
        if at in fixed:
            continue
        column, cell = data.iloc[:, at], row.frame.iloc[0, at]
        if is_ordered(column):
            seen, costs = _along_line(column, cell, limits.get(at), name)
        else:
            seen, costs = _levels(column, cell, limits.get(at), name)
        if len(seen):
            tried = _spread_out(seen, per_column) if is_ordered(column) else np.arange(len(seen))
            found.append(Column(name, at, cell, seen, costs, tried))
    return found


def distances(row: Asked, data: pd.DataFrame, of: pd.DataFrame) -> np.ndarray:
    """Distance of the rows ``of`` to the nearest row of data, (n_rows,), in the units of moves."""
    total = np.zeros((len(of), len(data)))
    for at in range(len(row.names)):
        column, cells = data.iloc[:, at], of.iloc[:, at]
        if is_ordered(column):
            here, there = numbers_of(column), numbers_of(cells.astype(column.dtype))
            gap = np.abs(there[:, None] - here[None, :]) / spread_of(column)
            total += np.where(np.isnan(gap), 1.0, gap)
        else:
            total += cells.astype(object).to_numpy()[:, None] != column.astype(object).to_numpy()
    return total.min(axis=1)


def spread_of(column: pd.Series) -> Any:
    """The median absolute deviation, or where that is zero the standard deviation, or one."""
    values = numbers_of(column.dropna())
    if values.dtype.kind == "M":
        gaps = np.abs(values - values[np.argsort(values)[len(values) // 2]])
        middle = np.median(gaps.astype(np.int64))
        return np.timedelta64(max(1, int(middle or gaps.astype(np.int64).mean())), _unit(values))
    values = values.astype(np.float64)
    middle = float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
    return middle or (float(values.std()) if len(values) else 0.0) or 1.0


def _unit(values: np.ndarray) -> Any:
    return np.datetime_data(values.dtype)[0]


def _names(immutable: Iterable[str]) -> list[str]:
    return [immutable] if isinstance(immutable, str) else list(immutable)


def _along_line(
    column: pd.Series, cell: Any, limit: Any, name: str
) -> tuple[np.ndarray, np.ndarray]:
    values = np.unique(numbers_of(column.dropna()))
    if isinstance(limit, str):
        if limit not in ("increase", "decrease"):
            raise AskError(
                f"bounds of {name!r} are {limit!r}; expected a tuple (low, high), 'increase', "
                f"'decrease', or a list of cells"
            )
        values = values[values > cell] if limit == "increase" else values[values < cell]
    elif isinstance(limit, tuple):
        low, high = _range(limit, name)
        keep = np.ones(len(values), dtype=bool)
        keep &= values >= low if low is not None else True
        keep &= values <= high if high is not None else True
        values = values[keep]
    elif limit is not None:
        values = np.asarray(_listed(limit, name))
    known = not pd.isna(cell)
    if known:
        values = values[values != cell]
        costs = np.abs(values - _plain(cell, values)) / spread_of(column)
    else:
        costs = np.ones(len(values))
    order = np.argsort(costs, kind="stable")
    return values[order], np.asarray(costs, dtype=np.float64)[order]


def _plain(cell: Any, values: np.ndarray) -> Any:
    return np.datetime64(cell) if values.dtype.kind == "M" else float(cell)


def _range(limit: tuple[Any, ...], name: str) -> tuple[Any, Any]:
    if len(limit) != 2:
        raise AskError(f"bounds of {name!r} are {limit!r}; expected a tuple (low, high)")
    low, high = limit
    if low is not None and high is not None and low > high:
        raise AskError(f"bounds of {name!r} are {limit!r}: the lower one is above the upper one")
    return low, high


def _listed(limit: Any, name: str) -> Sequence[Any]:
    if isinstance(limit, str) or not isinstance(limit, Collection):
        raise AskError(
            f"bounds of {name!r} are {limit!r}; expected a list or set of the cells it may have"
        )
    return sorted(limit, key=str)


def _levels(column: pd.Series, cell: Any, limit: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(limit, tuple):
        raise AskError(
            f"bounds of {name!r} are a range, but it holds categories; give a list of those it may "
            f"have"
        )
    levels = list(column.dropna().astype(object).value_counts().index[:_LEVELS])
    if limit is not None:
        levels = list(_listed(limit, name))
    levels = [level for level in levels if level != cell]
    seen = np.empty(len(levels), dtype=object)
    seen[:] = levels
    return seen, np.ones(len(levels))


def _spread_out(seen: np.ndarray, most: int) -> np.ndarray:
    """Positions of values that are spread by rank, the smallest and the largest included."""
    order = np.argsort(seen)
    at = np.unique(np.linspace(0, len(seen) - 1, min(most, len(seen))).round().astype(int))
    return np.sort(order[at])

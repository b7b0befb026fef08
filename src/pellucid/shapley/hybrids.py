"""Hybrid rows: some columns from the row that is explained, the others from a background row.

Columns are swapped by position, so an array of engineered columns serves as well as a frame of raw
ones: with the engineered columns of one raw column as one player, a hybrid is built without
featurizing again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.rows import check_rows


@dataclass(frozen=True, eq=False)
class ArrayHybrids:
    """Rows (n_rows, n_columns) and background (n_background, n_columns), float32 or float64."""

    rows: np.ndarray
    background: np.ndarray
    columns: None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, background rows, columns."""
        return len(self.rows), *self.background.shape

    def differs(self, row: int) -> np.ndarray:
        """Where the row and each background row differ, bool (n_background, n_columns)."""
        x, z = self.rows[row], self.background
        return ~((x == z) | (np.isnan(x) & np.isnan(z)))

    def build(self, row: int, against: np.ndarray, follow: np.ndarray) -> np.ndarray:
        """Background rows ``against`` (n,) with the row's cells at ``follow`` (n, n_columns)."""
        return np.where(follow, self.rows[row], self.background[against])

    def absent(self) -> np.ndarray:
        """The background rows, to do with as one likes."""
        return self.background.copy()


@dataclass(frozen=True, eq=False)
class FrameHybrids:
    """The same for pandas frames of any dtypes.

    columns : column labels; cells : one series per column, background rows first, then rows;
    codes : int (n_columns, n_background + n_rows), equal where the cells are.
    """

    columns: pd.Index
    cells: tuple[pd.Series, ...]
    codes: np.ndarray
    n_background: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, background rows, columns."""
        n_columns, n_cells = self.codes.shape
        return n_cells - self.n_background, self.n_background, n_columns

    def differs(self, row: int) -> np.ndarray:
        """Where the row and each background row differ, bool (n_background, n_columns)."""
        x = self.codes[:, self.n_background + row]
        different: np.ndarray = x != self.codes[:, : self.n_background].T
        return different

    def build(self, row: int, against: np.ndarray, follow: np.ndarray) -> pd.DataFrame:
        """Background rows ``against`` (n,) with the row's cells at ``follow`` (n, n_columns)."""
        at = np.where(follow, self.n_background + row, against[:, None])
        index = pd.RangeIndex(len(at))
        # with its dtype stated, an object column of strings only does not become one of strings
        taken = {
            j: pd.Series(cells.array.take(at[:, j]), index, cells.dtype, copy=False)
            for j, cells in enumerate(self.cells)
        }
        frame = pd.DataFrame(taken, index, copy=False)
        frame.columns = self.columns
        return frame

    def absent(self) -> pd.DataFrame:
        """The background rows."""
        everyone = np.arange(self.n_background)
        return self.build(0, everyone, np.zeros((len(everyone), len(self.cells)), dtype=bool))


Hybrids = ArrayHybrids | FrameHybrids


def pair_rows(X: Any, background: Any) -> Hybrids:
    """Check that rows and background fit each other.

    Raises
    ------
    ShapleyError
        One a frame and the other not, or columns or dtypes that differ.
    """
    frames = isinstance(X, pd.DataFrame), isinstance(background, pd.DataFrame)
    if all(frames):
        return _pair_frames(X, background)
    if any(frames):
        raise ShapleyError(
            f"X is a {type(X).__name__} and background a {type(background).__name__}; give both "
            "as DataFrames or both as arrays, in the form that predict takes"
        )
    rows = np.asarray(background)
    n_columns = rows.shape[1] if rows.ndim == 2 else 0
    return ArrayHybrids(
        check_rows(X, n_columns=n_columns), check_rows(rows, n_columns=n_columns, what="background")
    )


def _pair_frames(X: pd.DataFrame, background: pd.DataFrame) -> FrameHybrids:
    if list(X.columns) != list(background.columns):
        odd = [
            str(name) for name in X.columns.symmetric_difference(background.columns, sort=False)
        ][:5]
        raise ShapleyError(
            "X and background have different columns"
            + (f" ({', '.join(odd[:5])})" if odd else ", or another order")
            + "; give both the columns that predict takes, in one order"
        )
    cells = []
    for j, name in enumerate(X.columns):
        absent, present = background.iloc[:, j], X.iloc[:, j]
        numbers = all(column.dtype.kind in "iuf" for column in (absent, present))
        if absent.dtype != present.dtype and not numbers:
            raise ShapleyError(
                f"column {name!r} is {present.dtype} in X and {absent.dtype} in background"
                + (" with other levels" if absent.dtype.name == present.dtype.name else "")
                + "; give it one dtype"
            )
        cells.append(pd.concat([absent, present], ignore_index=True))
    codes = np.array([_codes(column) for column in cells]).reshape(len(cells), -1)
    return FrameHybrids(X.columns, tuple(cells), codes, len(background))


def _codes(column: pd.Series) -> np.ndarray:
    """One integer per distinct cell; in columns of objects, cells of different types differ."""
    if column.dtype != object:
        return pd.factorize(column)[0]
    known: dict[Any, int] = {}
    codes = np.empty(len(column), dtype=np.int64)
    for i, cell in enumerate(column):
        key = (type(cell), "nan" if isinstance(cell, float) and cell != cell else cell)
        try:
            codes[i] = known.setdefault(key, i)
        except TypeError:  # a cell that has no hash equals none
            codes[i] = i
    return codes

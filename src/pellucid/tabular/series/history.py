"""History: what is known of some series, on the grid of their frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.errors import SeriesError
from pellucid.tabular.infer import did_you_mean
from pellucid.tabular.reading.labels import read_labels
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.series.spec import SeriesSpec

_MOST_CELLS = 200_000_000  # of the grid
_SPARSE = 200  # cells a row above which the frequency is doubted

Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class History:
    """Rows of some series, sorted by series and time.

    rows : (n_rows, n_columns); the columns of the spec, as they were given.
    y : float64 (n_rows,); the target, NaN where it is not known.
    moments : datetime64[us] (n_rows,)
    keys : what names each series; sorted.
    code : int64 (n_rows,); position of each row's series in ``keys``.
    position : int64 (n_rows,); place of each row's time on the grid.
    """

    spec: SeriesSpec
    rows: pd.DataFrame
    y: np.ndarray
    moments: np.ndarray
    keys: tuple[Key, ...]
    code: np.ndarray
    position: np.ndarray

    @classmethod
    def read(cls, frame: pd.DataFrame, y: np.ndarray, spec: SeriesSpec) -> History:
        """Sort rows into series.

        Parameters
        ----------
        frame : DataFrame, (n_rows, at least the columns of the spec)
        y : float64 (n_rows,); NaN where it is not known.

        Raises
        ------
        SeriesError
            A column or a time is missing, two rows of a series have one time, or the grid is far
            larger than the table.
        """
        rows = check_columns(frame, spec.columns)
        if np.isinf(y).any():
            raise SeriesError(
                f"target {spec.target!r} has infinite values; make them missing or remove the rows"
            )
        moments = read_times(rows, spec)
        keys, code = read_keys(rows, spec.series_columns)
        position = spec.frequency.positions(moments)
        order = np.lexsort((position, code))
        moments, code, position = moments[order], code[order], position[order]
        twice = (np.diff(code) == 0) & (np.diff(position) == 0)
        if twice.any():
            row = int(twice.argmax())
            raise SeriesError(_twice(spec, keys[code[row]], moments[row], moments[row + 1]))
        history = cls(spec, rows.iloc[order], y[order], moments, keys, code, position)
        n_cells = int(history._length.sum())
        if n_cells > _MOST_CELLS or n_cells > _SPARSE * len(rows) + 1_000_000:
            raise SeriesError(
                f"the series have {len(rows)} rows, but {n_cells} steps of one "
                f"{spec.frequency.name} between the first and the last; say the frequency at which "
                f"to forecast, or sum up the rows by it first"
            )
        return history

    def then(self, later: History) -> History:
        """Add rows; where both histories have a row of one time, that of the later one counts."""
        columns = list(self.spec.columns)
        rows = pd.concat([self.rows[columns], later.rows[columns]])
        y = np.concatenate([self.y, later.y])
        _, code = read_keys(rows, self.spec.series_columns)
        position = np.concatenate([self.position, later.position])
        last = (
            ~pd.DataFrame({"code": code, "position": position}).duplicated(keep="last").to_numpy()
        )
        return History.read(rows[last], y[last], self.spec)

    def tail(self) -> History:
        """The rows from which the next forecasts can be made."""
        kept = self.position > self.end[self.code] - self.spec.lookback
        return History.read(self.rows[kept], self.y[kept], self.spec)

    # -- the grid: each series' steps from its first row to its last, one series after the other
    @cached_property
    def _bounds(self) -> np.ndarray:
        """Rows at which the series begin, int64 (n_series + 1,)."""
        return np.searchsorted(self.code, np.arange(len(self.keys) + 1))

    @cached_property
    def first(self) -> np.ndarray:
        """Position of each series' first row, int64 (n_series,)."""
        first: np.ndarray = self.position[self._bounds[:-1]]
        return first

    @cached_property
    def _length(self) -> np.ndarray:
        last: np.ndarray = self.position[self._bounds[1:] - 1]
        return last - self.first + 1

    @cached_property
    def _start(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self._length)])

    @cached_property
    def end(self) -> np.ndarray:
        """Position of each series' last known value, int64 (n_series,); -1 step where it has none.

        A series without any known value ends before its first row.
        """
        end = self.first - 1
        known = ~np.isnan(self.y)
        np.maximum.at(end, self.code[known], self.position[known])
        return end

    @cached_property
    def _cells(self) -> np.ndarray:
        """Row of each cell of the grid, -1 where there is none, int64 (n_cells,)."""
        cells = np.full(int(self._start[-1]), -1, dtype=np.int64)
        cells[self._start[self.code] + self.position - self.first[self.code]] = np.arange(
            len(self.position)
        )
        return cells

    @cached_property
    def _filled(self) -> np.ndarray:
        """Last row at or before each cell, int64 (n_cells,)."""
        return np.maximum.accumulate(self._cells)

    @cached_property
    def _known(self) -> np.ndarray:
        """Last row with a known value at or before each cell, -1 where there is none."""
        cells = np.where(self._cells >= 0, self._cells, 0)
        known = (self._cells >= 0) & ~np.isnan(self.y[cells])
        filled = np.maximum.accumulate(np.where(known, self._cells, -1))
        begin = np.repeat(self._bounds[:-1], self._length)
        return np.where(filled >= begin, filled, -1)

    def values(self, code: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The target at some positions, float64 (n,) or of the shape of ``at``; NaN for none."""
        rows = self._look(self._cells, code, at)
        return np.where(rows >= 0, self.y[rows], np.nan)

    def last_values(self, code: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The last known value at or before some positions, float64 (n,); NaN for none."""
        rows = self._look(self._known, code, np.minimum(at, self._last(code)))
        return np.where(rows >= 0, self.y[rows], np.nan)

    def last_rows(self, code: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The last row at or before some positions, int64 (n,); -1 for none."""
        return self._look(self._filled, code, np.minimum(at, self._last(code)))

    def _last(self, code: np.ndarray) -> np.ndarray:
        last: np.ndarray = self.first[code] + self._length[code] - 1
        return last

    def _look(self, cells: np.ndarray, code: np.ndarray, at: np.ndarray) -> np.ndarray:
        place = at - self.first[code]
        inside = (place >= 0) & (place < self._length[code])
        return np.where(inside, cells[np.where(inside, self._start[code] + place, 0)], -1)

    @cached_property
    def scale(self) -> np.ndarray:
        """Mean absolute change over a season of each series, float64 (n_series,).

        By it an error is divided to be compared between series (Hyndman and Koehler 2006). A
        series that has none, or never changes, takes the mean of the others.
        """
        change = np.abs(self.y - self.values(self.code, self.position - self.spec.season))
        known = ~np.isnan(change)
        total = np.bincount(self.code[known], change[known], len(self.keys))
        count = np.bincount(self.code[known], minlength=len(self.keys))
        scale = total / np.maximum(count, 1)
        usual = float(scale[scale > 0].mean()) if (scale > 0).any() else 1.0
        return np.where(scale > 0, scale, usual)


# -- reading ------------------------------------------------------------------------------------
def check_columns(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Some columns of a table.

    Raises
    ------
    SeriesError
        One is absent.
    """
    for name in names:
        if name not in frame.columns:
            raise SeriesError(f"the table lacks column {name!r}{did_you_mean(name, frame.columns)}")
    return frame[list(names)]


def read_times(frame: pd.DataFrame, spec: SeriesSpec) -> np.ndarray:
    """The times of rows, datetime64[us] (n_rows,), none missing."""
    time = spec.time
    moments = read_moments(frame[time.name], name=time.name, formats=time.formats, words=time.words)
    missing = np.isnat(moments)
    if missing.any():
        raise SeriesError(
            f"column {time.name!r} has no time in {int(missing.sum())} rows, first in row "
            f"{frame.index[int(missing.argmax())]!r}; remove those rows"
        )
    return moments


def read_keys(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[tuple[Key, ...], np.ndarray]:
    """The different series of rows, sorted, and each row's position among them, int64 (n_rows,).

    Labels are compared as text, so that 2, 2.0 and "2" name one series; a missing one is "".
    """
    if not columns:
        return ((),), np.zeros(len(frame), dtype=np.int64)
    labels = [read_labels(frame[name], name=name) for name in columns]
    codes = np.stack([each.codes for each in labels], axis=1)
    different, inverse = np.unique(codes, axis=0, return_inverse=True)
    levels = [[*each.levels, ""] for each in labels]  # code -1 finds the last one
    found = [tuple(own[code] for own, code in zip(levels, row)) for row in different.tolist()]
    keys = sorted(set(found))
    place = {key: i for i, key in enumerate(keys)}
    return tuple(keys), np.array([place[key] for key in found], dtype=np.int64)[inverse.ravel()]


def name_series(columns: Sequence[str], key: Key) -> str:
    """What messages call a series.

    Examples
    --------
    >>> name_series(("store", "brand"), ("2", "tropicana"))
    'series store=2, brand=tropicana'
    """
    named = ", ".join(f"{column}={label}" for column, label in zip(columns, key))
    return f"series {named}" if named else "the series"


def _twice(spec: SeriesSpec, key: Key, one: Any, other: Any) -> str:
    series, time = name_series(spec.series_columns, key), spec.time.name
    if one == other:
        return (
            f"{series} has two rows of {time} {show_moment(one)}; name the columns that tell "
            f"series apart in series_columns, or sum up the rows of one time first"
        )
    return (
        f"{series} has two rows within one {spec.frequency.name}, of {time} {show_moment(one)} and "
        f"{show_moment(other)}; say the frequency at which to forecast, or sum up rows by it first"
    )


def show_moment(moment: Any) -> str:
    """A moment in messages: the time of day where it is not midnight."""
    text = str(np.datetime64(moment, "s"))
    return text.replace("T00:00:00", "").replace("T", " ")

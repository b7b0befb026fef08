"""Read a table of series: tell its frequency and its season, and plan what is made of its past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pellucid.tabular.columns import Column
from pellucid.tabular.errors import SeriesError
from pellucid.tabular.infer import infer_schema
from pellucid.tabular.reading import numbers
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.series.frequency import Frequency, detect_frequency, read_frequency
from pellucid.tabular.series.history import History, check_columns, read_keys
from pellucid.tabular.series.spec import SeriesSpec

_LAGS = (0, 1, 2, 3)
_SEEN = 1.5  # cycles that the longest series must have to look back by one


def read_history(
    frame: pd.DataFrame,
    y: np.ndarray,
    *,
    target: str,
    time_column: str,
    series_columns: Sequence[str] = (),
    known: Sequence[str] = (),
    horizon: int = 1,
    frequency: str | None = None,
    season: int | None = None,
    lags: Sequence[int] | None = None,
    windows: Sequence[int] | None = None,
) -> History:
    """Series from a table, with a spec that fits them; see `SeriesSpec` for the parameters.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
    y : float64 (n_rows,); the target, NaN where it is not known.
    frequency : pandas alias, optional
        The step that is most common between rows of a series by default.
    season, lags, windows : optional
        Told from the frequency by default; the season is the cycle that repeats best.

    Raises
    ------
    SeriesError
        For columns, times or series that cannot be forecast; the message says what to do.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> sales = np.tile([1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 9.0], 9)[:60]
    >>> table = pd.DataFrame({"day": days})
    >>> spec = read_history(table, sales, target="sales", time_column="day", horizon=3).spec
    >>> spec.frequency.name, spec.season, spec.past_names[:3]
    ('day', 7, ('sales', 'sales.last', 'sales.lag_1'))
    """
    if target in frame.columns:
        raise SeriesError(
            f"the table still holds the target {target!r}; drop that column, its past is looked "
            f"up in y"
        )
    check_columns(frame, (time_column, *series_columns, *known))
    if time_column in series_columns:
        raise SeriesError(f"{time_column!r} is the time column; it cannot name series too")
    time = _time(frame, time_column)
    moments = read_moments(
        frame[time_column], name=time_column, formats=time.formats, words=time.words
    )
    given = (time_column, *series_columns)
    spec = SeriesSpec(
        target=target,
        time=time,
        series_columns=tuple(series_columns),
        columns=tuple(frame.columns),
        known=tuple(name for name in dict.fromkeys(known) if name not in given),
        compared=(),
        horizon=horizon,
        frequency=_frequency(frame, moments, frequency, series_columns),
        season=1,
        seasons=(),
        lags=(),
        windows=(),
    )
    history = History.read(frame, y, spec)
    longest = int((history.end - history.first).max(initial=0)) + 1
    cycles = [cycle for cycle in spec.frequency.cycles if _SEEN * cycle <= longest]
    if season is None:
        season = _best_season(history, cycles)
    if windows is None:
        usual = spec.frequency.windows
        windows = [size for size in usual if size <= longest] or usual[:1]
    spec = replace(
        spec,
        season=season,
        seasons=tuple(sorted({*cycles, season} - {1})),
        compared=tuple(name for name in spec.known if _varies(history, name)),
        lags=tuple(sorted({0, *(_LAGS if lags is None else lags)})),
        windows=tuple(sorted(set(windows))),
    )
    clash = [name for name in spec.sources if name in frame.columns]
    if clash:
        raise SeriesError(
            f"column {clash[0]!r} has the name of a column that is made of "
            f"{spec.sources[clash[0]]!r}; rename it"
        )
    return replace(history, spec=spec)


def _time(frame: pd.DataFrame, name: str) -> Column:
    """How the times are read."""
    values = frame[name]
    if numbers.is_native(values.dtype):
        raise SeriesError(
            f"the time column {name!r} holds numbers, such as {values.iloc[0]!r}; make them dates, "
            f"for example with pd.to_datetime(X[{name!r}], format='%Y')"
        )
    return infer_schema(frame[[name]], overrides={name: "datetime"})[name]


def _frequency(
    frame: pd.DataFrame, moments: np.ndarray, name: str | None, series_columns: Sequence[str]
) -> Frequency:
    known = ~np.isnat(moments)
    if name is not None:
        return read_frequency(name, anchor=moments[known].min())
    keys, code = read_keys(frame, series_columns)
    order = np.lexsort((moments, code))
    order = order[known[order]]
    bounds = np.searchsorted(code[order], np.arange(1, len(keys)))
    return detect_frequency(np.split(moments[order], bounds))


def _best_season(history: History, candidates: Sequence[int]) -> int:
    """The cycle after which values repeat best, 1 without candidates."""
    horizon = history.spec.horizon
    errors: dict[int, float] = {}
    for season in candidates:
        total = [
            np.abs(history.y - history.values(history.code, history.position - back * season))
            for back in {-(-step // season) for step in (1, (horizon + 1) // 2, horizon)}
        ]
        change = np.concatenate(total)
        if not np.isnan(change).all():
            errors[season] = float(np.nanmean(change))
    return min(errors, key=lambda season: errors[season], default=1)


def _varies(history: History, name: str) -> bool:
    """Whether a column holds numbers that change within a series."""
    values = history.rows[name]
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    amounts = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool((np.diff(amounts)[np.diff(history.code) == 0] != 0).any())

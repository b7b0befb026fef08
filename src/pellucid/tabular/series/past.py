"""What the past of a series says at an origin: lags, windows, seasons, and the naive forecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pellucid.tabular.series.history import History

_STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.nanmean,
    "std": np.nanstd,
    "min": np.nanmin,
    "max": np.nanmax,
}
_CELLS = 4_000_000  # of windows that are looked at together


def past_features(
    history: History, code: np.ndarray, origin: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Everything that is made of the target's past, float64 (n, n_names).

    Nothing after the origin is looked at. In order: the last known value, values some steps before
    the origin, statistics of the windows that end at the origin, values of the target time's phase
    in earlier seasons, and the seasonal naive forecast, which falls back on earlier seasons and
    then on the last known value.

    Parameters
    ----------
    code : int64 (n,); series.
    origin, target : int64 (n,); positions on the grid, each origin before its target.
    """
    spec = history.spec
    last = history.last_values(code, origin)
    columns = [last, *(history.values(code, origin - lag) for lag in spec.lags if lag)]
    for size in spec.windows:
        columns += _window(history, code, origin, size, spec.statistics_of(size))
    for season in spec.seasons:
        columns += _phases(history, code, origin, target, season, spec.n_phases)
    columns.append(naive(history, code, origin, target, spec.season))
    return np.stack(columns, axis=1)


def naive(
    history: History, code: np.ndarray, origin: np.ndarray, target: np.ndarray, season: int
) -> np.ndarray:
    """The last known value of the target time's phase, else the last known value, float64 (n,)."""
    found = np.full(len(code), np.nan)
    back = _seasons_back(origin, target, season)
    for earlier in range(history.spec.n_phases):
        found = _else(found, history.values(code, target - (back + earlier) * season))
    return _else(found, history.last_values(code, origin))


def _phases(
    history: History,
    code: np.ndarray,
    origin: np.ndarray,
    target: np.ndarray,
    season: int,
    n_phases: int,
) -> list[np.ndarray]:
    """The value of the same phase a season ago, the one before it, and the mean of some."""
    back = _seasons_back(origin, target, season)
    phases = [history.values(code, target - (back + i) * season) for i in range(n_phases)]
    return [phases[0], phases[1], _quietly(np.nanmean, np.stack(phases, axis=1))]


def _seasons_back(origin: np.ndarray, target: np.ndarray, season: int) -> np.ndarray:
    """Fewest seasons that lead from the target time to the origin or before it."""
    back: np.ndarray = -(-(target - origin) // season)
    return back


def _window(
    history: History,
    code: np.ndarray,
    origin: np.ndarray,
    size: int,
    statistics: Sequence[str],
) -> list[np.ndarray]:
    """Statistics of the values that are known in a window; NaN for none."""
    out = np.empty((len(statistics), len(code)))
    steps = np.arange(size)
    chunk = max(1, _CELLS // size)
    for start in range(0, len(code), chunk):
        part = slice(start, start + chunk)
        seen = history.values(code[part, None], origin[part, None] - steps)  # (n, size)
        for i, name in enumerate(statistics):
            out[i, part] = _quietly(_STATISTICS[name], seen)
    return list(out)


def _quietly(what: Callable[..., Any], seen: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # windows without a value are NaN
        result: np.ndarray = what(seen, axis=1)
    return result


def _else(found: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(found), other, found)

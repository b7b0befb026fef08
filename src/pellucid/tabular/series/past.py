"""What the past of a series says at an origin: lags, windows, seasons, and the naive forecast.

No value is missing where the series has any known one: a gap would tell trees how early in its
series a row lies, which holds for no row to come.
"""

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

    Nothing after the origin is looked at. In order: the seasonal naive forecast; the last known
    value; values some steps before the origin; statistics of the windows that end at the origin;
    values at the target time's phase in earlier seasons, and their mean. A step without a value has
    the last one before it; one before the first, the last known value.

    Parameters
    ----------
    code : int64 (n,); series.
    origin, target : int64 (n,); positions on the grid, each origin before its target.
    """
    spec = history.spec
    last = history.last_values(code, origin)
    columns = [naive(history, code, origin, target, spec.season), last]
    columns += [_else(history.last_values(code, origin - lag), last) for lag in spec.lags if lag]
    for size in spec.windows:
        columns += _window(history, code, origin, size, spec.statistics_of(size), last)
    for season in spec.seasons:
        phases = _phases(history, code, origin, target, season, spec.n_phases)
        columns += [_else(phases[0], last), _else(phases[1], _else(phases[0], last))]
        columns.append(_else(_quietly(np.nanmean, np.stack(phases, axis=1)), last))
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
    """The value at the same phase a season ago, the one before it, and so on."""
    back = _seasons_back(origin, target, season)
    return [history.last_values(code, target - (back + i) * season) for i in range(n_phases)]


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
    last: np.ndarray,
) -> list[np.ndarray]:
    """Statistics of the values that are known in a window; of the last one where none is."""
    out = np.empty((len(statistics), len(code)))
    steps = np.arange(size)
    chunk = max(1, _CELLS // size)
    for start in range(0, len(code), chunk):
        part = slice(start, start + chunk)
        seen = history.values(code[part, None], origin[part, None] - steps)  # (n, size)
        empty = np.isnan(seen).all(axis=1)
        seen[empty, 0] = last[part][empty]
        for i, name in enumerate(statistics):
            out[i, part] = _quietly(_STATISTICS[name], seen)
    return list(out)


def _quietly(what: Callable[..., Any], seen: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a series may have no value at all yet
        result: np.ndarray = what(seen, axis=1)
    return result


def _else(found: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(found), other, found)

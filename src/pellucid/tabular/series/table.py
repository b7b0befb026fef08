"""Rows to learn from or to forecast: what is known at an origin of a time some steps later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pellucid.tabular.series.calendar import calendar_features
from pellucid.tabular.series.history import History, read_times
from pellucid.tabular.series.past import past_features


@dataclass(frozen=True, eq=False)
class Supervised:
    """Rows to learn from.

    frame : (n_rows, the spec's table columns); its index names the row of the history at the
        target time, and how many steps ahead of the origin that is: "82 +3".
    y : float64 (n_rows,)
    code, origin, target : int64 (n_rows,); series, and positions on the grid.
    """

    frame: pd.DataFrame
    y: np.ndarray
    code: np.ndarray
    origin: np.ndarray
    target: np.ndarray


def supervise(
    history: History, *, most_rows: int, seed: int, after: int | None = None
) -> Supervised:
    """Every known value as the target of origins 1 to ``horizon`` steps before it.

    Where that gives too many rows, each value is the target of fewer origins, one drawn from each
    of as many equal parts of the horizon.

    Parameters
    ----------
    most_rows : int
        Rows aimed at; each known value is a target at least once.
    after : int, optional
        Only origins at or after this position.
    """
    horizon = history.spec.horizon
    known = np.flatnonzero(~np.isnan(history.y))
    if after is not None:
        known = known[history.position[known] > after]
    n_steps = int(np.clip(most_rows // max(1, len(known)), 1, horizon))
    draws = np.random.default_rng(seed).random((len(known), n_steps))
    steps = 1 + ((np.arange(n_steps) + draws) * (horizon / n_steps)).astype(np.int64)
    rows, steps = np.repeat(known, n_steps), np.minimum(steps, horizon).ravel()
    code, target = history.code[rows], history.position[rows]
    origin = target - steps
    usable = ~np.isnan(history.last_values(code, origin))
    if after is not None:
        usable &= origin >= after
    rows, code, origin, target = (each[usable] for each in (rows, code, origin, target))
    frame = make_table(history, history.rows.iloc[rows], code, origin, target)
    ahead = zip(frame.index, (target - origin).tolist(), strict=True)
    frame.index = pd.Index([f"{label} +{step}" for label, step in ahead], dtype=object)
    return Supervised(frame, history.y[rows], code, origin, target)


def make_table(
    history: History,
    ahead: pd.DataFrame,
    code: np.ndarray,
    origin: np.ndarray,
    target: np.ndarray,
) -> pd.DataFrame:
    """What is known at each origin of its target time, (n, the spec's table columns).

    Parameters
    ----------
    ahead : DataFrame, (n, at least the columns that are known in advance)
        Rows at the target times.
    code, origin, target : int64 (n,); series, and positions on the grid.
    """
    spec = history.spec
    at_origin = history.last_rows(code, origin)
    moments = read_times(ahead, spec)
    columns = {name: ahead[name].array for name in spec.needed}
    columns |= {name: _take(history.rows[name], at_origin) for name in spec.others}
    columns |= {f"{name}.before": _take(history.rows[name], at_origin) for name in spec.compared}
    timed = np.column_stack([target - origin, calendar_features(moments, spec.frequency)])
    columns |= dict(zip(spec.made[spec.time.name], timed.T, strict=True))
    columns |= dict(
        zip(spec.past_names, past_features(history, code, origin, target).T, strict=True)
    )
    table = pd.DataFrame(columns, index=ahead.index)
    return table[list(spec.table_columns)]


def _take(values: pd.Series, rows: np.ndarray) -> pd.api.extensions.ExtensionArray | np.ndarray:
    taken: pd.api.extensions.ExtensionArray | np.ndarray = pd.api.extensions.take(
        values.array, rows, allow_fill=bool((rows < 0).any())
    )
    return taken

"""From a history to what a training learns from: rows, their target, folds by rolling origins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.asides import AsideError, Asides, KeptApart
from pellucid.automl.target import Target, encode, read_values
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor
from pellucid.models.problem import Problem
from pellucid.search.folds import origin_folds
from pellucid.tabular.read import to_frame
from pellucid.tabular.series.history import History
from pellucid.tabular.series.table import supervise

_FOLDS = 5
_ROWS, _FEWEST_ROWS = 40_000, 8_000  # aimed at, without and with the least time
_ROWS_A_SECOND = 800  # of the budget: many trials of fewer rows are better than few of many


@dataclass(frozen=True, eq=False)
class SeriesRows:
    """What `train` takes, made of a history."""

    history: History
    frame: pd.DataFrame
    target: Target
    asides: Asides

    @classmethod
    def of(
        cls, history: History, *, seed: int, n_folds: int | None, budget: float | None
    ) -> SeriesRows:
        """Every known value as the target of some origins before it.

        Parameters
        ----------
        budget : float, optional
            Seconds that the training may take; of fewer, fewer origins.
        """
        spec = history.spec
        n_rows = (
            _ROWS if budget is None else int(np.clip(_ROWS_A_SECOND * budget, _FEWEST_ROWS, _ROWS))
        )
        rows = supervise(history, most_rows=n_rows, seed=seed)
        folds = origin_folds(
            rows.origin, rows.target, n_folds=n_folds or _FOLDS, horizon=spec.horizon
        )
        target = Target(
            Problem("regression"), rows.y, np.ones(len(rows.y), dtype=bool), None, spec.target
        )
        asides = Asides(folds=folds, scale=history.scale[rows.code])
        return cls(history, rows.frame, target, asides)

    @property
    def ship(self) -> Callable[[Predictor], Predictor]:
        """Joins a predictor of such rows with the end of the history."""
        return lambda predictor: ForecastPredictor.of(predictor, self.history)

    def test(self, X: Any, y: Any, *, seed: int) -> KeptApart | None:
        """Forecasts of later rows, from each origin at or after the end of the history.

        Raises
        ------
        AsideError
            Rows without targets or the other way round, or none that is later.
        """
        if X is None and y is None:
            return None
        if X is None or y is None:
            raise AsideError("X_test and y_test go together; give both or neither")
        history, frame = self.history, to_frame(X)
        values, known = encode(y, self.target, n_rows=len(frame))
        later = History.read(frame, np.where(known, values, np.nan), history.spec)
        whole = history.then(later)
        rows = supervise(whole, most_rows=_ROWS, seed=seed, after=int(history.end.max()))
        if len(rows.y) == 0:
            raise AsideError("no row of X_test lies after the end of the history")
        scale = dict(zip(history.keys, history.scale))
        usual = float(history.scale.mean())
        of_series = np.array([scale.get(key, usual) for key in whole.keys])
        return KeptApart(rows.frame, rows.y, of_series[rows.code])


def values_of(y: Any, *, n_rows: int) -> tuple[np.ndarray, str]:
    """A target as float64 (n_rows,), NaN where it is missing, and its name."""
    read = read_values(y, n_rows=n_rows)
    values = np.full(n_rows, np.nan)
    values[read.known] = read.y
    return values, read.name

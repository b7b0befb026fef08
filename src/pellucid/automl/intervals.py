"""The intervals of a training's scores, of the metrics that reports and model cards show."""

from __future__ import annotations

import numpy as np

from pellucid.automl.jackknife import jackknife_intervals
from pellucid.automl.score_intervals import score_intervals
from pellucid.models.problem import Problem
from pellucid.search.trials import DataRef

Intervals = dict[str, tuple[float, float]]

_SHOWN = {  # beside the primary metric, by whether there are classes
    True: ("log_loss", "accuracy", "balanced_accuracy"),
    False: ("r2_score", "root_mean_squared_error", "mean_absolute_error"),
}


def held_out_intervals(
    y: np.ndarray, margins: np.ndarray, problem: Problem, metric: str
) -> Intervals:
    """Of test rows: in closed form where there is one, of the other metrics by the jackknife.

    Parameters
    ----------
    y : (n_rows,) codes or values; margins : (n_rows, n_outputs)
    metric : the primary one.
    """
    closed = score_intervals(y, margins, problem)
    others = [name for name in _names(metric, problem) if name not in closed]
    return {**jackknife_intervals(y, margins, problem, others), **closed}


def cv_intervals(data: DataRef, margins: np.ndarray, metric: str) -> Intervals:
    """Of out-of-fold margins, by the jackknife; folds by group or time are left out whole."""
    rows, scored = data.rows(), np.isfinite(margins[:, 0])
    return jackknife_intervals(
        rows.y[scored],
        margins[scored],
        data.problem,
        _names(metric, data.problem),
        part=data.folds().of_row[scored] if data.fold_kind in ("groups", "time") else None,
        weight=None if rows.weight is None else rows.weight[scored],
    )


def _names(metric: str, problem: Problem) -> list[str]:
    return list(dict.fromkeys([metric, *_SHOWN[problem.is_classification]]))

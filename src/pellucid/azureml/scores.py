"""Metrics by the old names: ``scoring`` and the sets of names that it takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pellucid.models.problem import Problem
from pellucid.search.metrics import metrics_of, score

_NAMES = {
    task: frozenset(n for n, m in metrics_of(Problem(task)).items() if not m.scaled)
    for task in ("regression", "binary")
}  # fmt: skip


class Metric:
    """Sets of metric names."""

    SCALAR_REGRESSION_SET = SCALAR_FULL_REGRESSION_SET = _NAMES["regression"]
    SCALAR_CLASSIFICATION_SET = _NAMES["binary"]


class constants:  # the old module
    """The old module of constants, as far as there is something to name."""

    Metric = Metric


class scoring:
    """The old module of scores."""

    @staticmethod
    def score_regression(
        y_test: Any, y_pred: Any, metrics: Iterable[str] = Metric.SCALAR_REGRESSION_SET,
        **others: Any,
    ) -> dict[str, float]:  # fmt: skip
        """Scores of values; metrics that are not known here are left out.

        Examples
        --------
        >>> scoring.score_regression([1.0, 2.0], [1.0, 4.0], ["mean_absolute_error"])
        {'mean_absolute_error': 1.0}
        """
        truth = np.asarray(y_test, dtype=np.float64).ravel()
        said = np.asarray(y_pred, dtype=np.float64).reshape(-1, 1)
        found = score(truth, said, Problem("regression"))
        wanted = set(metrics)
        return {name: value for name, value in found.items() if name in wanted}

    score_forecasting = score_regression

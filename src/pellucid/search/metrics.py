"""Metrics by their standard names: what each is, for which task, and which way is better."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.problem import Problem


class MetricError(PellucidError):
    """A metric name is unknown or does not fit the task."""


@dataclass(frozen=True)
class Metric:
    """A score of predictions.

    ``compute(y, response)`` takes class codes and probabilities (n_rows, n_classes), or values
    and predicted values (n_rows,).
    """

    name: str
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray], float]

    def loss(self, value: float) -> float:
        """The value turned so that lower is better; NaN is worst."""
        if np.isnan(value):
            return float("inf")
        return -value if self.higher_is_better else value


# -- classification: y (n_rows,) codes, p (n_rows, n_classes) -----------------------------------
def _log_loss(y: np.ndarray, p: np.ndarray) -> float:
    return float(-np.log(np.clip(p[np.arange(len(y)), y], 1e-15, 1.0)).mean())


def _accuracy(y: np.ndarray, p: np.ndarray) -> float:
    return float((p.argmax(axis=1) == y).mean())


def _ranking(name: str, average: str) -> Callable[[np.ndarray, np.ndarray], float]:
    """AUC or average precision over the one-vs-rest problems whose class is present."""

    def compute(y: np.ndarray, p: np.ndarray) -> float:
        import sklearn.metrics

        present = np.unique(y)
        if len(present) < 2:
            return float("nan")
        score = getattr(sklearn.metrics, name)
        if p.shape[1] == 2:  # both one-vs-rest AUCs are equal
            if name == "roc_auc_score":
                return float(score(y, p[:, 1]))
            present = np.array([0, 1])
        onehot = y[:, None] == present
        return float(score(onehot, p[:, present], average=average))

    return compute


def _labels(name: str, average: str) -> Callable[[np.ndarray, np.ndarray], float]:
    """Precision, recall or F1 of the predicted labels."""

    def compute(y: np.ndarray, p: np.ndarray) -> float:
        import sklearn.metrics

        score = getattr(sklearn.metrics, name)
        return float(score(y, p.argmax(axis=1), average=average, zero_division=0))

    return compute


def _balanced_accuracy(y: np.ndarray, p: np.ndarray) -> float:
    hit = p.argmax(axis=1) == y
    return float(np.mean([hit[y == k].mean() for k in np.unique(y)]))


def _norm_macro_recall(y: np.ndarray, p: np.ndarray) -> float:
    chance = 1.0 / p.shape[1]
    return (_balanced_accuracy(y, p) - chance) / (1.0 - chance)


def _matthews(y: np.ndarray, p: np.ndarray) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(y, p.argmax(axis=1)))


def _brier(y: np.ndarray, p: np.ndarray) -> float:
    onehot = y[:, None] == np.arange(p.shape[1])
    return float(((p - onehot) ** 2).sum(axis=1).mean())


# -- regression: y and v (n_rows,) ---------------------------------------------------------------
def _rmse(y: np.ndarray, v: np.ndarray) -> float:
    return float(np.sqrt(np.mean((v - y) ** 2)))


def _mae(y: np.ndarray, v: np.ndarray) -> float:
    return float(np.abs(v - y).mean())


def _r2(y: np.ndarray, v: np.ndarray) -> float:
    spread = float(((y - y.mean()) ** 2).sum())
    return float("nan") if spread == 0 else float(1.0 - ((v - y) ** 2).sum() / spread)


def _spearman(y: np.ndarray, v: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if np.ptp(y) == 0 or np.ptp(v) == 0:
        return float("nan")
    return float(spearmanr(y, v).statistic)


def _mape(y: np.ndarray, v: np.ndarray) -> float:
    nonzero = y != 0
    if not nonzero.any():
        return float("nan")
    return float(100.0 * np.abs((v - y)[nonzero] / y[nonzero]).mean())


def _normalized(compute: Callable[[np.ndarray, np.ndarray], float]) -> Callable[..., float]:
    """Divide an error by the range of the true values."""

    def normalized(y: np.ndarray, v: np.ndarray) -> float:
        spread = float(np.ptp(y))
        return float("nan") if spread == 0 else compute(y, v) / spread

    return normalized


def _table(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


CLASSIFICATION = _table(
    Metric("log_loss", False, _log_loss),
    Metric("AUC_weighted", True, _ranking("roc_auc_score", "weighted")),
    Metric("AUC_macro", True, _ranking("roc_auc_score", "macro")),
    Metric("accuracy", True, _accuracy),
    Metric("balanced_accuracy", True, _balanced_accuracy),
    Metric("norm_macro_recall", True, _norm_macro_recall),
    Metric(
        "average_precision_score_weighted", True, _ranking("average_precision_score", "weighted")
    ),
    Metric("precision_score_weighted", True, _labels("precision_score", "weighted")),
    Metric("precision_score_macro", True, _labels("precision_score", "macro")),
    Metric("recall_score_weighted", True, _labels("recall_score", "weighted")),
    Metric("recall_score_macro", True, _labels("recall_score", "macro")),
    Metric("f1_score_weighted", True, _labels("f1_score", "weighted")),
    Metric("f1_score_macro", True, _labels("f1_score", "macro")),
    Metric("f1_score_micro", True, _labels("f1_score", "micro")),
    Metric("matthews_correlation", True, _matthews),
    Metric("brier_score", False, _brier),
)

REGRESSION = _table(
    Metric("normalized_root_mean_squared_error", False, _normalized(_rmse)),
    Metric("root_mean_squared_error", False, _rmse),
    Metric("r2_score", True, _r2),
    Metric("normalized_mean_absolute_error", False, _normalized(_mae)),
    Metric("mean_absolute_error", False, _mae),
    Metric("spearman_correlation", True, _spearman),
    Metric("mean_absolute_percentage_error", False, _mape),
)

DEFAULT_METRIC = {
    "binary": "AUC_weighted",
    "multiclass": "log_loss",
    "regression": "normalized_root_mean_squared_error",
}


def metrics_of(problem: Problem) -> dict[str, Metric]:
    """All metrics of a task, by name."""
    return CLASSIFICATION if problem.is_classification else REGRESSION


def get_metric(name: str | None, problem: Problem) -> Metric:
    """The metric called ``name``, or the task's default.

    Examples
    --------
    >>> get_metric("AUC_weighted", Problem("binary", 2)).higher_is_better
    True
    """
    known = metrics_of(problem)
    if name is None:
        name = DEFAULT_METRIC[problem.task]
    if name not in known:
        raise MetricError(
            f"{name!r} is not a metric for {problem.task}; choose one of {', '.join(known)}"
        )
    return known[name]


def score(y: np.ndarray, margins: np.ndarray, problem: Problem) -> dict[str, float]:
    """Every metric of the task; a metric that is not defined on these rows is left out."""
    response = problem.response(margins)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns about classes that are absent
        values = {name: m.compute(y, response) for name, m in metrics_of(problem).items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}

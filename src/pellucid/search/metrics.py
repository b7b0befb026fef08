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

    ``compute(y, response, weight)`` takes class codes and probabilities (n_rows, n_classes), or
    values and predicted values (n_rows,), and weights (n_rows,) or None.

    scaled : whether values are divided by the scale of their series first, which only forecasts
        have.
    """

    name: str
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    scaled: bool = False

    def loss(self, value: float) -> float:
        """The value turned so that lower is better; NaN is worst."""
        if np.isnan(value):
            return float("inf")
        return -value if self.higher_is_better else value


Weight = np.ndarray | None


def _mean(values: np.ndarray, w: Weight) -> float:
    return float(values.mean() if w is None else np.average(values, weights=w))


# -- classification: y (n_rows,) codes, p (n_rows, n_classes) -----------------------------------
def _log_loss(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    return _mean(-np.log(np.clip(p[np.arange(len(y)), y], 1e-15, 1.0)), w)


def _accuracy(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    return _mean((p.argmax(axis=1) == y).astype(float), w)


def _ranking(name: str, average: str) -> Callable[[np.ndarray, np.ndarray, Weight], float]:
    """AUC or average precision over the one-vs-rest problems whose class is present."""

    def compute(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
        import sklearn.metrics

        present = np.unique(y)
        if len(present) < 2:
            return float("nan")
        score = getattr(sklearn.metrics, name)
        if p.shape[1] == 2:  # both one-vs-rest AUCs are equal
            if name == "roc_auc_score":
                return float(score(y, p[:, 1], sample_weight=w))
            present = np.array([0, 1])
        onehot = y[:, None] == present
        return float(score(onehot, p[:, present], average=average, sample_weight=w))

    return compute


def _labels(name: str, average: str) -> Callable[[np.ndarray, np.ndarray, Weight], float]:
    """Precision, recall or F1 of the predicted labels."""

    def compute(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
        import sklearn.metrics

        score = getattr(sklearn.metrics, name)
        predicted = p.argmax(axis=1)
        return float(score(y, predicted, average=average, zero_division=0, sample_weight=w))

    return compute


def _balanced_accuracy(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    hit = (p.argmax(axis=1) == y).astype(float)
    classes = np.unique(y)
    return float(np.mean([_mean(hit[y == k], None if w is None else w[y == k]) for k in classes]))


def _norm_macro_recall(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    chance = 1.0 / p.shape[1]
    return (_balanced_accuracy(y, p, w) - chance) / (1.0 - chance)


def _matthews(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(y, p.argmax(axis=1), sample_weight=w))


def _brier(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    onehot = y[:, None] == np.arange(p.shape[1])
    return _mean(((p - onehot) ** 2).sum(axis=1), w)


def _calibration_error(y: np.ndarray, p: np.ndarray, w: Weight) -> float:
    """Mean gap between confidence and accuracy, over 15 equal bins of confidence.

    Of the second of two classes, of the predicted class of more (Guo et al. 2017).
    """
    if p.shape[1] == 2:
        said, hit = p[:, 1], (y == 1).astype(float)
    else:
        said, hit = p.max(axis=1), (p.argmax(axis=1) == y).astype(float)
    share = np.full(len(y), 1.0 / len(y)) if w is None else w / w.sum()
    bins = np.minimum((said * 15).astype(int), 14)
    return float(np.abs(np.bincount(bins, share * (said - hit), 15)).sum())


# -- regression: y and v (n_rows,) ---------------------------------------------------------------
def _rmse(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    return float(np.sqrt(_mean((v - y) ** 2, w)))


def _mae(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    return _mean(np.abs(v - y), w)


def _r2(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    spread = _mean((y - _mean(y, w)) ** 2, w)
    return float("nan") if spread == 0 else float(1.0 - _mean((v - y) ** 2, w) / spread)


def _spearman(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    from scipy.stats import rankdata, spearmanr

    if np.ptp(y) == 0 or np.ptp(v) == 0:
        return float("nan")
    if w is None:
        return float(spearmanr(y, v).statistic)
    ranks = np.cov(rankdata(y), rankdata(v), aweights=w)
    return float(ranks[0, 1] / np.sqrt(ranks[0, 0] * ranks[1, 1]))


def _mape(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    nonzero = y != 0
    if not nonzero.any():
        return float("nan")
    share = np.abs((v - y)[nonzero] / y[nonzero])
    return 100.0 * _mean(share, None if w is None else w[nonzero])


def _median_error(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    from sklearn.metrics import median_absolute_error

    return float(median_absolute_error(y, v, sample_weight=w))


def _rmsle(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    if y.min() <= -1.0 or v.min() <= -1.0:
        return float("nan")
    return _rmse(np.log1p(y), np.log1p(v), w)


def _explained_variance(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
    error = y - v
    return _r2(y, v + _mean(error, w), w)


def _normalized(
    compute: Callable[[np.ndarray, np.ndarray, Weight], float],
) -> Callable[[np.ndarray, np.ndarray, Weight], float]:
    """Divide an error by the range of the true values."""

    def normalized(y: np.ndarray, v: np.ndarray, w: Weight) -> float:
        spread = float(np.ptp(y))
        return float("nan") if spread == 0 else compute(y, v, w) / spread

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
    Metric("expected_calibration_error", False, _calibration_error),
)

REGRESSION = _table(
    Metric("normalized_root_mean_squared_error", False, _normalized(_rmse)),
    Metric("root_mean_squared_error", False, _rmse),
    Metric("r2_score", True, _r2),
    Metric("normalized_mean_absolute_error", False, _normalized(_mae)),
    Metric("mean_absolute_error", False, _mae),
    Metric("spearman_correlation", True, _spearman),
    Metric("mean_absolute_percentage_error", False, _mape),
    Metric("median_absolute_error", False, _median_error),
    Metric("normalized_median_absolute_error", False, _normalized(_median_error)),
    Metric("root_mean_squared_log_error", False, _rmsle),
    Metric("explained_variance", True, _explained_variance),
    Metric("mean_absolute_scaled_error", False, _mae, scaled=True),
)

DEFAULT_METRIC = {
    "binary": "AUC_weighted",
    "multiclass": "log_loss",
    "regression": "normalized_root_mean_squared_error",
}


def metrics_of(problem: Problem) -> dict[str, Metric]:
    """All metrics of a task, by name."""
    return CLASSIFICATION if problem.is_classification else REGRESSION


def get_metric(name: str | None, problem: Problem, *, scaled: bool = False) -> Metric:
    """The metric called ``name``, or the task's default; scaled ones only where they are allowed.

    Examples
    --------
    >>> get_metric("AUC_weighted", Problem("binary", 2)).higher_is_better
    True
    """
    known = {key: each for key, each in metrics_of(problem).items() if scaled or not each.scaled}
    if name is None:
        name = DEFAULT_METRIC[problem.task]
    if name not in known:
        raise MetricError(
            f"{name!r} is not a metric for {problem.task}; choose one of {', '.join(known)}"
        )
    return known[name]


def loss(
    y: np.ndarray, margins: np.ndarray, problem: Problem, *, weight: np.ndarray | None = None
) -> float:
    """What the stack minimises: log loss, or the root mean squared error.

    Examples
    --------
    >>> round(loss(np.array([0, 1]), np.zeros((2, 1)), Problem("binary", 2)), 4)
    0.6931
    """
    compute = _log_loss if problem.is_classification else _rmse
    return compute(y, problem.response(margins), weight)


def score(
    y: np.ndarray,
    margins: np.ndarray,
    problem: Problem,
    *,
    weight: np.ndarray | None = None,
    scale: np.ndarray | None = None,
) -> dict[str, float]:
    """Every metric of the task; a metric that is not defined on these rows is left out.

    Parameters
    ----------
    y : (n_rows,) codes or values; margins : (n_rows, n_outputs); weight : (n_rows,), optional
    scale : (n_rows,), optional
        By which values are divided for metrics that are scaled.
    """
    response = problem.response(margins)

    def compute(metric: Metric) -> float:
        if not metric.scaled:
            return metric.compute(y, response, weight)
        return np.nan if scale is None else metric.compute(y / scale, response / scale, weight)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns about classes that are absent
        values = {name: compute(metric) for name, metric in metrics_of(problem).items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}

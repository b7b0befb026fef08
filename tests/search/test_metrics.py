"""Metrics equal scikit-learn's, and say which way is better."""

import numpy as np
import pytest
import sklearn.metrics as sk

from pellucid.models.problem import Problem
from pellucid.search.metrics import (
    CLASSIFICATION,
    REGRESSION,
    MetricError,
    get_metric,
    metrics_of,
    score,
)

RNG = np.random.default_rng(0)


def classes(n_classes):
    y = RNG.integers(0, n_classes, size=400)
    p = RNG.dirichlet(np.ones(n_classes), size=400)
    p[np.arange(400), y] += 0.3
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_classification_metrics_equal_scikit_learn(n_classes):
    y, p = classes(n_classes)
    predicted = p.argmax(axis=1)
    auc_of = p[:, 1] if n_classes == 2 else p
    expected = {
        "log_loss": sk.log_loss(y, p),
        "accuracy": sk.accuracy_score(y, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "AUC_weighted": sk.roc_auc_score(y, auc_of, average="weighted", multi_class="ovr"),
        "AUC_macro": sk.roc_auc_score(y, auc_of, average="macro", multi_class="ovr"),
        "f1_score_micro": sk.f1_score(y, predicted, average="micro"),
        "f1_score_weighted": sk.f1_score(y, predicted, average="weighted"),
        "matthews_correlation": sk.matthews_corrcoef(y, predicted),
    }
    for name, value in expected.items():
        assert CLASSIFICATION[name].compute(y, p, None) == pytest.approx(value), name


def test_regression_metrics_equal_scikit_learn():
    y = RNG.normal(size=300)
    v = y + RNG.normal(size=300)
    expected = {
        "r2_score": sk.r2_score(y, v),
        "mean_absolute_error": sk.mean_absolute_error(y, v),
        "root_mean_squared_error": sk.root_mean_squared_error(y, v),
        "normalized_root_mean_squared_error": sk.root_mean_squared_error(y, v) / np.ptp(y),
        "mean_absolute_percentage_error": 100 * sk.mean_absolute_percentage_error(y, v),
    }
    for name, value in expected.items():
        assert REGRESSION[name].compute(y, v, None) == pytest.approx(value), name


@pytest.mark.parametrize(
    ("problem", "y", "good", "bad"),
    [
        (Problem("binary", 2), np.array([0, 1] * 20), 4.0, -4.0),
        (Problem("regression"), np.arange(40.0), 1.0, -1.0),
    ],
)
def test_a_better_model_has_a_lower_loss_by_every_metric(problem, y, good, bad):
    signal = (y - y.mean())[:, None]
    shift = 0.0 if problem.is_classification else y.mean()
    scale = np.ones(len(y))
    best, worst = (
        score(y, factor * signal + shift, problem, scale=scale) for factor in (good, bad)
    )
    for name, metric in metrics_of(problem).items():
        assert metric.loss(best[name]) < metric.loss(worst[name]), name


def test_scaled_errors_are_of_forecasts_only():
    y, v, scale = np.array([1.0, 3.0]), np.array([[2.0], [5.0]]), np.array([2.0, 4.0])
    scores = score(y, v, Problem("regression"), scale=scale)
    assert scores["mean_absolute_scaled_error"] == 0.5
    assert "mean_absolute_scaled_error" not in score(y, v, Problem("regression"))
    with pytest.raises(MetricError, match="'mean_absolute_scaled_error' is not a metric"):
        get_metric("mean_absolute_scaled_error", Problem("regression"))


def test_an_unknown_metric_is_refused_with_those_known():
    with pytest.raises(MetricError, match=r"'AUC' is not a metric for binary; .*AUC_weighted"):
        get_metric("AUC", Problem("binary", 2))


def test_metrics_that_are_not_defined_are_left_out():
    scores = score(np.zeros(5, dtype=int), np.zeros((5, 1)), Problem("binary", 2))
    assert "AUC_weighted" not in scores
    assert all(np.isfinite(list(scores.values())))

"""Curves agree with scikit-learn's areas, and stand still where a class is absent."""

import json

import numpy as np
import pytest
from sklearn.metrics import auc, confusion_matrix, roc_auc_score

from pellucid.automl.curves import curves
from pellucid.models.problem import Problem

RNG = np.random.default_rng(0)


def test_binary_curves():
    y = RNG.integers(0, 2, 3000)
    margins = (y + RNG.normal(size=3000))[:, None]
    found = curves(y, margins, Problem("binary", 2), np.array(["no", "yes"]))
    (roc,) = found["roc"]
    assert roc["label"] == "yes"
    assert roc["auc"] == pytest.approx(roc_auc_score(y, margins[:, 0]))
    assert auc(roc["x"], roc["y"]) == pytest.approx(roc["auc"], abs=2e-3)  # thinned
    assert found["confusion"]["counts"] == confusion_matrix(y, margins[:, 0] > 0).tolist()
    assert sum(found["calibration"]["count"]) == 3000
    json.dumps(found)


def test_thresholds_count_what_each_would_predict():
    y = RNG.integers(0, 2, 500)
    margins = (y + RNG.normal(size=500))[:, None]
    margins[:20] = 0.0  # a probability of exactly 0.5 is not above it
    problem = Problem("binary", 2)
    found = curves(y, margins, problem, np.array(["no", "yes"]))
    p = problem.probabilities(margins)[:, 1]
    for step in range(101):
        asked = p > step / 100
        assert [found["thresholds"]["above"][k][step] for k in (0, 1)] == [
            int((asked & (y == k)).sum()) for k in (0, 1)
        ]
    assert found["thresholds"]["rows"] == np.bincount(y).tolist()
    assert [row[1] for row in found["confusion"]["counts"]] == [
        above[50] for above in found["thresholds"]["above"]
    ]


def test_a_class_that_is_absent_has_no_curve():
    y = RNG.integers(0, 2, 50)
    found = curves(y, RNG.normal(size=(50, 3)), Problem("multiclass", 3), np.array([5, 6, 7]))
    assert [curve["label"] for curve in found["roc"]] == ["5", "6"]
    json.dumps(found)


def test_regression_keeps_at_most_a_thousand_dots():
    y = RNG.normal(size=5000)
    found = curves(y, y[:, None], Problem("regression"), None)["predicted_true"]
    assert len(found["true"]) == len(found["predicted"]) == 1000

"""Curves that show how good a model is, thinned to what a picture needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.models.problem import Problem

_POINTS = 200  # of a curve
_DOTS = 1000  # of a scatter
_BINS = 10  # of the calibration
_STEPS = 100  # of the threshold, from 0 to 1


def curves(
    y: np.ndarray, margins: np.ndarray, problem: Problem, classes: np.ndarray | None
) -> dict[str, Any]:
    """ROC, precision-recall, calibration and confusion; true against predicted for regression.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class codes or values.
    margins : ndarray, (n_rows, n_outputs)
        Margins of rows that the model was not fitted on.

    Returns
    -------
    dict of plain values. One curve per class for multi-class problems; classes that are absent
    from ``y`` have none. Calibration speaks of the predicted class. For binary problems
    ``thresholds`` counts the rows of each class whose probability of the second one is above
    0, 0.01, ... 1: what would be predicted if that much were asked for.
    """
    if not problem.is_classification or classes is None:
        kept = _thin(len(y), _DOTS)
        return {
            "predicted_true": {
                "predicted": _round(problem.response(margins)[kept]),
                "true": _round(y[kept]),
            }
        }
    p = problem.probabilities(margins)
    shown = [1] if problem.task == "binary" else list(range(len(classes)))
    present = [k for k in shown if 0 < (y == k).sum() < len(y)]
    predicted = p.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(confusion, (y, predicted), 1)
    if problem.task == "binary":
        calibration = _calibration(y == 1, p[:, 1])
    else:
        calibration = _calibration(predicted == y, p.max(axis=1))
    return {
        "roc": [_roc(y == k, p[:, k], str(classes[k])) for k in present],
        "pr": [_precision_recall(y == k, p[:, k], str(classes[k])) for k in present],
        "calibration": calibration,
        "confusion": {"labels": [str(c) for c in classes], "counts": confusion.tolist()},
        **({"thresholds": _thresholds(y == 1, p[:, 1])} if problem.task == "binary" else {}),
    }


def _roc(hit: np.ndarray, score: np.ndarray, label: str) -> dict[str, Any]:
    from sklearn.metrics import auc, roc_curve

    false_positive, true_positive, _ = roc_curve(hit, score)
    area = auc(false_positive, true_positive)
    kept = _thin(len(false_positive), _POINTS)
    return {
        "label": label,
        "x": _round(false_positive[kept]),
        "y": _round(true_positive[kept]),
        "auc": float(area),
    }


def _precision_recall(hit: np.ndarray, score: np.ndarray, label: str) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(hit, score)
    kept = _thin(len(recall), _POINTS)
    return {
        "label": label,
        "x": _round(recall[kept]),
        "y": _round(precision[kept]),
        "auc": float(average_precision_score(hit, score)),
    }


def _calibration(hit: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    """Mean probability against the share of hits, in bins of equal width."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    count = np.bincount(bins, minlength=_BINS)
    some = count > 0
    total = np.maximum(count, 1)
    return {
        "predicted": _round((np.bincount(bins, probability, _BINS) / total)[some]),
        "observed": _round((np.bincount(bins, hit.astype(float), _BINS) / total)[some]),
        "count": count[some].tolist(),
    }


def _thresholds(hit: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    """How many rows of each class stand above each threshold."""
    steps = np.arange(_STEPS + 1) / _STEPS

    def above(scores: np.ndarray) -> list[int]:
        return [int(n) for n in len(scores) - np.searchsorted(np.sort(scores), steps, "right")]

    return {
        "rows": [int((~hit).sum()), int(hit.sum())],
        "above": [above(probability[~hit]), above(probability[hit])],
    }


def _thin(n: int, most: int) -> np.ndarray:
    """Positions of at most ``most`` points, evenly spread, both ends kept."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))


def _round(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]

"""What is to be predicted, as every family sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from pellucid.models.reduction import ALONE, Reduction

Task = Literal["binary", "multiclass", "regression"]
Link = Literal["identity", "log"]
_LARGEST_LOG = 700.0  # beyond it exp overflows


@dataclass(frozen=True)
class Problem:
    """The kind of target, and the link between margins and predictions.

    link : of regression; with "log" the margin is the logarithm of the predicted value, so that
        importances multiply: a value of 0.1 makes the prediction ``exp(0.1)`` times as large.

    Examples
    --------
    >>> Problem("regression", link="log").response(np.log([[2.0], [8.0]])).round(9).tolist()
    [2.0, 8.0]
    >>> Problem("binary", 2).n_outputs
    1
    >>> Problem("multiclass", 3).probabilities(np.zeros((1, 3))).round(2).tolist()
    [[0.33, 0.33, 0.33]]
    """

    task: Task
    n_classes: int = 0
    link: Link = "identity"

    @property
    def n_outputs(self) -> int:
        """Margins per row: one per class for multi-class problems, otherwise one."""
        return self.n_classes if self.task == "multiclass" else 1

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class."""
        return self.task != "regression"

    def probabilities(self, margins: np.ndarray) -> np.ndarray:
        """Class probabilities from margins: (n_rows, n_outputs) -> (n_rows, n_classes)."""
        if self.task == "binary":
            positive = sigmoid(margins[:, 0])
            return np.column_stack([1.0 - positive, positive])
        return softmax(margins)

    def response(self, margins: np.ndarray) -> np.ndarray:
        """What metrics read: probabilities for classes, (n_rows,) values for regression."""
        if self.is_classification:
            return self.probabilities(margins)
        if self.link == "log":
            return np.exp(np.minimum(margins[:, 0], _LARGEST_LOG))
        return margins[:, 0]


def sigmoid(margin: np.ndarray) -> np.ndarray:
    """Logistic function without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * margin))


def softmax(margins: np.ndarray) -> np.ndarray:
    """Row-wise softmax without overflow, (n_rows, n_classes)."""
    shifted = np.exp(margins - margins.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def prior_margins(
    y: np.ndarray,
    problem: Problem,
    weight: np.ndarray | None = None,
    *,
    together: Reduction = ALONE,
) -> np.ndarray:
    """The constant margin of least loss, (n_outputs,), for the rows of all processes together.

    Examples
    --------
    >>> prior_margins(np.array([0, 1, 1, 1]), Problem("binary", 2)).round(2).tolist()
    [0.85]
    >>> prior_margins(np.array([1.0, 2.0]), Problem("regression"), np.array([3.0, 1.0])).tolist()
    [1.25]
    """
    if problem.task == "regression":
        mean = average(y, weight, together)
        return np.array([np.log(mean) if problem.link == "log" else mean], dtype=np.float64)
    # half a row added to each class: a class may be missing from a fold
    share = None if weight is None else weight / average(weight, None, together)
    counts = np.bincount(y, share, minlength=problem.n_classes).astype(np.float64)
    log_frequency = np.log(together.add(counts) + 0.5)
    if problem.task == "binary":
        return np.array([log_frequency[1] - log_frequency[0]])
    centred: np.ndarray = log_frequency - log_frequency.mean()
    return centred


def average(
    values: np.ndarray, weight: np.ndarray | None = None, together: Reduction = ALONE
) -> float:
    """Mean of values (n_rows,) under weights, over the rows of all processes.

    Examples
    --------
    >>> average(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    1.25
    """
    own = [values.sum(), len(values)]
    if weight is not None:
        own = [(values * weight).sum(), weight.sum()]
    total = together.add(np.array(own, dtype=np.float64))
    return float(total[0] / total[1])

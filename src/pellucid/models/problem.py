"""What is to be predicted, as every family sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

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


def prior_margins(y: np.ndarray, problem: Problem, weight: np.ndarray | None = None) -> np.ndarray:
    """The constant margin of least loss, (n_outputs,).

    Examples
    --------
    >>> prior_margins(np.array([0, 1, 1, 1]), Problem("binary", 2)).round(2).tolist()
    [0.85]
    >>> prior_margins(np.array([1.0, 2.0]), Problem("regression"), np.array([3.0, 1.0])).tolist()
    [1.25]
    """
    if problem.task == "regression":
        mean = np.average(y, weights=weight)
        return np.array([np.log(mean) if problem.link == "log" else mean], dtype=np.float64)
    # half a row added to each class: a class may be missing from a fold
    share = None if weight is None else weight / weight.mean()
    log_frequency = np.log(np.bincount(y, share, minlength=problem.n_classes) + 0.5)
    if problem.task == "binary":
        return np.array([log_frequency[1] - log_frequency[0]])
    centred: np.ndarray = log_frequency - log_frequency.mean()
    return centred

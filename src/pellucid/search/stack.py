"""Weights of the ensemble: a non-negative linear model of the members' out-of-fold margins.

The loss is the task's own (log loss, squared error), the penalty pulls the weights towards
equal shares, and intercepts are free, so the stack also calibrates. What comes out is a weighted
sum of margins and nothing else, which keeps the ensemble's Shapley values exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.models.problem import Problem, softmax

_WEAK = 0.02  # a member that moves the total margin by less than this share is dropped


@dataclass(frozen=True, eq=False)
class Stack:
    """weights : (n_members,), not negative; intercept : (n_outputs,)."""

    weights: np.ndarray
    intercept: np.ndarray

    def margins(self, members: Sequence[np.ndarray]) -> np.ndarray:
        """The weighted sum of members' margins, (n_rows, n_outputs)."""
        total = np.tile(self.intercept, (len(members[0]), 1))
        for weight, margins in zip(self.weights, members):
            total += weight * margins
        return total


def fit_stack(
    members: Sequence[np.ndarray], y: np.ndarray, problem: Problem, *, max_members: int = 8
) -> Stack:
    """Find the weights; weak members get zero.

    Parameters
    ----------
    members : sequence of ndarray, (n_rows, n_outputs)
        Out-of-fold margins.
    y : ndarray, (n_rows,)
        Class codes or values.
    max_members : int
        At most this many weights are not zero: each member costs time in every prediction.

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> good, bad = y[:, None] * 0.9, np.zeros((4, 1))
    >>> fit_stack([good, bad], y, Problem("regression")).weights.round(1).tolist()
    [1.1, 0.0]
    """
    margins = np.stack(members, axis=2)  # (n_rows, n_outputs, n_members)
    spread = margins.std(axis=0).mean(axis=0)  # (n_members,)
    kept = np.arange(len(members))
    while True:
        weights, intercept = _minimise(margins[:, :, kept], y, problem)
        share = weights * spread[kept]
        total = share.sum()
        strong = share >= _WEAK * total if total > 0 else np.ones(len(kept), dtype=bool)
        if strong.sum() > max_members:
            strong &= share >= np.sort(share)[-max_members]
        if strong.all() or not strong.any():
            break
        kept = kept[strong]
    full = np.zeros(len(members))
    full[kept] = weights
    return Stack(full, intercept)


def _minimise(
    margins: np.ndarray, y: np.ndarray, problem: Problem
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import minimize

    n_rows, n_outputs, n_members = margins.shape
    ridge = max(1e-3, 3.0 / n_rows)
    scale = 1.0
    if problem.task == "regression":
        scale = float(y.std()) or 1.0
        margins, y = margins / scale, y / scale

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        weights, intercept = theta[:n_members], theta[n_members:]
        loss, slope = _loss(margins @ weights + intercept, y, problem)  # slope (n_rows, n_outputs)
        away = weights - 1.0 / n_members
        gradient = np.concatenate(
            [np.einsum("rkm,rk->m", margins, slope) + 2 * ridge * away, slope.sum(axis=0)]
        )
        return loss + ridge * float(away @ away), gradient

    start = np.concatenate([np.full(n_members, 1.0 / n_members), np.zeros(n_outputs)])
    bounds = [(0.0, None)] * n_members + [(None, None)] * n_outputs
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:n_members], found[n_members:] * scale


def _loss(margins: np.ndarray, y: np.ndarray, problem: Problem) -> tuple[float, np.ndarray]:
    """Mean loss and its slope in each margin, (n_rows, n_outputs)."""
    n_rows = len(y)
    if problem.task == "regression":
        error = margins[:, 0] - y
        return float((error**2).mean()), (2.0 / n_rows * error)[:, None]
    if problem.task == "binary":
        signed = np.where(y == 1, margins[:, 0], -margins[:, 0])
        slope = problem.probabilities(margins)[:, 1] - y
        return float(np.logaddexp(0.0, -signed).mean()), (slope / n_rows)[:, None]
    p = softmax(margins)
    rows = np.arange(n_rows)
    loss = -np.log(np.clip(p[rows, y], 1e-300, 1.0)).mean()
    p[rows, y] -= 1.0
    return float(loss), p / n_rows

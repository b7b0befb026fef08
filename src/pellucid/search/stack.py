"""Weights of the ensemble: a non-negative linear model of the members' out-of-fold margins.

The loss is the task's own (log loss, squared error of the response), the penalty pulls the
weights towards equal shares, and intercepts are free, so the stack also calibrates. What comes out
is a weighted sum of margins and nothing else, which keeps the ensemble's Shapley values exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.models.problem import Problem, softmax

_WEAK = 0.02  # a member that moves the total margin by less than this share is dropped
_WORTH = 2e-4  # of the loss, that a member must gain to be worth its time in every prediction
_SPRING = 1e3  # of the loss for each unit that an average's weights miss a sum of one by, squared
_MOST_STEPS, _ENOUGH_GAIN = 30, 1e-9
_MOST_CELLS = 2e7  # rows x outputs x members up to which members are tried one by one


@dataclass(frozen=True, eq=False)
class Stack:
    """weights : (n_members,), not negative; intercept : (n_outputs,)."""

    weights: np.ndarray
    intercept: np.ndarray

    def margins(self, members: Sequence[np.ndarray]) -> np.ndarray:
        """The weighted sum of members' margins, (n_rows, n_outputs)."""
        total = np.tile(self.intercept, (len(members[0]), 1))
        for weight, margins in zip(self.weights, members):
            if weight > 0:
                total += weight * margins
        return total


def fit_stack(
    members: Sequence[np.ndarray],
    y: np.ndarray,
    problem: Problem,
    *,
    weight: np.ndarray | None = None,
    worth: Sequence[float] | None = None,
    max_members: int = 8,
    average: bool = False,
) -> Stack:
    """Find the weights; weak members get zero.

    Parameters
    ----------
    members : sequence of ndarray, (n_rows, n_outputs)
        Out-of-fold margins.
    y : ndarray, (n_rows,)
        Class codes or values.
    weight : ndarray, (n_rows,), optional
    worth : (n_members,), optional
        The share of the loss that each member must gain beside the others to be kept; more for
        one that is slow to explain.
    max_members : int
        At most this many weights are not zero: each member costs time in every prediction.
    average : bool
        Hold the weights to a sum of one, and the intercepts to zero: for members that were fitted
        on fewer rows than those that will take their places, whose level must not be corrected.

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> good, bad = y[:, None] * 0.9, np.zeros((4, 1))
    >>> fit_stack([good, bad], y, Problem("regression")).weights.round(1).tolist()
    [1.1, 0.0]
    """
    margins = np.stack(members, axis=2)  # (n_rows, n_outputs, n_members)
    share = np.full(len(y), 1.0 / len(y)) if weight is None else weight / weight.sum()
    spread = margins.std(axis=0).mean(axis=0)  # (n_members,)
    kept = np.arange(len(members))
    while True:
        found = _minimise(margins[:, :, kept], y, share, problem, average)
        moved = found.weights * spread[kept]
        total = moved.sum()
        strong = moved >= _WEAK * total if total > 0 else np.ones(len(kept), dtype=bool)
        if strong.sum() > max_members:
            strong &= moved >= np.sort(moved)[-max_members]
        if strong.all() or not strong.any():
            break
        kept = kept[strong]
    if margins.size * len(kept) / len(members) <= _MOST_CELLS:
        needed = np.full(len(members), _WORTH) if worth is None else np.asarray(worth)
        kept, found = _drop_unworthy(
            margins, y, share, problem, kept, found, spread, needed, average
        )
    full = np.zeros(len(members))
    full[kept] = found.weights
    if average:  # what is left of a sum that is held by a strong spring
        return Stack(full / full.sum(), np.zeros_like(found.intercept))
    return Stack(full, found.intercept)


@dataclass(frozen=True, eq=False)
class _Fit:
    weights: np.ndarray
    intercept: np.ndarray
    loss: float


def _drop_unworthy(
    margins: np.ndarray,
    y: np.ndarray,
    share: np.ndarray,
    problem: Problem,
    kept: np.ndarray,
    found: _Fit,
    spread: np.ndarray,
    worth: np.ndarray,
    average: bool,
) -> tuple[np.ndarray, _Fit]:
    """Leave out, from the weakest on, each member without which the loss hardly rises."""
    for member in kept[
        np.argsort(found.weights * spread[kept] / (worth[kept] + 1e-12), kind="stable")
    ]:
        if len(kept) == 1:
            break
        others = kept[kept != member]
        without = _minimise(margins[:, :, others], y, share, problem, average)
        if without.loss <= found.loss * (1.0 + worth[member]):
            kept, found = others, without
    return kept, found


def _minimise(
    margins: np.ndarray, y: np.ndarray, share: np.ndarray, problem: Problem, average: bool
) -> _Fit:
    """Newton's method, each step the non-negative least squares problem of the local quadratic.

    There are few weights and many rows, so a step costs one pass over the rows and a handful are
    enough. Behind a log link the curvature is that of Gauss and Newton.
    """
    _, n_outputs, n_members = margins.shape
    ridge = max(1e-3, 3.0 * float(share @ share))  # share @ share is 1 / n_rows without weights
    scale = float(y.std()) or 1.0 if problem.task == "regression" else 1.0
    centre = np.concatenate([np.full(n_members, 1.0 / n_members), np.zeros(n_outputs)])
    # intercepts are free; the sum of a softmax's is not known, so it is held by a thread
    pull = np.concatenate([np.full(n_members, 2.0 * ridge), np.full(n_outputs, 1e-9 / scale**2)])
    if average:
        unit = 1.0 if problem.link == "log" else scale
        pull[n_members:] = _SPRING / unit**2
    # the sum of the weights is one at the centre already
    spring = np.concatenate([np.ones(n_members), np.zeros(n_outputs)]) * average
    theta = centre.copy()

    def total(at: np.ndarray) -> np.ndarray:
        moved: np.ndarray = margins @ at[:n_members] + at[n_members:]
        return moved

    def objective(at: np.ndarray) -> float:
        off = at - centre
        held = 0.5 * float(pull @ off**2) + 0.5 * _SPRING * float(spring @ off) ** 2
        return _loss(total(at), y, share, problem, scale) + held

    best = objective(theta)
    for _ in range(_MOST_STEPS):
        gradient, curvature = _quadratic(margins, total(theta), y, share, problem, scale)
        off = theta - centre
        gradient = gradient + pull * off + _SPRING * (spring @ off) * spring
        curvature = curvature + np.diag(pull) + _SPRING * np.outer(spring, spring)
        step = _solve(curvature, gradient, theta, n_members) - theta
        size, found = 1.0, objective(theta + step)
        while found > best and size > 1e-4:
            size *= 0.5
            found = objective(theta + size * step)
        if found > best:
            break
        gain, best, theta = best - found, found, theta + size * step
        if gain <= _ENOUGH_GAIN * abs(best):
            break
    loss = _loss(total(theta), y, share, problem, scale)
    return _Fit(np.maximum(theta[:n_members], 0.0), theta[n_members:], loss)


def _solve(
    curvature: np.ndarray, gradient: np.ndarray, theta: np.ndarray, n_members: int
) -> np.ndarray:
    """Minimise the quadratic around ``theta``, with weights that are not negative."""
    from scipy.optimize import lsq_linear

    size = np.sqrt(np.diag(curvature))  # weights and intercepts on one scale
    scaled = curvature / np.outer(size, size)
    lower = np.linalg.cholesky(scaled + 1e-10 * np.eye(len(size)))
    goal = lower.T @ (theta * size) - np.linalg.solve(lower, gradient / size)
    least = np.full(len(theta), -np.inf)
    least[:n_members] = 0.0
    found: np.ndarray = lsq_linear(lower.T, goal, bounds=(least, np.inf), method="bvls").x
    return found / size


def _loss(
    margins: np.ndarray, y: np.ndarray, share: np.ndarray, problem: Problem, scale: float
) -> float:
    """Mean loss of total margins (n_rows, n_outputs)."""
    if problem.task == "regression":
        return float(share @ ((problem.response(margins) - y) / scale) ** 2)
    if problem.task == "binary":
        signed = np.where(y == 1, margins[:, 0], -margins[:, 0])
        return float(share @ np.logaddexp(0.0, -signed))
    top = margins.max(axis=1)
    log_sum = top + np.log(np.exp(margins - top[:, None]).sum(axis=1))
    return float(share @ (log_sum - margins[np.arange(len(y)), y]))


def _quadratic(
    members: np.ndarray,
    margins: np.ndarray,
    y: np.ndarray,
    share: np.ndarray,
    problem: Problem,
    scale: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Slope (n_members + n_outputs,) and curvature of the mean loss in weights and intercepts."""
    n_rows, n_outputs, n_members = members.shape
    if n_outputs == 1:
        design = np.concatenate([members[:, 0], np.ones((n_rows, 1))], axis=1)
        if problem.task == "binary":
            p = problem.probabilities(margins)[:, 1]
            slope, bend = p - y, p * (1.0 - p)
        else:
            value = problem.response(margins)
            inner = value / scale if problem.link == "log" else np.full(n_rows, 1.0 / scale)
            slope, bend = 2.0 * (value - y) / scale * inner, 2.0 * inner**2
        return design.T @ (share * slope), (design * (share * bend)[:, None]).T @ design
    p = softmax(margins)
    slope = p.copy()
    slope[np.arange(n_rows), y] -= 1.0
    slope *= share[:, None]
    gradient = np.concatenate([np.einsum("rkm,rk->m", members, slope), slope.sum(axis=0)])
    weighted = p * share[:, None]
    mean = np.einsum("rkm,rk->rm", members, p)  # (n_rows, n_members)
    curvature = np.empty((n_members + n_outputs,) * 2)
    flat = members.reshape(-1, n_members)
    curvature[:n_members, :n_members] = (flat * weighted.reshape(-1, 1)).T @ flat - (
        mean * share[:, None]
    ).T @ mean
    cross = np.einsum("rkm,rk->km", members, weighted) - weighted.T @ mean
    curvature[n_members:, :n_members], curvature[:n_members, n_members:] = cross, cross.T
    curvature[n_members:, n_members:] = np.diag(weighted.sum(axis=0)) - weighted.T @ p
    return gradient, curvature

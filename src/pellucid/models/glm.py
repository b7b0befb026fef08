"""Generalised linear models, penalised by their squared coefficients, against a clock.

Classes and values behind a log link are fitted by L-BFGS (Liu and Nocedal 1989), which may end
after any step; squared errors by their normal equations, summed up part by part. Both take the rows
only as sums, so processes that hold shares of them find the solution of all rows together.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pellucid.models.problem import Problem, average, sigmoid
from pellucid.models.reduction import ALONE, Reduction

MOST_STEPS = 300
_GRADIENT, _GAIN = 1e-4, 64 * float(np.finfo(float).eps)  # of the mean loss, that end the descent
_SEARCHES = 50  # evaluations in one line search
_LARGEST = 50.0  # margin behind a log link, of targets with a mean of one
_PARTS = 20  # of the normal equations
_LOOK = -1.0  # stands for the steps of a solution that is still looked for
_WORK = 2e9  # multiplications below which they are summed up at once


class Passes(Protocol):
    """Rows that are read again for every pass over them."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Which rows, and their columns as float64, piece by piece."""
        ...


def _pieces(X: np.ndarray | Passes, n: int = 1) -> Iterable[tuple[slice, np.ndarray]]:
    """The rows piece by piece; those in memory as ``n`` that are alike."""
    if isinstance(X, np.ndarray):
        return ((slice(k, None, n), X[k::n]) for k in range(n))
    return X


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found, in the unit of the columns.

    coef : (n_outputs, n_columns); intercept : (n_outputs,)
    steps : as many allow the same again: `MOST_STEPS` of a fit that came to its end, else those
        that there was time for.
    """

    coef: np.ndarray
    intercept: np.ndarray
    steps: int


def fit_likelihood(
    X: np.ndarray | Passes,
    goal: np.ndarray,
    weight: np.ndarray,
    problem: Problem,
    *,
    strength: float,
    start: np.ndarray,
    most_steps: int | None = None,
    deadline: float | None = None,
    together: Reduction = ALONE,
) -> Solution:
    """Minimise ``strength * sum(weight * loss) + sum(coef ** 2) / 2``.

    Parameters
    ----------
    X : float64 (n_rows, n_columns), or passes over them
    goal : float64 (n_rows, n_outputs)
        Marks of the classes (of the second of two), or values of mean one behind a log link.
    start : float64 (n_outputs,); the constant margin of least loss.
    most_steps : int, optional
        End after so many steps.
    deadline : float, optional
        `time.monotonic` value after which no step but the first begins.
    together : Reduction
        Of the processes whose rows the sums are over; the first one decides about each step.

    Examples
    --------
    >>> X, marks = np.array([[-1.0], [0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> found = fit_likelihood(
    ...     X, marks, np.ones(4), Problem("binary", 2), strength=1.0, start=np.zeros(1)
    ... )
    >>> found.coef.round(2).tolist(), found.steps
    ([[0.45]], 300)
    """
    from scipy.optimize import minimize

    most = min(MOST_STEPS, most_steps or MOST_STEPS)
    total = float(together.add(np.array([weight.sum()]))[0])
    pull = 0.0 if together.rank else 1.0 / (strength * total)  # the penalty counts once
    own = _Objective(X, goal, weight / total, pull, problem)
    n_coef = len(start) * (X.shape[1] + 1)
    if together.rank:
        return _follow(own, together, len(start), n_coef)
    objective = _Leading(own, together)
    descent = _Descent(deadline)
    begin = np.zeros((len(start), X.shape[1] + 1))
    begin[:, -1] = start
    options = {"maxiter": most, "maxls": _SEARCHES, "gtol": _GRADIENT, "ftol": _GAIN}
    try:
        ended = minimize(
            objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options, callback=descent
        )
        found, steps = ended.x, most if ended.nit >= most else MOST_STEPS
    except _OutOfTime:
        found, steps = descent.at, descent.steps
    together.told(np.append(found, steps))
    return _solution(found, len(start), steps)


def _solution(flat: np.ndarray, n_outputs: int, steps: int) -> Solution:
    by_output = flat.reshape(n_outputs, -1)
    return Solution(by_output[:, :-1].copy(), by_output[:, -1].copy(), steps)


@dataclass(frozen=True, eq=False)
class _Leading:
    """The objective of all processes, for the one that decides where to look."""

    own: _Objective
    together: Reduction

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        self.together.told(np.append(flat, _LOOK))
        loss, slope = self.own(flat)
        total = self.together.add(np.append(slope, loss))
        return float(total[-1]), total[:-1]


def _follow(objective: _Objective, together: Reduction, n_outputs: int, n_coef: int) -> Solution:
    """Add this process's rows wherever the first one looks, until it has found the solution."""
    while True:
        told = together.told(np.zeros(n_coef + 1))
        if told[-1] != _LOOK:
            return _solution(told[:-1], n_outputs, int(told[-1]))
        loss, slope = objective(told[:-1])
        together.add(np.append(slope, loss))


@dataclass(frozen=True, eq=False)
class _Objective:
    """Mean loss and penalty of flat coefficients, each output's with its intercept last."""

    X: np.ndarray | Passes
    goal: np.ndarray
    share: np.ndarray
    pull: float
    problem: Problem

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        by_output = flat.reshape(self.goal.shape[1], -1)
        coef = by_output[:, :-1]
        total = 0.5 * self.pull * float((coef**2).sum())
        gradient = np.zeros_like(by_output)
        gradient[:, :-1] = self.pull * coef
        for rows, X in _pieces(self.X):
            share = self.share[rows]
            loss, slope = self._loss(X @ coef.T + by_output[:, -1], self.goal[rows])
            slope *= share[:, None]
            gradient[:, :-1] += slope.T @ X
            gradient[:, -1] += slope.sum(axis=0)
            total += float(share @ loss)
        return total, gradient.ravel()

    def _loss(self, margins: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Loss of each row (n_rows,), and its slope in the margins (n_rows, n_outputs)."""
        if self.problem.task == "multiclass":
            shifted = margins - margins.max(axis=1, keepdims=True)
            total = np.log(np.exp(shifted).sum(axis=1))
            loss = total - (goal * shifted).sum(axis=1)
            return loss, np.exp(shifted - total[:, None]) - goal
        if self.problem.task == "binary":
            loss = np.logaddexp(0.0, margins) - goal * margins
            return loss[:, 0], sigmoid(margins) - goal
        mean = np.exp(np.minimum(margins, _LARGEST))
        return (mean - goal * margins)[:, 0], mean - goal


class _OutOfTime(Exception):
    """The deadline passed."""


class _Descent:
    """Called after each step of a descent; ends it at the deadline."""

    def __init__(self, deadline: float | None) -> None:
        self.deadline, self.steps = deadline, 0
        self.at = np.zeros(0)

    def __call__(self, at: np.ndarray) -> None:
        self.steps += 1
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.at = at.copy()
            raise _OutOfTime


def fit_squares(
    X: np.ndarray | Passes,
    y: np.ndarray,
    weight: np.ndarray,
    *,
    strength: float,
    most_steps: int | None = None,
    deadline: float | None = None,
    together: Reduction = ALONE,
) -> Solution:
    """Minimise ``strength * sum(weight * error ** 2) + sum(coef ** 2)``.

    Large normal equations are summed up over every twentieth row at a time, until the deadline.

    Parameters
    ----------
    X : float64 (n_rows, n_columns), or one pass over them; centred under the weights.
    y : float64 (n_rows,)

    Examples
    --------
    >>> found = fit_squares(
    ...     np.array([[-1.0], [1.0]]), np.array([1.0, 5.0]), np.ones(2), strength=1e6
    ... )
    >>> found.coef.round(3).tolist(), found.intercept.tolist()
    ([[2.0]], [3.0])
    """
    n_rows, n_columns = X.shape
    in_memory = isinstance(X, np.ndarray)
    n_parts = _PARTS if in_memory and n_rows * n_columns**2 > _WORK else 1
    wanted = min(n_parts, most_steps or n_parts)
    mean = average(y, weight, together)
    root = np.sqrt(weight)
    # the penalty counts once
    gram = np.diag(np.full(n_columns, 0.0 if together.rank else 1.0 / strength))
    pull = np.zeros(n_columns)
    steps = 0
    for rows, piece in _pieces(X, n_parts):
        late = deadline is not None and time.monotonic() > deadline
        if in_memory and (steps == wanted or (steps > 0 and late)):
            break
        weighed = piece * root[rows, None]
        gram += weighed.T @ weighed
        pull += weighed.T @ (root[rows] * (y[rows] - mean))
        steps += 1
    coef = np.linalg.solve(together.add(gram), together.add(pull))
    return Solution(coef[None, :], np.array([mean]), steps if steps < n_parts else MOST_STEPS)

"""Additive models whose smoothness is found from the data.

The margin is linear in columns and in hat functions between the knots of curves. A curve is
penalised by the squared steps between neighbouring knots (P-splines: Eilers and Marx 1996), all
linear columns together by their squared coefficients, and words together by theirs. Each penalty
has a weight of its own, which generalised Fellner-Schall updates bring, together with the
coefficients, to that of restricted maximum likelihood (Wood and Fasiolo 2017, Biometrics 73): a
column that says nothing ends as a level line.

Newton's steps take exact slopes from all rows, and curvature from a sample of them where it
changes from step to step and the work would be large. Classes move at the same time, each by its
own curvature; doubled, since twice the diagonal blocks bound the softmax's curvature (in its rows
the rest sums to the diagonal). Behind a log link the loss is Poisson's, with free noise.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from pellucid.models.design import Design
from pellucid.models.problem import Problem

_MOST_STEPS, _FEWEST_STEPS = 12, 3
_STILL = 0.01  # root mean square change of the margins, in the unit of learning, that ends the fit
_LONGEST_STEP = 5.0  # of any row's margin: separable classes would send it to infinity
_WORK = 1e9  # multiplications for the curvature in one step, where rows can be spared
_ROWS_A_COEFFICIENT = 30  # fewer bend too unlike all rows: steps would overshoot
_CELLS = 2e7  # of the dense design at a time
_START, _LEAST, _LARGEST = 10.0, 1e-4, 1e7  # weights of penalties
_LEVEL = 1e-3  # weight that holds what no penalty sees: a curve's level


@dataclass(frozen=True, eq=False)
class Fitted:
    """coef : (n_outputs, n_coefficients) of the centred design; intercept : (n_outputs,)."""

    coef: np.ndarray
    intercept: np.ndarray
    n_steps: int


def fit_additive(
    design: Design,
    goal: np.ndarray,
    problem: Problem,
    *,
    start: np.ndarray,
    seed: int,
    n_steps: int | None = None,
    deadline: float | None = None,
) -> Fitted:
    """Find coefficients and the weights of their penalties.

    Parameters
    ----------
    goal : float64 (n_rows, n_outputs)
        Marks of the classes (of the second of two); or values, centred and of unit spread, behind
        a log link of unit mean.
    start : float64 (n_outputs,)
        The constant margin of least loss.
    n_steps : int, optional
        Take exactly so many steps, instead of stopping where margins stand still.
    deadline : float, optional
        `time.monotonic` value after which no step but the first begins.
    """
    n_rows, n_outputs = goal.shape
    n_coef = design.blocks[-1].stop
    bends = problem.is_classification or problem.link == "log"
    sample = _sample(n_rows, n_coef, n_outputs, seed) if bends else np.zeros(0, np.int64)
    dense = design.dense(sample)
    share = design.weight[sample] * (n_rows / max(1, len(sample)))
    fixed = None if bends else _curvature_of_squares(design)
    coef, intercept = np.zeros((n_outputs, n_coef)), start.copy()
    strength = np.full((n_outputs, len(design.penalties)), _START)
    margins = np.tile(start, (n_rows, 1))
    taken = 0
    while taken < (n_steps or _MOST_STEPS):
        if taken > 0 and deadline is not None and time.monotonic() > deadline:
            break
        mean = _means(margins, problem)
        moved = np.zeros_like(margins)
        for k in range(n_outputs):
            slope = (goal[:, k] - mean[:, k]) * design.weight
            curvature = fixed or _Curvature.of(dense, share * _bend(mean[sample, k], problem))
            found = _newton_step(design, curvature, slope, coef[k], strength[k])
            change = design.times(found.coef) + found.intercept
            shrink = min(1.0, _LONGEST_STEP / max(float(np.abs(change).max()), 1e-12))
            coef[k] += shrink * found.coef
            intercept[k] += shrink * found.intercept
            moved[:, k] = shrink * change
            noise = 1.0
            if not problem.is_classification:
                error = goal[:, k] - _means(margins + moved, problem)[:, k]
                squares = design.weight @ (error**2 / _bend(mean[:, k], problem))
                noise = squares / max(1.0, n_rows - _degrees(design, found.inverse, strength[k]))
            strength[k] = _fellner_schall(design, found.inverse, coef[k], strength[k], noise)
        margins += moved
        taken += 1
        still = float(np.sqrt((moved**2).mean())) < _STILL
        if n_steps is None and still and taken >= _FEWEST_STEPS:
            break
    return Fitted(coef, intercept, taken)


def _sample(n_rows: int, n_coef: int, n_outputs: int, seed: int) -> np.ndarray:
    """Rows for the curvature: all, or a seeded sample that is large enough to steer by."""
    affordable = min(_WORK / (n_outputs * n_coef**2), _CELLS / n_coef)
    enough = _ROWS_A_COEFFICIENT * n_coef / (1 if n_outputs == 1 else 2)  # doubled: half is enough
    size = int(max(affordable, enough))
    if size >= n_rows:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:size])


def _means(margins: np.ndarray, problem: Problem) -> np.ndarray:
    """Expected goal, (n_rows, n_outputs)."""
    if problem.is_classification:
        probabilities = problem.probabilities(margins)
        return probabilities[:, 1:] if problem.task == "binary" else probabilities
    return problem.response(margins)[:, None]


def _bend(mean: np.ndarray, problem: Problem) -> np.ndarray:
    """Second derivative of a row's loss in the margin; doubled for many classes."""
    if problem.is_classification:
        factor = 1.0 if problem.task == "binary" else 2.0
        return factor * np.maximum(mean * (1.0 - mean), 1e-9)
    return np.maximum(mean, 1e-9) if problem.link == "log" else np.ones_like(mean)


@dataclass(frozen=True, eq=False)
class _Curvature:
    """Second derivatives of the loss: coefficients twice, with the intercept, intercept twice."""

    matrix: np.ndarray
    across: np.ndarray
    total: float

    @classmethod
    def of(cls, dense: np.ndarray, bend: np.ndarray) -> _Curvature:
        """Sum over the rows of a dense design, each bent by ``bend`` (n_rows,)."""
        bent = dense * bend[:, None]
        return cls(dense.T @ bent, bent.sum(axis=0), float(bend.sum()))


def _curvature_of_squares(design: Design) -> _Curvature:
    """The curvature of squared errors over all rows, the same in every step."""
    n_rows, n_coef = len(design.weight), design.blocks[-1].stop
    size = max(1, int(_CELLS / max(1, n_coef)))
    total = _Curvature(np.zeros((n_coef, n_coef)), np.zeros(n_coef), 0.0)
    for start in range(0, n_rows, size):
        rows = np.arange(start, min(start + size, n_rows))
        part = _Curvature.of(design.dense(rows), design.weight[rows])
        total = _Curvature(
            total.matrix + part.matrix, total.across + part.across, total.total + part.total
        )
    return total


@dataclass(frozen=True, eq=False)
class _Step:
    coef: np.ndarray
    intercept: float
    inverse: np.ndarray
    """Of the penalised curvature, (n_coefficients, n_coefficients)."""


def _newton_step(
    design: Design,
    curvature: _Curvature,
    slope: np.ndarray,
    coef: np.ndarray,
    strength: np.ndarray,
) -> _Step:
    """Solve for coefficients and intercept together; the intercept is eliminated first."""
    across, total = curvature.across, curvature.total
    matrix = curvature.matrix - np.outer(across, across) / total
    matrix[np.diag_indices_from(matrix)] += _LEVEL
    pull = design.transposed_times(slope) - _LEVEL * coef
    for weight, (block, form, _) in zip(strength, design.penalties):
        matrix[block, block] += weight * form
        pull[block] -= weight * (form @ coef[block])
    inverse = np.linalg.inv(matrix)
    step = inverse @ (pull - across * (slope.sum() / total))
    return _Step(step, float((slope.sum() - across @ step) / total), inverse)


def _fellner_schall(
    design: Design, inverse: np.ndarray, coef: np.ndarray, strength: np.ndarray, noise: float
) -> np.ndarray:
    """The next weight of each penalty: what the fit leaves open, over what its form shows.

    ``noise`` is the variance of the goal around the fit, one for classes.
    """
    new = []
    for weight, (block, form, rank) in zip(strength, design.penalties):
        left_open = rank / weight - np.sum(inverse[block, block] * form)
        shown = float(coef[block] @ form @ coef[block])
        new.append(noise * weight * max(left_open, 1e-12) / max(shown, 1e-12))
    return np.clip(new, _LEAST, _LARGEST)


def _degrees(design: Design, inverse: np.ndarray, strength: np.ndarray) -> float:
    """Effective degrees of freedom, the intercept included."""
    held = _LEVEL * np.trace(inverse)
    for weight, (block, form, _) in zip(strength, design.penalties):
        held += weight * np.sum(inverse[block, block] * form)
    return float(1.0 + len(inverse) - held)

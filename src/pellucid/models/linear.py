"""Regularised linear models: ridge for values, logistic regression for classes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from pellucid import shapley
from pellucid.arrays import read_arrays
from pellucid.models.family import Config, Rows
from pellucid.models.glm import MOST_STEPS, Passes, Solution, fit_likelihood, fit_squares
from pellucid.models.prepared import Prepared
from pellucid.models.problem import Problem, average, prior_margins
from pellucid.models.reduction import ALONE, Reduction
from pellucid.models.scaling import Scaling
from pellucid.models.stored import StoredRows

if TYPE_CHECKING:
    from pellucid.models.shared import Peers

_CHUNK = 4096  # rows multiplied at a time, to bound memory
_RARE_MARGIN = -12.0  # log-odds of a class that the training rows do not show


@dataclass(frozen=True, eq=False)
class LinearMember:
    """A margin that is linear in clipped, mean-filled engineered features.

    coef : (n_outputs, n_engineered); intercept : (n_outputs,)
    fill, low, high : (n_engineered,); what replaces NaN, and the range seen in training, beyond
    which a linear extrapolation would be a guess.
    """

    coef: np.ndarray
    intercept: np.ndarray
    fill: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rounds: int = 0
    family: str = "linear"

    def _prepare(self, X: np.ndarray) -> np.ndarray:
        filled = np.where(np.isnan(X), self.fill, X.astype(np.float64))
        # in C order whatever the order of X: the same sums for a row and for a batch
        return np.ascontiguousarray(np.clip(filled, self.low, self.high))

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs); each row is summed alone, so batches agree."""
        out = np.empty((len(X), len(self.coef)))
        for start in range(0, len(X), _CHUNK):
            rows = self._prepare(X[start : start + _CHUNK])
            for k, coef in enumerate(self.coef):
                out[start : start + _CHUNK, k] = (rows * coef).sum(axis=1) + self.intercept[k]
        return out

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Any:
        """Closed form: each column adds ``coef * (x - mean over the background)``."""
        tables = shapley.linear(
            self.coef, self.intercept, background=self._prepare(background), players=players
        )
        return Prepared(tables, self._prepare, self.family)

    def to_files(self) -> dict[str, bytes]:
        """One npz file of arrays."""
        buffer = io.BytesIO()
        np.savez(
            buffer, coef=self.coef, intercept=self.intercept, fill=self.fill, low=self.low,
            high=self.high,
        )  # fmt: skip
        facts = json.dumps({"rounds": self.rounds, "family": self.family})
        return {"linear.npz": buffer.getvalue(), "linear.json": facts.encode()}


def read_linear(files: Mapping[str, bytes]) -> LinearMember:
    """Rebuild a linear member from its files."""
    facts = json.loads(files["linear.json"])
    arrays = read_arrays(files["linear.npz"])
    return LinearMember(
        **{name: arrays[name] for name in ("coef", "intercept", "fill", "low", "high")},
        rounds=int(facts["rounds"]),
        family=str(facts["family"]),
    )


class LinearFamily:
    """Ridge, logistic or Poisson regression on standardised features.

    Config: ``strength``, scikit-learn's ``C`` (``1 / alpha`` for ridge); larger is freer.
    """

    name = "linear"

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> LinearMember:
        """Standardise, solve, and fold the scale back into the coefficients.

        ``rounds`` are steps of the solver, `pellucid.models.glm.MOST_STEPS` of a fit to the end.
        """
        weight = _weight(train)
        scaling = Scaling.of(train.X, weight, words=train.words)
        X = scaling.apply(train.X)
        return _fit(X, train.y, weight, scaling, problem, config, rounds, deadline)

    def fit_stored(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        deadline: float | None = None,
    ) -> LinearMember:
        """As `fit`, with a pass over the rows for each step; sums differ by rounding."""
        return _fit_stored(train, problem, config, rounds, deadline)

    def fit_shared(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        peers: Peers,
    ) -> LinearMember:
        """As `fit_stored` does of all shares: their sums differ from those of one by rounding."""
        with peers.reduction() as together:
            return _fit_stored(train, problem, config, rounds, None, together)

    def from_files(self, files: Mapping[str, bytes]) -> LinearMember:
        """Rebuild a member from its files."""
        return read_linear(files)


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Passes over rows on disk, in the common form."""

    rows: StoredRows
    scaling: Scaling

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.matrix.shape

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray]]:
        return ((rows, self.scaling.apply(X)) for rows, X in self.rows.chunks())


class _How(TypedDict):
    strength: float
    most_steps: int | None
    deadline: float | None
    together: Reduction


def _weight(train: Rows | StoredRows, together: Reduction = ALONE) -> np.ndarray:
    """Weights of mean one over all processes, (n_rows,)."""
    weight = np.ones(len(train.y)) if train.weight is None else train.weight
    return weight / average(weight, None, together)


def _fit_stored(
    train: StoredRows,
    problem: Problem,
    config: Config,
    rounds: int,
    deadline: float | None,
    together: Reduction = ALONE,
) -> LinearMember:
    """Solve by passes over rows on disk, those of other processes included."""
    weight = _weight(train, together)
    scaling = Scaling.of_stored(train, weight, together)
    X = _Scaled(train, scaling)
    return _fit(X, train.y, weight, scaling, problem, config, rounds, deadline, together)


def _fit(
    X: np.ndarray | Passes,
    y: np.ndarray,
    weight: np.ndarray,
    scaling: Scaling,
    problem: Problem,
    config: Config,
    rounds: int | None,
    deadline: float | None,
    together: Reduction = ALONE,
) -> LinearMember:
    """Solve for rows in the common form, and fold the scale back into the coefficients."""
    how: _How = {
        "strength": float(config["strength"]),
        "most_steps": rounds,
        "deadline": deadline,
        "together": together,
    }
    if problem.is_classification:
        found = _solve_classes(X, y, weight, problem, how)
    elif problem.link == "log":
        found = _solve_ratios(X, y, weight, problem, how)
    else:
        found = fit_squares(X, y, weight, **how)
    coef = found.coef / scaling.scale
    return LinearMember(
        coef=coef,
        intercept=found.intercept - coef @ scaling.fill,
        fill=scaling.fill,
        low=scaling.low,
        high=scaling.high,
        rounds=found.steps,
    )


def _solve_ratios(
    X: np.ndarray | Passes, y: np.ndarray, weight: np.ndarray, problem: Problem, how: _How
) -> Solution:
    """Poisson's likelihood of values in units of their mean."""
    mean = average(y, weight, how["together"])
    found = fit_likelihood(X, (y / mean)[:, None], weight, problem, start=np.zeros(1), **how)
    return replace(found, intercept=found.intercept + np.log(mean))


def _solve_classes(
    X: np.ndarray | Passes, y: np.ndarray, weight: np.ndarray, problem: Problem, how: _How
) -> Solution:
    """The likelihood of the classes that are present; a fold may lack a rare one."""
    together = how["together"]
    prior = prior_margins(y, problem, weight, together=together)
    counts = np.bincount(y, minlength=problem.n_classes).astype(np.float64)
    present = np.flatnonzero(together.add(counts))
    if len(present) == 1:
        return Solution(np.zeros((problem.n_outputs, X.shape[1])), prior, MOST_STEPS)
    marks = (y[:, None] == present).astype(np.float64)
    if problem.task == "binary":
        return fit_likelihood(X, marks[:, 1:], weight, problem, start=prior, **how)
    found = fit_likelihood(X, marks, weight, problem, start=prior[present], **how)
    coef = np.zeros((problem.n_classes, X.shape[1]))
    intercept = np.full(problem.n_classes, _RARE_MARGIN)
    coef[present] = found.coef
    intercept[present] = found.intercept - found.intercept.mean()
    return replace(found, coef=coef, intercept=intercept)


FAMILY = LinearFamily()

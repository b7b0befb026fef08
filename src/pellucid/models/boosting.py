"""What boosting libraries share: where they start, and when they stop.

Boosting starts from the prior. Values are centred and in units of their spread, since libraries
keep labels and sums in float32 (a target of a billion with a spread of ten would leave nothing to
learn), and so that penalties mean the same for every target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pellucid.models.family import Rows
from pellucid.models.prior import prior_margins
from pellucid.models.problem import Problem
from pellucid.shapley.trees import TreeEnsemble

MAX_ROUNDS = 2000
PATIENCE = 40  # rounds without gain on the validation rows before boosting stops


@dataclass(frozen=True, eq=False)
class Start:
    """Margins before the first tree.

    prior : float64 (n_outputs,); the constant margin of least loss.
    spread : the unit that values are learned in; 1 for classes.
    margin : float64 (n_outputs,); the prior in that unit, what the library is told to start from.
    """

    prior: np.ndarray
    spread: float
    margin: np.ndarray

    @classmethod
    def of(cls, train: Rows, problem: Problem) -> Start:
        """Where to start on these rows."""
        prior = prior_margins(train.y, problem, train.weight)
        if problem.is_classification:
            return cls(prior, 1.0, prior)
        spread = 1.0 if problem.link == "log" else float(train.y.std()) or 1.0
        return cls(prior, spread, np.zeros(1))

    def labels(self, rows: Rows, problem: Problem) -> np.ndarray:
        """What the library learns: class codes, or values in our unit."""
        if problem.is_classification:
            return rows.y
        if problem.link == "log":  # behind a logarithm the unit is a summand of the margin
            return rows.y / np.exp(self.prior)
        return (rows.y - self.prior) / self.spread

    def margins(self, n_rows: int) -> np.ndarray:
        """The starting margin of each row, (n_rows, n_outputs)."""
        return np.tile(self.margin, (n_rows, 1))

    def complete(self, trees: TreeEnsemble) -> TreeEnsemble:
        """The trees in the target's own unit, with the prior as their intercept."""
        return replace(trees, value=trees.value * self.spread, intercept=self.prior)

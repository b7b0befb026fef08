"""Where fits start, and when boosting stops.

Fits start from the prior. Values are learned centred and in units of their spread, behind a log
link as multiples of their mean: libraries keep labels and sums in float32 (a target of a billion
with a spread of ten would leave nothing to learn), and penalties mean the same for every target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pellucid.models.family import Rows
from pellucid.models.problem import Problem, prior_margins
from pellucid.models.stored import StoredRows
from pellucid.shapley.trees import TreeEnsemble

MAX_ROUNDS = 2000
PATIENCE = 40  # rounds without gain on the validation rows before boosting stops


@dataclass(frozen=True, eq=False)
class Start:
    """Margins before anything is learned.

    prior : float64 (n_outputs,); the constant margin of least loss.
    spread : margins of one in the unit of learning are as large in the target's.
    margin : float64 (n_outputs,); the prior in the unit of learning.
    """

    prior: np.ndarray
    spread: float
    margin: np.ndarray

    @classmethod
    def of(cls, train: Rows | StoredRows, problem: Problem) -> Start:
        """Where to start on these rows."""
        prior = prior_margins(train.y, problem, train.weight)
        if problem.is_classification:
            return cls(prior, 1.0, prior)
        spread = float(train.y.std()) if problem.link == "identity" else 1.0
        return cls(prior, spread or 1.0, np.zeros(1))

    def margins(self, n_rows: int) -> np.ndarray:
        """The starting margin of each row, (n_rows, n_outputs)."""
        return np.tile(self.margin, (n_rows, 1))

    def labels(self, rows: Rows | StoredRows, problem: Problem) -> np.ndarray:
        """What is learned: class codes, or values in the unit of learning."""
        if problem.is_classification:
            return rows.y
        if problem.link == "log":
            return rows.y / np.exp(self.prior)
        return (rows.y - self.prior) / self.spread

    def complete(self, trees: TreeEnsemble) -> TreeEnsemble:
        """The trees in the target's own unit, with the prior as their intercept."""
        return replace(trees, value=trees.value * self.spread, intercept=self.prior)

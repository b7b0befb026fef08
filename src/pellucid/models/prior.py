"""The prior: the same margin for every row, the baseline that all others must beat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.models.family import Config, Rows
from pellucid.models.linear import LinearMember, read_linear
from pellucid.models.problem import Problem, prior_margins


class PriorFamily:
    """Mean of the target, or the log-odds of its classes; takes no configuration."""

    name = "prior"

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
        """Count."""
        n_features = train.X.shape[1]
        zeros = np.zeros(n_features)
        return LinearMember(
            coef=np.zeros((problem.n_outputs, n_features)),
            intercept=prior_margins(train.y, problem, train.weight),
            fill=zeros,
            low=zeros,
            high=zeros,
            family=self.name,
        )

    def from_files(self, files: Mapping[str, bytes]) -> LinearMember:
        """Rebuild a member from its files."""
        return read_linear(files)


FAMILY = PriorFamily()

"""The prior: the same margin for every row, the baseline that all others must beat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pellucid.models.family import Config, Rows
from pellucid.models.linear import LinearMember, read_linear
from pellucid.models.problem import Problem


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


FAMILY = PriorFamily()

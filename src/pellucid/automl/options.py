"""How to train: the estimators' parameters, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.automl.preparing import Settings
from pellucid.search.metrics import Metric
from pellucid.search.progress import ProgressCallback
from pellucid.search.trials import DataRef
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.series.spec import SeriesSpec

_LEAST_RESERVE, _RESERVED_SHARE = 1.5, 0.04  # seconds, and of the budget


@dataclass(frozen=True)
class Options:
    """What `AutoMLClassifier` documents; ``resume`` is the id of a run to go on from.

    series : of forecasts, whose rows are made of series.
    whole_share : of the budget, kept for learning from all rows of a table on disk.
    """

    metric: Metric
    time_budget: float | None = 60.0
    max_trials: int | None = None
    explain: bool = True
    seed: int = 0
    n_jobs: int | None = None
    store: Any = None
    featurization: FeaturizationConfig = field(default_factory=FeaturizationConfig)
    monotone: Mapping[str, int] = field(default_factory=dict)
    n_folds: int | None = None
    time_column: str | None = None
    series: SeriesSpec | None = None
    allowed_families: Sequence[str] | None = None
    blocked_families: Sequence[str] = ()
    refit: bool | None = None
    max_members: int = 8
    latency_budget_ms: float | None = None
    name: str | None = None
    resume: str | None = None
    progress: ProgressCallback | None = None
    whole_share: float = 0.0

    @property
    def settings(self) -> Settings:
        """What shapes the data."""
        return Settings(
            seed=self.seed,
            featurization=self.featurization,
            monotone=self.monotone,
            n_folds=self.n_folds,
            time_column=self.time_column,
            hurried=self.time_budget,
            series=None if self.series is None else self.series.to_dict(),
        )

    @property
    def reserve(self) -> float:
        """Seconds kept for scoring, explaining and storing."""
        budget = self.time_budget
        if budget is None:
            return 0.0
        return min(0.25 * budget, _LEAST_RESERVE + _RESERVED_SHARE * budget)

    @property
    def learning_whole(self) -> float:
        """Seconds kept for learning from all rows of a table on disk."""
        return 0.0 if self.time_budget is None else self.whole_share * self.time_budget

    @property
    def weighing(self) -> float:
        """Seconds kept for weighing the members."""
        budget = self.time_budget
        return 0.0 if budget is None else min(0.05 * budget, 0.3 + 0.01 * budget)

    def is_bagged(self, data: DataRef) -> bool:
        """Whether the models of all folds are shipped, not one that is fitted on all rows.

        With few rows their average is less sure of a class, and rightly so. A value loses more by
        the fifth of the rows that each has not seen.
        """
        if self.refit is not None:
            return not self.refit
        few = data.problem.is_classification and data.folds().few
        return few and self.latency_budget_ms is None and self.whole_share == 0

    def allows(self, family: str) -> bool:
        """Whether a family may be tried."""
        allowed = self.allowed_families is None or family in self.allowed_families
        return allowed and family not in self.blocked_families

"""The clock of a training: its deadline, its stages, and who is told of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pellucid.search.deadline import Deadline
from pellucid.search.metrics import Metric
from pellucid.search.progress import Progress, ProgressCallback, Stage
from pellucid.search.trials import TrialRecord


class Clock:
    """Times the stages of a training and tells the caller where it stands."""

    def __init__(
        self, budget: float | None, metric: Metric, progress: ProgressCallback | None
    ) -> None:
        self.deadline = Deadline.after(budget)
        self.seconds: dict[str, float] = {}
        self._metric = metric
        self._progress: ProgressCallback = progress or (lambda _: None)
        self._n_trials = 0
        self._best: tuple[str, float] | None = None

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Announce a stage, and keep its seconds."""
        self.tell(name)
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started

    def trial(self, record: TrialRecord) -> None:
        """Count a trial that ended, and remember the best."""
        self._n_trials += 1
        value = record.metrics.get(self._metric.name)
        if value is not None and (
            self._best is None or self._metric.loss(value) < self._metric.loss(self._best[1])
        ):
            self._best = record.name, value
        self.tell("search", record)

    def tell(self, stage: Stage, record: TrialRecord | None = None) -> None:
        """Call the caller back with where the training stands."""
        self._progress(
            Progress(
                stage=stage,
                elapsed=self.deadline.elapsed,
                budget=self.deadline.budget,
                n_trials=self._n_trials,
                metric=self._metric.name,
                best=self._best,
                record=record,
            )
        )

"""The search: trials side by side until the time or the number is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

from pellucid.errors import PellucidError
from pellucid.models.memory import is_scarce
from pellucid.search.cost import expected_seconds
from pellucid.search.deadline import Deadline
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.metrics import Metric
from pellucid.search.proposals import Proposer, Wait
from pellucid.search.trials import DataRef, Trial, TrialRecord, TrialSpec, run_trial
from pellucid.search.workers import Pool

_BASELINES = 3  # trials that start whatever the clock says: prior, linear and LightGBM
_LARGEST_SHARE = 0.45  # of the time left, that one trial may take
_BASELINE_SHARE = 0.8  # that a baseline may take, so that there is an answer
_UNLEARNED = ("prior", "naive")  # families that look at no column
_POLL = 0.2  # seconds between looks at the clock and at Ctrl-C
_FITS = 0.4  # of the expected seconds; boosting that is cut short is still a member
_FAR_BEHIND = 1.15  # times the best first fold's loss
_GRACE = 3.0  # seconds that a trial may end late before its worker is ended
_PATIENCE = 30.0  # the same while nothing has learned yet, libraries perhaps still loading
_LOOK_AHEAD = 12  # configurations that are passed over for lack of time before the search ends
_REFIT = 1.4  # fits on all rows, in fits on the rows of one fold
_LIKELY_MEMBERS = 6


class SearchError(PellucidError):
    """No trial gave a usable model."""


@dataclass(frozen=True)
class SearchPlan:
    """How far to search: ``reserve`` seconds are kept for what comes after search and refit."""

    metric: Metric
    deadline: Deadline
    max_trials: int | None
    seed: int
    reserve: float = 0.0


@dataclass
class _Running:
    spec: TrialSpec
    end: float | None


@dataclass
class Search:
    """One search; its state is the trials that ended and those that run.

    trials : those of an earlier search that it goes on from.
    passed_over : names of configurations that there was no time for.
    """

    data: DataRef
    plan: SearchPlan
    proposer: Proposer
    workers: Pool
    guard: InterruptGuard
    on_trial: Callable[[Trial], None]
    trials: list[Trial] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    _running: dict[Future[Trial], _Running] = field(default_factory=dict)
    _is_over: bool = False
    _n_earlier: int = 0

    def run(self) -> list[Trial]:
        """Try configurations until the budget is spent; the answer is in order of iteration.

        Raises
        ------
        SearchError
            No trial gave a usable model.
        """
        self._n_earlier = len(self.trials)
        while True:
            self._start_some()
            if not self._running or self.guard.raised or (self._late and self._has_answer):
                break
            done, _ = wait(self._running, timeout=_POLL, return_when=FIRST_COMPLETED)
            for future in done:
                self._end(future)
            self._end_overdue()
            if is_scarce():
                self._end_largest()
        if self._running:  # what still runs is given up, so that the refit has the cores
            self.workers.restart()
        self.trials.sort(key=lambda trial: trial.spec.iteration)
        if not any(trial.usable for trial in self.trials):
            notes = [f"{t.spec.name}: {t.record.note}" for t in self.trials]
            raise SearchError(
                f"no usable model was found ({'; '.join(notes) or 'no trial ended'}); "
                f"allow more time or trials"
            )
        return self.trials

    # -- starting ---------------------------------------------------------------------------
    def _start_some(self) -> None:
        while not self._is_over and len(self._running) < self.workers.n_jobs:
            try:
                spec = self._next()
            except Wait:
                return
            if spec is None:
                self._is_over = True
                return
            end = self._trial_end(spec)
            future = self.workers.submit(run_trial, self.data, spec, end, self._bar(spec))
            self._running[future] = _Running(spec, end)

    def _next(self) -> TrialSpec | None:
        """The next configuration that there is time for."""
        known = {trial.spec.iteration for trial in self.trials[: self._n_earlier]}
        passed_over = 0
        while passed_over <= _LOOK_AHEAD:
            spec = self.proposer.propose(self.trials)
            if spec is None or not self._is_asked_for(spec):
                return None
            if spec.iteration in known:
                continue
            if self._fits(spec):
                return spec
            self.passed_over.append(spec.name)
            passed_over += 1
        return None

    def _is_asked_for(self, spec: TrialSpec) -> bool:
        if self.plan.max_trials is not None:
            return spec.iteration < self.plan.max_trials
        return self.plan.deadline.budget is not None or spec.iteration < self.proposer.n_portfolio

    def _fits(self, spec: TrialSpec) -> bool:
        if self.plan.deadline.budget is None or spec.iteration < _BASELINES:
            return True
        left = self.plan.deadline.remaining - self._reserved
        return left > _POLL and left > _FITS * expected_seconds(
            spec, self.trials, n_outputs=self.data.problem.n_outputs
        )

    def _bar(self, spec: TrialSpec) -> float | None:
        """The first fold's loss above which a trial is not worth its other folds.

        Without a clock every trial is done in full: which ended before it depends on the workers.
        """
        if self.plan.deadline.budget is None or spec.iteration < _BASELINES:
            return None
        known = [t.first_loss for t in self.trials if t.usable and t.spec.repeat == spec.repeat]
        return _FAR_BEHIND * min(known) if known else None

    @property
    def _reserved(self) -> float:
        """Seconds to keep: the plan's own, and the refit of the likely members."""
        loss = [t.record.metrics.get(self.plan.metric.name) for t in self.trials]
        ranked = sorted(
            (self.plan.metric.loss(value), trial.seconds_per_fold)
            for value, trial in zip(loss, self.trials)
            if value is not None and trial.usable
        )
        likely = [seconds for _, seconds in ranked[:_LIKELY_MEMBERS]]
        # side by side, but never quicker than the longest of them
        refit = max(sum(likely) / self.workers.n_jobs, max(likely, default=0.0))
        return self.plan.reserve + _REFIT * refit

    def _trial_end(self, spec: TrialSpec) -> float | None:
        """The clock time at which a trial that starts now must end."""
        if self.plan.deadline.budget is None:
            return None
        left = max(0.0, self.plan.deadline.remaining - self._reserved)
        share = _LARGEST_SHARE if spec.iteration >= _BASELINES else _BASELINE_SHARE
        return time.monotonic() + share * left

    @property
    def _has_answer(self) -> bool:
        """Whether there is a model to ship: until then no clock ends the search.

        A baseline that learns is waited for: with seconds for a budget, and a machine so busy that
        libraries load for as long, nothing else would be there but the prior.
        """
        usable = [trial.spec.family for trial in self.trials if trial.usable]
        if any(family not in _UNLEARNED for family in usable):
            return True
        coming = [run.spec for run in self._running.values() if run.spec.iteration < _BASELINES]
        return bool(usable) and all(spec.family in _UNLEARNED for spec in coming)

    @property
    def _late(self) -> bool:
        return self.plan.deadline.remaining < 0.8 * self.plan.reserve

    # -- ending -----------------------------------------------------------------------------
    def _end(self, future: Future[Trial], reason: str = "") -> None:
        spec = self._running.pop(future).spec
        try:
            trial = future.result(timeout=0)
        except Exception as error:  # the worker died: this trial is lost, the others are not
            told = str(error) if isinstance(error, PellucidError) else type(error).__name__
            note = reason or f"the worker process ended: {told}"
            trial = Trial(spec, _lost(spec, note))
        self.trials.append(trial)
        self.on_trial(trial)

    def _end_overdue(self) -> None:
        if not any(trial.usable for trial in self.trials):
            return
        now, grace = time.monotonic(), _GRACE if self._has_answer else _PATIENCE
        for future, running in list(self._running.items()):
            if running.end is not None and now > running.end + grace and not future.done():
                self.workers.end(future)
                self._end(future, "ended: it went on after its time was up")

    def _end_largest(self) -> None:
        """Give up the trial whose worker holds most memory, before the system ends something."""
        resident = self.workers.memory()
        busy = [future for future in self._running if future in resident]
        if busy:
            largest = max(busy, key=lambda future: resident[future])
            self.workers.end(largest)
            self._end(largest, f"ended: memory is short ({resident[largest] / 2**20:.0f} MiB)")


def _lost(spec: TrialSpec, note: str) -> TrialRecord:
    return TrialRecord(
        spec.iteration, spec.name, spec.family, dict(spec.config), {}, 0.0, "failed", note
    )

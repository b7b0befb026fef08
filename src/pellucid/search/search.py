"""The search: trials side by side until the time or the number is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Member, get_family
from pellucid.models.problem import Problem
from pellucid.search.deadline import Deadline
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.metrics import Metric
from pellucid.search.portfolio import PORTFOLIO, proposals
from pellucid.search.stack import Stack, fit_stack
from pellucid.search.trials import DataRef, Trial, TrialRecord, TrialSpec, refit, run_trial
from pellucid.search.workers import Workers

_BASELINES = 2  # trials that start whatever the clock says: the prior and a linear model
_LARGEST_SHARE = 0.45  # of the time left, that one trial may take
_POLL = 0.2  # seconds between looks at the clock and at Ctrl-C
_CANDIDATES = 15  # trials that the stack looks at


class SearchError(PellucidError):
    """No trial gave a usable model."""


@dataclass(frozen=True)
class SearchPlan:
    """How far to search: ``reserve`` seconds are kept for what comes after the search."""

    metric: Metric
    deadline: Deadline
    max_trials: int | None
    seed: int
    reserve: float = 0.0


def run_search(
    data: DataRef,
    plan: SearchPlan,
    workers: Workers,
    guard: InterruptGuard,
    on_trial: Callable[[Trial], None],
) -> list[Trial]:
    """Try configurations until the budget is spent; the answer is in order of iteration."""
    source = proposals(seed=plan.seed)
    running: dict[Future[Trial], TrialSpec] = {}
    trials: list[Trial] = []
    upcoming: TrialSpec | None = next(source)
    while True:
        while upcoming is not None and len(running) < workers.n_jobs:
            if not _worth_starting(upcoming, trials, plan, workers.n_jobs):
                upcoming = None
                break
            end = _trial_end(plan, trials, workers.n_jobs)
            running[workers.submit(run_trial, data, upcoming, end)] = upcoming
            upcoming = next(source)
        if not running or guard.raised or _late(plan):
            break
        done, _ = wait(running, timeout=_POLL, return_when=FIRST_COMPLETED)
        for future in done:
            trial = _result(future, running.pop(future))
            trials.append(trial)
            on_trial(trial)
    if running:  # what still runs is given up, so that the refit has the cores
        workers.restart()
    trials.sort(key=lambda trial: trial.spec.iteration)
    if not any(trial.usable for trial in trials):
        reasons = "; ".join(f"{t.spec.name}: {t.record.note}" for t in trials) or "no trial ended"
        raise SearchError(f"no usable model was found ({reasons}); allow more time or trials")
    return trials


def _result(future: Future[Trial], spec: TrialSpec) -> Trial:
    try:
        return future.result()
    except Exception as error:  # the worker died: this trial is lost, the others are not
        note = f"the worker process ended: {type(error).__name__}"
        return Trial(
            spec,
            TrialRecord(
                spec.iteration, spec.name, spec.family, dict(spec.config), {}, 0.0, "failed", note
            ),
        )


def _worth_starting(spec: TrialSpec, trials: list[Trial], plan: SearchPlan, n_jobs: int) -> bool:
    if plan.max_trials is not None and spec.iteration >= plan.max_trials:
        return False
    if plan.deadline.budget is None:
        return plan.max_trials is not None or spec.iteration < len(PORTFOLIO)
    if spec.iteration < _BASELINES:  # there is always an answer
        return True
    known = [t.record.seconds for t in trials if t.spec.family == spec.family]
    left = plan.deadline.remaining - _reserved(plan, trials, n_jobs)
    return left > _POLL and (not known or left > 0.6 * float(np.median(known)))


def _reserved(plan: SearchPlan, trials: list[Trial], n_jobs: int) -> float:
    """Seconds to keep: the plan's own, and a refit of six members at about 1.3 folds each."""
    folds = sorted(t.record.seconds / max(1, len(t.rounds)) for t in trials if t.usable)
    return plan.reserve + 1.3 * sum(folds[-6:]) / n_jobs


def _trial_end(plan: SearchPlan, trials: list[Trial], n_jobs: int) -> float | None:
    """The clock time at which a trial that starts now must end."""
    if plan.deadline.budget is None:
        return None
    left = max(0.0, plan.deadline.remaining - _reserved(plan, trials, n_jobs))
    return time.monotonic() + _LARGEST_SHARE * left


def _late(plan: SearchPlan) -> bool:
    return plan.deadline.remaining < 0.6 * plan.reserve


@dataclass(frozen=True, eq=False)
class Chosen:
    """The ensemble before its members are refitted: trials with their weights."""

    trials: tuple[Trial, ...]
    stack: Stack
    margins: np.ndarray
    """Out-of-fold margins of the ensemble, (n_rows, n_outputs)."""


def choose(trials: list[Trial], y: np.ndarray, problem: Problem) -> Chosen:
    """Weigh the best trials; a lone baseline is chosen when there is nothing else."""
    usable = [trial for trial in trials if trial.usable]
    learned = [trial for trial in usable if trial.spec.family != "prior"] or usable
    loss = "log_loss" if problem.is_classification else "root_mean_squared_error"
    learned.sort(key=lambda trial: (trial.record.metrics.get(loss, np.inf), trial.spec.iteration))
    best_of_family = {trial.spec.family: trial for trial in reversed(learned)}
    candidates = learned[:_CANDIDATES]
    candidates += [t for t in best_of_family.values() if t not in candidates]
    margins = [trial.margins for trial in candidates if trial.margins is not None]
    stack = fit_stack(margins, y, problem)
    kept = np.flatnonzero(stack.weights > 0)
    if len(kept) == 0:  # nothing beats the intercept: keep the best, at no weight
        kept = np.array([0])
    return Chosen(
        trials=tuple(candidates[i] for i in kept),
        stack=Stack(stack.weights[kept], stack.intercept),
        margins=stack.margins(margins),
    )


def refit_chosen(
    data: DataRef, chosen: Chosen, workers: Workers, deadline: Deadline
) -> tuple[Ensemble, Chosen]:
    """Fit each chosen configuration once on all rows, side by side.

    A member whose refit fails is left out and the others are weighed anew; what was chosen in
    the end is given beside the ensemble. Only the end of the whole budget cuts a refit short: a
    member with fewer trees than its weight was found for makes the ensemble worse.
    """
    end = deadline.at()
    order = sorted(chosen.trials, key=lambda trial: -trial.record.seconds)  # longest first
    futures = [(t, workers.submit(refit, data, t.spec, t.refit_rounds, end)) for t in order]
    members: dict[int, Member] = {}
    reasons = []
    for trial, future in futures:
        try:
            iteration, files = future.result()
        except Exception as error:  # its own error, or its worker died
            reasons.append(f"{trial.spec.name}: {type(error).__name__}: {error}")
        else:
            members[iteration] = get_family(trial.spec.family).from_files(files)
    if not members:
        raise SearchError(f"no chosen model could be fitted on all rows ({'; '.join(reasons)})")
    if reasons:
        kept = [trial for trial in chosen.trials if trial.spec.iteration in members]
        chosen = choose(kept, data.arrays()[1], data.problem)
    ensemble = Ensemble(
        members=tuple(members[trial.spec.iteration] for trial in chosen.trials),
        weights=chosen.stack.weights,
        intercept=chosen.stack.intercept,
        names=tuple(trial.spec.name for trial in chosen.trials),
    )
    return ensemble, chosen

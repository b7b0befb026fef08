"""From trials to the model that is shipped: weigh the margins, fit the members once on all rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Member
from pellucid.models.problem import Problem
from pellucid.models.trees import TreeMember
from pellucid.search.cost import explanation_cost
from pellucid.search.stack import Stack, fit_stack
from pellucid.search.trials import DataRef, Trial, TrialSpec, refit
from pellucid.search.workers import Pool

_CANDIDATES, _OF_A_FAMILY = 20, 5  # trials that the stack looks at, and most of one family
# of the loss, that a member must gain for each so many trees of 31 leaves that explaining it takes
_WORTH, _USUAL_COST = 2e-4, 500.0
_NODE = 1.5e-5  # seconds that a node of a tree takes until it is explained at both levels
_ENOUGH = 0.8  # of the wanted rounds, below which the folds' own members are used instead
_POLL = 0.2


class EnsembleError(PellucidError):
    """No ensemble can be built of the trials."""


def loss_name(problem: Problem) -> str:
    """The metric that the stack minimises, by which trials are compared."""
    return "log_loss" if problem.is_classification else "root_mean_squared_error"


@dataclass(frozen=True, eq=False)
class Chosen:
    """The ensemble before its members are refitted: trials with their weights.

    margins : out-of-fold margins of the ensemble, (n_rows, n_outputs), NaN where no fold holds
        a row out.
    """

    trials: tuple[Trial, ...]
    stack: Stack
    margins: np.ndarray


def choose(trials: Sequence[Trial], data: DataRef, *, max_members: int = 8) -> Chosen:
    """Weigh the best trials; a lone baseline is chosen when there is nothing else."""
    loss = loss_name(data.problem)

    def loss_of(trial: Trial) -> float:
        return trial.record.metrics.get(loss, np.inf)

    usable = [trial for trial in trials if trial.usable]
    prior = min((loss_of(t) for t in usable if t.spec.family == "prior"), default=np.inf)
    # what is worse than no model at all would only mislead the weights
    learned = [t for t in usable if t.spec.family != "prior" and loss_of(t) < prior] or usable
    learned.sort(key=lambda trial: (loss_of(trial), trial.spec.iteration))
    candidates: list[Trial] = []
    for trial in learned:  # many of one family are much alike, and the luckiest would win
        if sum(each.spec.family == trial.spec.family for each in candidates) < _OF_A_FAMILY:
            candidates.append(trial)
    candidates = candidates[:_CANDIDATES]
    margins = [trial.margins for trial in candidates if trial.margins is not None]
    scored = np.isfinite(margins[0][:, 0])
    rows = data.rows()
    stack = fit_stack(
        [each[scored] for each in margins],
        rows.y[scored],
        data.problem,
        weight=None if rows.weight is None else rows.weight[scored],
        worth=[_WORTH * max(0.1, explanation_cost(t) / _USUAL_COST) for t in candidates],
        max_members=max_members,
        average=data.folds().first is not None,
    )
    kept = np.flatnonzero(stack.weights > 0)
    if len(kept) == 0:  # nothing beats the intercept: keep the best, at no weight
        kept = np.array([0])
    return Chosen(
        trials=tuple(candidates[i] for i in kept),
        stack=Stack(stack.weights[kept], stack.intercept),
        margins=stack.margins(margins),
    )


@dataclass(frozen=True)
class Part:
    """How one chosen trial came into the ensemble, and all that is needed to fit it again.

    rounds : of the one member fitted on all rows, or of the member of each fold.
    whole : fitted on all rows of a table on disk, of which the search had a sample.
    """

    spec: TrialSpec
    weight: float
    rounds: tuple[int, ...]
    by_fold: bool
    whole: bool = False


def build_ensemble(
    data: DataRef,
    chosen: Chosen,
    workers: Pool,
    *,
    end: float | None,
    latest: float | None = None,
    bagged: bool = False,
) -> tuple[Ensemble, tuple[Part, ...], Chosen]:
    """Fit each chosen configuration once on all rows, side by side.

    One member instead of one a fold loses nothing where rows are many, and is as many times quicker
    to predict and to explain. Where a refit fails, is not done at ``end`` (`time.monotonic`), or
    was cut short, the members of the trial's folds share its weight: they are there already.

    Parameters
    ----------
    latest : float, optional
        When the model should be explained (`time.monotonic`): members of folds that would take
        longer, as those of a forest do, are left out where there are others.
    bagged : bool
        Use the members of the folds wherever they were kept.

    Returns
    -------
    (ensemble, parts, chosen)
        Chosen anew where a member had to be left out.

    Raises
    ------
    EnsembleError
        No member can be had.
    """
    kept = {t.spec.iteration for t in chosen.trials if data.member_file(t.spec.iteration).exists()}
    wanted = [t for t in chosen.trials if not (bagged and t.spec.iteration in kept)]
    fitted = _refit(data, wanted, workers, end)
    usable = [trial for trial in chosen.trials if trial.spec.iteration in fitted | kept]
    if not usable:
        raise EnsembleError(
            "no member could be fitted on all rows, and none of the folds' members was kept; "
            "allow more time, or fewer trees"
        )
    members = {
        trial.spec.iteration: data.members(trial.spec, refit=trial.spec.iteration in fitted)
        for trial in usable
    }
    if latest is not None and not bagged:
        by_fold = {i: own for i, own in members.items() if i not in fitted}
        usable = _explained_in_time(usable, by_fold, latest)
    if len(usable) < len(chosen.trials):  # too large to keep or to explain, too slow to fit again
        chosen = choose(usable, data)
    own = [members[trial.spec.iteration] for trial in chosen.trials]
    parts = tuple(
        Part(
            trial.spec,
            weight,
            tuple(member.rounds for member in learned),
            by_fold=trial.spec.iteration not in fitted,
        )
        for trial, weight, learned in zip(chosen.trials, chosen.stack.weights.tolist(), own)
    )
    return assemble(parts, own, chosen.stack.intercept), parts, chosen


def assemble(
    parts: Sequence[Part], members: Sequence[Sequence[Member]], intercept: np.ndarray
) -> Ensemble:
    """The ensemble of each part's members, which share the part's weight equally."""
    names = [
        f"{part.spec.name}, fold {k + 1}" if part.by_fold else part.spec.name
        for part, own in zip(parts, members)
        for k in range(len(own))
    ]
    weights = [part.weight / len(own) for part, own in zip(parts, members) for _ in own]
    flat = tuple(member for own in members for member in own)
    return Ensemble(flat, np.array(weights), intercept, tuple(names))


def _refit(data: DataRef, trials: Sequence[Trial], workers: Pool, end: float | None) -> set[int]:
    """Iterations that were refitted in full."""
    longest_first = sorted(trials, key=lambda trial: -trial.seconds_per_fold)
    running: dict[Future[int], Trial] = {}
    for trial in longest_first:
        running[workers.submit(refit, data, trial.spec, trial.refit_rounds, end)] = trial
    fitted: set[int] = set()
    while running and (end is None or time.monotonic() < end):
        done, _ = wait(running, timeout=_POLL, return_when="FIRST_COMPLETED")
        for future in done:
            trial = running.pop(future)
            if future.exception() is not None:
                continue
            if future.result() >= _ENOUGH * trial.refit_rounds or trial.spec.family in _FULL:
                fitted.add(trial.spec.iteration)
    if running:
        workers.restart()
    return fitted


def _explained_in_time(
    trials: Sequence[Trial], by_fold: Mapping[int, Sequence[Member]], latest: float
) -> list[Trial]:
    """Trials without those of the largest folds' members that there is no time to explain."""
    seconds = {i: _NODE * sum(map(_n_nodes, members)) for i, members in by_fold.items()}
    kept = list(trials)
    for iteration in sorted(seconds, key=lambda iteration: -seconds[iteration]):
        enough = time.monotonic() + sum(seconds.values()) <= latest or not seconds[iteration]
        if len(kept) == 1 or enough:
            break
        del seconds[iteration]
        kept = [trial for trial in kept if trial.spec.iteration != iteration]
    return kept


def _n_nodes(member: Member) -> int:
    inner = getattr(member, "inner", member)
    return inner.trees.n_nodes if isinstance(inner, TreeMember) else 0


_FULL = ("prior", "naive", "spline")  # their rounds are steps of a solver, not parts of a model

"""The search of a training: where it starts, which link it is behind, whom it tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pellucid.automl.clock import Clock
from pellucid.automl.link import choose_link, may_need_log, with_link
from pellucid.automl.options import Options
from pellucid.automl.preparing import Prepared
from pellucid.automl.recorder import Recorder
from pellucid.automl.views import levels_of
from pellucid.errors import PellucidError
from pellucid.search.ensemble import loss_name
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.portfolio import Facts
from pellucid.search.proposals import Proposer
from pellucid.search.search import Search, SearchError, SearchPlan
from pellucid.search.trials import DataRef, Trial
from pellucid.search.workers import Pool

_LINK_BUDGET = 15.0  # seconds, below which there is no time to compare links
_LINK_SHARE = 0.25  # of the time left, that comparing them may take


class ResumeError(PellucidError):
    """A run cannot be gone on from with these rows or options."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What stays the same throughout a training."""

    options: Options
    clock: Clock
    guard: InterruptGuard
    workers: Pool
    recorder: Recorder


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    data : behind the link that was chosen.
    links : error of each link, where they were compared.
    passed_over : configurations that there was no time for.
    """

    data: DataRef
    trials: list[Trial]
    links: dict[str, float]
    passed_over: list[str]


def find_trials(prepared: Prepared, digest: str, setting: Setting) -> Found:
    """Search behind the better link, from where an earlier run ended.

    Raises
    ------
    KeyboardInterrupt
        When interrupted before the first model was found.
    """
    options, clock, data = setting.options, setting.clock, prepared.data
    links: dict[str, float] = {}
    if options.resume is not None:
        data, earlier = _earlier_trials(options.resume, digest, data, options)
    elif _is_link_open(prepared, options):
        data, earlier, links = _behind_link(prepared, setting)
    else:
        earlier = []

    def on_trial(trial: Trial) -> None:
        members = data.member_file(trial.spec.iteration)
        setting.recorder.log_trial(trial, members, link=data.problem.link)
        clock.trial(trial.record)

    for trial in earlier:
        on_trial(trial)
    search = Search(
        data,
        SearchPlan(
            metric=options.metric,
            deadline=clock.deadline,
            max_trials=options.max_trials,
            seed=options.seed,
            reserve=options.reserve + options.weighing + options.learning_whole,
        ),
        _proposer(prepared, data, options),
        setting.workers,
        setting.guard,
        on_trial,
        trials=earlier,
    )
    try:
        trials = search.run()
    except SearchError:
        if setting.guard.raised:
            raise KeyboardInterrupt from None
        raise
    return Found(data, trials, links, search.passed_over)


def _behind_link(
    prepared: Prepared, setting: Setting
) -> tuple[DataRef, list[Trial], dict[str, float]]:
    """The data behind the better link, the trial that showed it, and the error of each link.

    Not compared where the machine is so busy that workers take longer to start than that may.
    """
    options, data, deadline = setting.options, prepared.data, setting.clock.deadline
    seconds = None
    if options.time_budget is not None:
        if not setting.workers.are_ready(within=_LINK_SHARE * deadline.remaining):
            return data, [], {}
        seconds = _LINK_SHARE * deadline.remaining
    spec = _proposer(prepared, data, options).entry("LightGBM")
    # a few high values of a panel would decide by their squares, mostly by chance
    by = "root_mean_squared_error" if data.scale is None else "mean_absolute_scaled_error"
    link, trial, links = choose_link(data, spec, setting.workers, seconds=seconds, by=by)
    return with_link(data, link), [trial] if trial is not None else [], links


def _is_link_open(prepared: Prepared, options: Options) -> bool:
    if prepared.data.problem.task != "regression" or not options.allows("lightgbm"):
        return False
    if options.time_budget is not None and options.time_budget < _LINK_BUDGET:
        return False
    if options.max_trials is not None and options.max_trials <= 2:
        return False
    return may_need_log(prepared.data.rows().y)


def _proposer(prepared: Prepared, data: DataRef, options: Options) -> Proposer:
    facts = Facts(
        data.problem,
        n_rows=len(prepared.X),
        n_columns=len(data.views["indicators"].columns),
        n_levels=levels_of(prepared.featurizer.feature_map),
        monotone=bool(data.monotone),
        baselines=prepared.baselines,
    )
    return Proposer(
        facts,
        seed=options.seed,
        loss=loss_name(data.problem),
        patient=options.time_budget is None,
        allowed=options.allowed_families,
        blocked=options.blocked_families,
    )


def _earlier_trials(
    run: str, digest: str, data: DataRef, options: Options
) -> tuple[DataRef, list[Trial]]:
    """The trials of a run that was cut off, with their members where the search looks for them."""
    from pellucid.store.runs import load_run

    loaded = load_run(run, store=options.store or None)
    for what, ours in (("fingerprint", digest), ("seed", str(options.seed))):
        theirs = loaded.params.get(what)
        if theirs != ours:
            raise ResumeError(
                f"run {loaded.id} cannot be gone on from: its {what} is {theirs}, that of this "
                f"training {ours}; give the same table and the same seed"
            )
    trials = []
    for trial, link, members in loaded.trials():
        data = with_link(data, link)
        if members is not None:
            Path(data.member_file(trial.spec.iteration)).write_bytes(members)
        if trial.margins is None or len(trial.margins) == len(data.rows().y):
            trials.append(trial)
    return data, trials

"""One training, from a raw table to an explained, stored model, within its time budget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid import shapley
from pellucid.automl.asides import Asides, KeptApart
from pellucid.automl.clock import Clock
from pellucid.automl.explaining import explain_some
from pellucid.automl.facts import asked_for, cv_scores, held_out_scores, tell
from pellucid.automl.guardrails import Guardrail
from pellucid.automl.latency import ensemble_of, shrink
from pellucid.automl.options import Options
from pellucid.automl.preparing import Prepared, prepare
from pellucid.automl.provenance import provenance
from pellucid.automl.recorder import Recorder
from pellucid.automl.searching import Found, Setting, find_trials
from pellucid.automl.shares import Rows, learn_shared
from pellucid.automl.suspicions import check_drift, check_leak, check_repeats
from pellucid.automl.target import Target
from pellucid.automl.whole import Learned, WholeTable, learn_members, write_whole
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.files import scratch_folder
from pellucid.models.ensemble import Ensemble
from pellucid.search.cluster import learning_client, on_this_machine, open_workers
from pellucid.search.ensemble import Chosen, Part, build_ensemble, choose
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.plan import Plan
from pellucid.search.versions import versions
from pellucid.tabular.fingerprint import fingerprints

if TYPE_CHECKING:
    from pellucid.store.runs import Run

_LATE = 0.1  # of the budget, by which an explanation may exceed it


@dataclass(frozen=True, eq=False)
class Training:
    """What a training leaves: the model, its explanation, and the facts that a run stores."""

    predictor: Predictor
    explanation: Explanation | None
    facts: dict[str, Any]
    run: Run | None


@dataclass(frozen=True, eq=False)
class _Model:
    """The ensemble as it is shipped, and how it came about."""

    predictor: Predictor
    chosen: Chosen
    parts: tuple[Part, ...]


def train(
    frame: pd.DataFrame,
    target: Target,
    options: Options,
    *,
    test: KeptApart | None = None,
    asides: Asides | None = None,
    whole: WholeTable | None = None,
    ship: Callable[[Predictor], Predictor] = lambda predictor: predictor,
) -> Training:
    """Featurize, search, ensemble, refit, score, explain, store.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Raw rows; those without a target are left out.
    test : KeptApart, optional
        Rows to score the model on and to explain.
    asides : Asides, optional
        Weights, groups, and how many of the last rows are a validation set.
    whole : WholeTable, optional
        The table that ``frame`` is a sample of; members then learn from all of its rows.
    ship : callable
        Makes of the predictor of ``frame``'s rows the one that is stored and given back.

    Raises
    ------
    KeyboardInterrupt
        When interrupted before the first model was found; later, the best so far is kept.
    """
    clock = Clock(options.time_budget, options.metric, options.progress)
    with ExitStack() as stack:
        guard = stack.enter_context(InterruptGuard())
        folder = stack.enter_context(scratch_folder())
        workers = stack.enter_context(open_workers(options.n_jobs))
        digest, columns = fingerprints(frame)
        params = asked_for(frame, target, options, digest)
        recorder = Recorder(
            options.store,
            name=options.name,
            params=params,
            when=lambda: workers.are_ready(within=0.0),
        )
        stack.callback(recorder.close)
        setting = Setting(options, clock, guard, workers, recorder)
        try:
            with clock.stage("featurize"):
                prepared = prepare(frame, target, asides or Asides(), options.settings, folder)
            warming = threading.Thread(target=shapley.warmup, daemon=True)
            if options.explain:  # its kernels load while the trials run
                warming.start()
            with clock.stage("search"):
                found = find_trials(prepared, digest, setting)
            with clock.stage("refit"):
                model = _build(prepared, found, target, setting)
                learned = None
                if whole is not None:
                    model, learned = _learn_whole(whole, model, prepared, found, target, setting)
                cv = cv_scores(found.data, model.chosen)
                held_out = held_out_scores(
                    model.predictor, test, options.series, options.metric.name
                )
            explanation = None
            if options.explain:
                with clock.stage("explain"):
                    # rows that waited for a kernel would be taken for slow ones
                    warming.join(min(clock.deadline.remaining, threading.TIMEOUT_MAX))
                    explanation = explain_some(model.predictor, prepared, target, test, setting)
            suspicions = _suspect(prepared, target, test, explanation, options)
            facts = {
                **params,
                **tell(
                    prepared,
                    found,
                    target,
                    setting,
                    model.chosen,
                    model.parts,
                    cv,
                    held_out,
                    suspicions,
                ),
                "plan": _plan(model, params, options, whole, learned).to_dict(),
                "provenance": provenance(columns),
            }
            if whole is not None and learned is not None:
                facts["whole"] = {
                    **whole.facts(), "on_sample": learned.why_not, "shares": learned.shares
                }  # fmt: skip
            clock.tell("store")
            predictor = ship(model.predictor)
            run = recorder.finish(predictor=predictor, explanation=explanation, training=facts)
        except BaseException as error:
            recorder.fail(f"{type(error).__name__}: {error}")
            raise
    facts["seconds"]["total"] = clock.deadline.elapsed
    clock.tell("done")
    return Training(predictor, explanation, facts, run)


def _build(prepared: Prepared, found: Found, target: Target, setting: Setting) -> _Model:
    """Weigh the trials, and fit the members on all rows as far as time allows."""
    options, deadline = setting.options, setting.clock.deadline
    chosen = choose(found.trials, found.data, max_members=options.max_members)
    late = _LATE * (deadline.budget or 0.0)
    latest = deadline.at(reserve=-late) if options.explain else None
    ensemble, parts, chosen = build_ensemble(
        found.data,
        chosen,
        setting.workers,
        end=deadline.at(reserve=0.9 * options.reserve + options.learning_whole),
        latest=latest,
        bagged=options.is_bagged(found.data),
    )

    def make(ensemble: Ensemble) -> Predictor:
        return Predictor(
            found.data.problem,
            target.name,
            target.classes,
            prepared.schema,
            prepared.featurizer,
            ensemble,
            prepared.background(options.seed),
        )

    if options.latency_budget_ms is not None:
        chosen, parts, _ = shrink(
            found.data, chosen, parts, make, prepared.rows[:1], budget=options.latency_budget_ms
        )
        ensemble = ensemble_of(found.data, chosen, parts)
    return _Model(make(ensemble), chosen, parts)


def _learn_whole(
    whole: WholeTable,
    model: _Model,
    prepared: Prepared,
    found: Found,
    target: Target,
    setting: Setting,
) -> tuple[_Model, Learned]:
    """The same ensemble, its members fitted on all rows as far as they and the time allow."""
    end = setting.clock.deadline.at(reserve=0.9 * setting.options.reserve)
    wanted = {trial.spec.iteration: trial.refit_rounds for trial in model.chosen.trials}
    client = learning_client(whole.n_rows, prepared.X.shape[1], there=whole.is_lazy)
    bagged = setting.options.is_bagged(found.data)
    if client is not None and not bagged:
        rows = Rows.of(whole, prepared.schema, prepared.featurizer, target, found.data)
        intercept = model.chosen.stack.intercept
        learned = learn_shared(
            client, rows, model.parts, wanted, intercept, end=end,
            frame=whole.source if whole.is_lazy else None,
        )  # fmt: skip
        predictor = replace(model.predictor, ensemble=learned.ensemble)
        return _Model(predictor, model.chosen, learned.parts), learned
    written = None
    if not bagged:
        written = write_whole(
            whole, prepared.schema, prepared.featurizer, target, found.data,
            Path(found.data.folder) / "whole", deadline=end,
        )  # fmt: skip
    with on_this_machine(setting.workers, setting.options.n_jobs) as workers:
        learned = learn_members(
            written,
            model.parts,
            wanted,
            model.chosen.stack.intercept,
            found.data,
            workers,
            end=end,
        )
    predictor = replace(model.predictor, ensemble=learned.ensemble)
    return _Model(predictor, model.chosen, learned.parts), learned


def _suspect(
    prepared: Prepared,
    target: Target,
    test: KeptApart | None,
    explanation: Explanation | None,
    options: Options,
) -> list[Guardrail]:
    """Leaks among the most important columns, drift of the test rows, rows that repeat.

    A series drifts as it must, and its own past is no leak.
    """
    found = check_repeats(prepared.rows)
    if test is not None and options.series is None:
        found += check_drift(prepared.rows, test.frame, prepared.schema)
    if explanation is not None and explanation.n_rows:
        names = explanation.feature_names
        own = () if options.series is None else (options.series.target,)
        importance = explanation.global_importance().index
        ranked = [names.index(str(name)) for name in importance if name not in own]
        raw_of = prepared.featurizer.feature_map.raw_of
        problem = target.problem
        found += check_leak(prepared.X, raw_of, target.y, problem, ranked, names, seed=options.seed)
    return found


def _plan(
    model: _Model,
    params: dict[str, Any],
    options: Options,
    whole: WholeTable | None,
    learned: Learned | None,
) -> Plan:
    data = {name: params[name] for name in ("fingerprint", "task", "n_rows", "n_columns")}
    if whole is not None and learned is not None:
        data["whole"] = {**whole.facts(), "digest": learned.digest, "shares": learned.shares}
    return Plan(
        members=model.parts,
        intercept=tuple(model.chosen.stack.intercept.tolist()),
        link=model.predictor.problem.link,
        data=data,
        settings=options.settings.to_dict(),
        versions=versions(),
    )

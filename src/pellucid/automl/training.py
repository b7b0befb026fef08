"""One training, from a raw table to an explained, stored model, within its time budget."""

from __future__ import annotations

import platform
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.automl.asides import Asides, KeptApart
from pellucid.automl.clock import Clock
from pellucid.automl.curves import curves
from pellucid.automl.division import divide
from pellucid.automl.guardrails import check_columns, check_target, check_trials
from pellucid.automl.link import choose_link, may_need_log, with_link
from pellucid.automl.recorder import Recorder
from pellucid.automl.target import Target
from pellucid.automl.views import levels_of, views_of
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.models.problem import Problem
from pellucid.search.ensemble import Chosen, Part, build_ensemble, choose, loss_name
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.leaderboard import leaderboard
from pellucid.search.metrics import Metric, score
from pellucid.search.portfolio import Facts
from pellucid.search.progress import ProgressCallback
from pellucid.search.proposals import Proposer
from pellucid.search.search import Search, SearchError, SearchPlan
from pellucid.search.trials import DataRef, Trial, TrialSpec
from pellucid.search.workers import Workers
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema, align, infer_schema

if TYPE_CHECKING:
    from pellucid.store.runs import Run

_BACKGROUND = 100  # rows that stand for "feature absent"
_EXPLAINED = 1000  # rows explained during training
_LINK_BUDGET = 15.0  # seconds, below which there is no time to compare links
_OPTIONAL = ("xgboost", "xgboost-cpu", "catboost", "optuna")


@dataclass(frozen=True)
class Options:
    """How to train; the estimators' parameters, checked."""

    metric: Metric
    time_budget: float | None = 60.0
    max_trials: int | None = None
    explain: bool = True
    seed: int = 0
    n_jobs: int | None = None
    store: Any = None
    column_kinds: Mapping[str, str] = field(default_factory=dict)
    drop_columns: Sequence[str] = ()
    n_folds: int | None = None
    time_column: str | None = None
    allowed_families: Sequence[str] | None = None
    blocked_families: Sequence[str] = ()
    bagged: bool = False
    max_members: int = 8
    name: str | None = None
    progress: ProgressCallback | None = None


@dataclass(frozen=True, eq=False)
class Training:
    """What a training leaves: the model, its explanation, and the facts that a run stores."""

    predictor: Predictor
    explanation: Explanation | None
    facts: dict[str, Any]
    run: Run | None


@dataclass(frozen=True, eq=False)
class _Setting:
    """What stays the same throughout a training."""

    target: Target
    options: Options
    test: KeptApart | None
    clock: Clock
    guard: InterruptGuard
    workers: Workers
    recorder: Recorder


def train(
    frame: pd.DataFrame,
    target: Target,
    options: Options,
    *,
    test: KeptApart | None = None,
    asides: Asides | None = None,
) -> Training:
    """Featurize, search, ensemble, refit, score, explain, store.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Raw rows; those without a target are left out.

    Raises
    ------
    KeyboardInterrupt
        When interrupted before the first model was found; later, the best so far is kept.
    """
    clock = Clock(options.time_budget, options.metric, options.progress)
    with ExitStack() as stack:
        guard = stack.enter_context(InterruptGuard())
        workers = stack.enter_context(Workers(options.n_jobs))
        recorder = Recorder(
            options.store, name=options.name, params=_params(frame, target, options)
        )
        stack.callback(recorder.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pellucid-"))
        setting = _Setting(target, options, test, clock, guard, workers, recorder)
        try:
            return _train(frame, (asides or Asides()).known(target.known), setting, Path(folder))
        except BaseException as error:
            recorder.fail(f"{type(error).__name__}: {error}")
            raise


def _train(frame: pd.DataFrame, asides: Asides, setting: _Setting, folder: Path) -> Training:
    target, options, clock = setting.target, setting.options, setting.clock
    with clock.stage("featurize"):
        known = frame[target.known]
        schema = infer_schema(known, overrides=options.column_kinds, drop=options.drop_columns)
        rows = align(known, schema)
        folds = divide(
            target.y,
            target.problem,
            seed=options.seed,
            budget=options.time_budget,
            n_folds=options.n_folds,
            groups=asides.groups,
            moments=_moments(known, options),
            n_valid=asides.n_valid,
        )
        featurizer = Featurizer.fit(rows[folds.learned], schema, codes=True)
        X = featurizer.transform(rows)
        data = DataRef.write(
            folder, X, target.y, folds, target.problem,
            views=views_of(featurizer.feature_map), weight=asides.weight,
        )  # fmt: skip

    if options.explain:  # its kernels load while the trials run
        threading.Thread(target=shapley.warmup, daemon=True).start()
    with clock.stage("search"):
        data, search, links = _search(data, featurizer, setting)

    with clock.stage("refit"):
        chosen = choose(search.trials, data, max_members=options.max_members)
        end = clock.deadline.at(reserve=0.9 * _reserve(options))
        ensemble, parts = build_ensemble(
            data, chosen, setting.workers, end=end, bagged=options.bagged
        )
        rng = np.random.default_rng(options.seed)
        background = X[np.sort(rng.permutation(np.flatnonzero(folds.learned))[:_BACKGROUND])]
        predictor = Predictor(
            data.problem, target.name, target.classes, schema, featurizer, ensemble, background
        )
        scored = np.isfinite(chosen.margins[:, 0])
        cv = score(
            target.y[scored], chosen.margins[scored], data.problem,
            weight=None if asides.weight is None else asides.weight[scored],
        )  # fmt: skip
        held_out = _test_scores(predictor, setting.test)

    explanation = None
    if options.explain:
        with clock.stage("explain"):
            explanation = _explain(predictor, rows, target.y, setting.test, rng)

    facts = {
        **_params(frame, target, options),
        "link": data.problem.link,
        "links": links,
        "columns": _columns(schema, featurizer),
        "leaderboard": leaderboard(
            search.trials, chosen, cv, options.metric, seconds=clock.seconds["refit"]
        ),
        "passed_over": search.passed_over,
        "ensemble": _ensemble(chosen, parts),
        "folds": {"kind": folds.kind, "n": folds.n, "seed": folds.seed},
        "metrics": {"cv": cv, "test": held_out.scores if held_out else None},
        "curves": held_out.curves if held_out else _cv_curves(target, chosen, data.problem),
        "curves_from": "test" if held_out else "cv",
        "interrupted": setting.guard.raised,
        "versions": _versions(),
    }
    facts["guardrails"] = [
        finding.to_dict()
        for finding in (
            *check_target(target),
            *check_trials(facts["leaderboard"]),
            *check_columns(schema),
        )
    ]
    facts["seconds"] = {**clock.seconds, "total": clock.deadline.elapsed}
    clock.tell("store")
    run = setting.recorder.finish(predictor=predictor, explanation=explanation, training=facts)
    facts["seconds"]["total"] = clock.deadline.elapsed
    clock.tell("done")
    return Training(predictor, explanation, facts, run)


def _moments(known: pd.DataFrame, options: Options) -> np.ndarray | None:
    """Values of the column that orders the rows in time."""
    if options.time_column is None:
        return None
    return known[options.time_column].to_numpy()


def _search(
    data: DataRef, featurizer: Featurizer, setting: _Setting
) -> tuple[DataRef, Search, dict[str, float]]:
    """Find the link of a regression, then search behind it."""
    options, clock = setting.options, setting.clock
    earlier: list[Trial] = []
    errors: dict[str, float] = {}
    budget = options.time_budget
    first = TrialSpec(2, "LightGBM", "lightgbm", {}, options.seed)  # as in the portfolio
    worth_a_look = budget is None or budget >= _LINK_BUDGET
    if (
        data.problem.task == "regression"
        and worth_a_look
        and may_need_log(setting.target.y)
        and "lightgbm" in (options.allowed_families or ("lightgbm",))
        and "lightgbm" not in options.blocked_families
        and (options.max_trials is None or options.max_trials > first.iteration)
    ):
        seconds = None if budget is None else 0.25 * clock.deadline.remaining
        link, trial, errors = choose_link(data, first, setting.workers, seconds=seconds)
        data = with_link(data, link)
        earlier = [trial] if trial is not None else []

    def on_trial(trial: Trial) -> None:
        setting.recorder.log_trial(trial.record)
        clock.trial(trial.record)

    for trial in earlier:
        on_trial(trial)
    facts = Facts(
        data.problem,
        n_rows=len(setting.target.y),
        n_columns=len(data.views["indicators"].columns),
        n_levels=levels_of(featurizer.feature_map),
    )
    search = Search(
        data,
        SearchPlan(
            metric=options.metric,
            deadline=clock.deadline,
            max_trials=options.max_trials,
            seed=options.seed,
            reserve=_reserve(options) + _weighing(options),
        ),
        Proposer(
            facts,
            seed=options.seed,
            loss=loss_name(data.problem),
            patient=budget is None,
            allowed=options.allowed_families,
            blocked=options.blocked_families,
        ),
        setting.workers,
        setting.guard,
        on_trial,
        trials=earlier,
    )
    try:
        search.run()
    except SearchError:
        if setting.guard.raised:
            raise KeyboardInterrupt from None
        raise
    return data, search, errors


def _reserve(options: Options) -> float:
    """Seconds kept for scoring, explaining and storing."""
    budget = options.time_budget
    return 0.0 if budget is None else min(0.25 * budget, 1.5 + 0.03 * budget)


def _weighing(options: Options) -> float:
    """Seconds kept for weighing the members."""
    budget = options.time_budget
    return 0.0 if budget is None else min(0.05 * budget, 0.3 + 0.01 * budget)


@dataclass(frozen=True, eq=False)
class _HeldOut:
    scores: dict[str, float]
    curves: dict[str, Any]


def _test_scores(predictor: Predictor, test: KeptApart | None) -> _HeldOut | None:
    if test is None or test.y is None or len(test.y) == 0:
        return None
    margins = predictor.margins(test.frame)
    return _HeldOut(
        score(test.y, margins, predictor.problem),
        curves(test.y, margins, predictor.problem, predictor.classes),
    )


def _cv_curves(target: Target, chosen: Chosen, problem: Problem) -> dict[str, Any]:
    scored = np.isfinite(chosen.margins[:, 0])
    return curves(target.y[scored], chosen.margins[scored], problem, target.classes)


def _explain(
    predictor: Predictor,
    rows: pd.DataFrame,
    y: np.ndarray,
    test: KeptApart | None,
    rng: np.random.Generator,
) -> Explanation:
    """Explain a seeded sample of the test rows, or of the training rows when there are none."""
    frame, codes = (rows, y) if test is None else (test.frame, test.y)
    kept = np.sort(rng.permutation(len(frame))[:_EXPLAINED])
    true = None
    if codes is not None:
        true = codes[kept] if predictor.classes is None else predictor.classes[codes[kept]]
    return predictor.explain(
        frame.iloc[kept], rows_from="train" if test is None else "test", y=true
    )


def _params(frame: pd.DataFrame, target: Target, options: Options) -> dict[str, Any]:
    return {
        "task": target.problem.task,
        "target": target.name,
        "classes": None if target.classes is None else target.classes.tolist(),
        "n_rows": len(target.y),
        "n_columns": frame.shape[1],
        "primary_metric": options.metric.name,
        "time_budget": options.time_budget,
        "max_trials": options.max_trials,
        "seed": options.seed,
        "model_explainability": options.explain,
    }


def _columns(schema: Schema, featurizer: Featurizer) -> list[dict[str, Any]]:
    """Each raw column: what it is, and what was made of it."""
    made = {entry["name"]: entry for entry in featurizer.summary()}
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "used": column.used,
            "reason": column.reason,
            "missing": column.missing,
            "n_unique": column.n_unique,
            "action": made.get(column.name, {}).get("action", ""),
            "n_engineered": len(featurizer.feature_map.engineered_of(column.name)),
        }
        for column in schema.columns
    ]


def _ensemble(chosen: Chosen, parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [
        {
            "iteration": part.iteration,
            "name": trial.spec.name,
            "family": trial.spec.family,
            "weight": part.weight,
            "rounds": list(part.rounds),
            "by_fold": part.by_fold,
        }
        for trial, part in zip(chosen.trials, parts)
    ]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("pellucid", "numpy", "pandas", "scikit-learn", "lightgbm", *_OPTIONAL):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found

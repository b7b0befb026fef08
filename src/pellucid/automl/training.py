"""One training, from a raw table to an explained, stored model, within its time budget."""

from __future__ import annotations

import platform
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.automl.clock import Clock
from pellucid.automl.curves import curves
from pellucid.automl.guardrails import check_columns, check_target, check_trials
from pellucid.automl.recorder import Recorder
from pellucid.automl.target import Target
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.search.interrupt import InterruptGuard
from pellucid.search.leaderboard import leaderboard
from pellucid.search.metrics import Metric, score
from pellucid.search.progress import ProgressCallback
from pellucid.search.search import (
    Chosen,
    SearchError,
    SearchPlan,
    choose,
    refit_chosen,
    run_search,
)
from pellucid.search.trials import DataRef, Trial, folds
from pellucid.search.workers import Workers
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema, align, infer_schema

if TYPE_CHECKING:
    from pellucid.store.runs import Run

_BACKGROUND = 100  # rows that stand for "feature absent"
_EXPLAINED = 1000  # rows explained during training


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
    name: str | None = None
    progress: ProgressCallback | None = None


@dataclass(frozen=True, eq=False)
class TestRows:
    """Rows kept apart, to score the model and to explain.

    y : (n_rows,) class codes or values, or None when unknown.
    """

    frame: pd.DataFrame
    y: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Training:
    """What a training leaves: the model, its explanation, and the facts that a run stores."""

    predictor: Predictor
    explanation: Explanation | None
    facts: dict[str, Any]
    run: Run | None


def train(
    frame: pd.DataFrame, target: Target, options: Options, *, test: TestRows | None = None
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
        try:
            return _train(
                frame, target, options, test, clock, guard, workers, recorder, Path(folder)
            )
        except BaseException as error:
            recorder.fail(f"{type(error).__name__}: {error}")
            raise


def _train(
    frame: pd.DataFrame,
    target: Target,
    options: Options,
    test: TestRows | None,
    clock: Clock,
    guard: InterruptGuard,
    workers: Workers,
    recorder: Recorder,
    folder: Path,
) -> Training:
    problem, y = target.problem, target.y
    with clock.stage("featurize"):
        known = frame[target.known]
        schema = infer_schema(known, overrides=options.column_kinds, drop=options.drop_columns)
        rows = align(known, schema)
        featurizer = Featurizer.fit(rows, schema)
        X = featurizer.transform(rows)
        data = DataRef.write(folder, X, y, folds(y, problem, seed=options.seed), problem)

    if options.explain:  # its kernels load while the trials run
        threading.Thread(target=shapley.warmup, daemon=True).start()
    with clock.stage("search"):
        plan = SearchPlan(
            metric=options.metric,
            deadline=clock.deadline,
            max_trials=options.max_trials,
            seed=options.seed,
            reserve=_reserve(options),
        )

        def on_trial(trial: Trial) -> None:
            recorder.log_trial(trial.record)
            clock.trial(trial.record)

        try:
            trials = run_search(data, plan, workers, guard, on_trial)
        except SearchError:
            if guard.raised:
                raise KeyboardInterrupt from None
            raise

    with clock.stage("refit"):
        ensemble, chosen = refit_chosen(data, choose(trials, y, problem), workers, clock.deadline)
        rng = np.random.default_rng(options.seed)
        background = X[np.sort(rng.permutation(len(X))[:_BACKGROUND])]
        predictor = Predictor(
            problem, target.name, target.classes, schema, featurizer, ensemble, background
        )
        cv = score(y, chosen.margins, problem)
        held_out = _test_scores(predictor, test)

    explanation = None
    if options.explain:
        with clock.stage("explain"):
            explanation = _explain(predictor, rows, y, test, rng)

    facts = {
        **_params(frame, target, options),
        "columns": _columns(schema, featurizer),
        "leaderboard": leaderboard(
            trials, chosen, cv, options.metric, seconds=clock.seconds["refit"]
        ),
        "ensemble": _ensemble(chosen),
        "metrics": {"cv": cv, "test": held_out.scores if held_out else None},
        "curves": held_out.curves if held_out else _cv_curves(target, chosen),
        "curves_from": "test" if held_out else "cv",
        "interrupted": guard.raised,
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
    run = recorder.finish(predictor=predictor, explanation=explanation, training=facts)
    facts["seconds"]["total"] = clock.deadline.elapsed
    clock.tell("done")
    return Training(predictor, explanation, facts, run)


def _reserve(options: Options) -> float:
    """Seconds kept for scoring, explaining and storing."""
    budget = options.time_budget
    return 0.0 if budget is None else min(0.2 * budget, 1.5 + 0.03 * budget)


@dataclass(frozen=True, eq=False)
class _HeldOut:
    scores: dict[str, float]
    curves: dict[str, Any]


def _test_scores(predictor: Predictor, test: TestRows | None) -> _HeldOut | None:
    if test is None or test.y is None or len(test.y) == 0:
        return None
    margins = predictor.margins(test.frame)
    return _HeldOut(
        score(test.y, margins, predictor.problem),
        curves(test.y, margins, predictor.problem, predictor.classes),
    )


def _cv_curves(target: Target, chosen: Chosen) -> dict[str, Any]:
    return curves(target.y, chosen.margins, target.problem, target.classes)


def _explain(
    predictor: Predictor,
    rows: pd.DataFrame,
    y: np.ndarray,
    test: TestRows | None,
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


def _ensemble(chosen: Chosen) -> list[dict[str, Any]]:
    return [
        {"name": t.spec.name, "family": t.spec.family, "weight": float(w)}
        for t, w in zip(chosen.trials, chosen.stack.weights)
    ]


def _versions() -> dict[str, str]:
    packages = ("pellucid", "numpy", "pandas", "scikit-learn", "lightgbm")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}

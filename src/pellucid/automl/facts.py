"""The facts of a training that a run keeps: scores, leaderboard, columns, how time was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.asides import KeptApart
from pellucid.automl.curves import curves
from pellucid.automl.guardrails import Guardrail, check_columns, check_target, check_trials
from pellucid.automl.intervals import Intervals, cv_intervals, held_out_intervals
from pellucid.automl.options import Options
from pellucid.automl.preparing import Prepared
from pellucid.automl.searching import Found, Setting
from pellucid.automl.target import Target
from pellucid.explain.predictor import Predictor
from pellucid.models.problem import Problem
from pellucid.search.ensemble import Chosen, Part
from pellucid.search.leaderboard import leaderboard
from pellucid.search.metrics import score
from pellucid.search.trials import DataRef, score_rows
from pellucid.search.versions import versions
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema
from pellucid.tabular.series.spec import SeriesSpec


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores and curves on test rows.

    intervals : of scores; none for series, whose rows depend on each other.
    baselines : scores there of each forecast that learns nothing.
    n_rows : how many they are.
    """

    scores: dict[str, float]
    curves: dict[str, Any]
    intervals: Intervals
    baselines: dict[str, dict[str, float]]
    n_rows: int


def asked_for(frame: pd.DataFrame, target: Target, options: Options, digest: str) -> dict[str, Any]:
    """What is known before the search: the run's parameters."""
    return {
        "task": target.problem.task,
        "target": target.name,
        "classes": None if target.classes is None else target.classes.tolist(),
        "n_rows": len(target.y),
        "n_columns": frame.shape[1],
        "fingerprint": digest,
        "primary_metric": options.metric.name,
        "time_budget": options.time_budget,
        "max_trials": options.max_trials,
        "seed": options.seed,
        "model_explainability": options.explain,
        **(_forecast(options.series, frame) if options.series is not None else {}),
    }


def _forecast(series: SeriesSpec, frame: pd.DataFrame) -> dict[str, Any]:
    """What is forecast; the columns are those of the caller's table."""
    keys = list(series.series_columns)
    return {
        "n_columns": len(series.columns),
        "n_series": len(frame[keys].drop_duplicates()) if keys else 1,
        "n_values": len(frame[[*keys, series.time.name]].drop_duplicates()),
        "horizon": series.horizon,
        "time_column": series.time.name,
        "series_columns": list(series.series_columns),
        "known_in_advance": list(series.known),
        "frequency": series.frequency.name,
        "season": series.season,
    }


def cv_scores(data: DataRef, chosen: Chosen) -> dict[str, float]:
    """The ensemble's scores on its out-of-fold margins."""
    return score_rows(data, chosen.margins, np.isfinite(chosen.margins[:, 0]))


def held_out_scores(
    predictor: Predictor, test: KeptApart | None, series: SeriesSpec | None, metric: str
) -> HeldOut | None:
    """The model's scores on test rows, if there are any with a target."""
    if test is None or test.y is None or len(test.y) == 0:
        return None
    margins = predictor.margins(test.frame)
    return HeldOut(
        score(test.y, margins, predictor.problem, scale=test.scale),
        curves(test.y, margins, predictor.problem, predictor.classes),
        {}
        if series is not None
        else held_out_intervals(test.y, margins, predictor.problem, metric),
        {} if series is None else _baselines(series, test.frame, test.y, test.scale),
        len(test.y),
    )


def _baselines(
    series: SeriesSpec, frame: pd.DataFrame, y: np.ndarray, scale: np.ndarray | None
) -> dict[str, dict[str, float]]:
    """Scores of each forecast that learns nothing."""
    problem = Problem("regression")
    return {
        name: score(y, frame[column].to_numpy(np.float64)[:, None], problem, scale=scale)
        for name, column in series.baselines.items()
    }


def tell(
    prepared: Prepared,
    found: Found,
    target: Target,
    setting: Setting,
    chosen: Chosen,
    parts: Sequence[Part],
    cv: dict[str, float],
    held_out: HeldOut | None,
    suspicions: Sequence[Guardrail] = (),
) -> dict[str, Any]:
    """What the training found, as plain values."""
    clock = setting.clock
    board = leaderboard(
        found.trials, chosen, cv, setting.options.metric, seconds=clock.seconds["refit"]
    )
    findings = (
        *check_target(target),
        *suspicions,
        *check_trials(board),
        *check_columns(prepared.schema),
    )
    scored = np.isfinite(chosen.margins[:, 0])
    own_curves = (
        held_out.curves
        if held_out
        else curves(target.y[scored], chosen.margins[scored], found.data.problem, target.classes)
    )
    return {
        "link": found.data.problem.link,
        "links": found.links,
        "class_counts": None
        if target.classes is None
        else np.bincount(target.y, minlength=len(target.classes)).tolist(),
        "columns": _columns(prepared.schema, prepared.featurizer),
        "leaderboard": board,
        "passed_over": found.passed_over,
        "ensemble": _ensemble(parts),
        "folds": {"kind": prepared.folds.kind, "n": prepared.folds.n},
        "metrics": {"cv": cv, "test": held_out.scores if held_out else None},
        "n_test": held_out.n_rows if held_out else 0,
        "test_intervals": {k: list(v) for k, v in held_out.intervals.items()} if held_out else {},
        "cv_intervals": {k: list(v) for k, v in _cv_intervals(found.data, chosen, setting).items()},
        "baselines": _compared(board, prepared, held_out),
        "curves": own_curves,
        "curves_from": "test" if held_out else "cv",
        "interrupted": setting.guard.raised,
        "versions": versions(),
        "guardrails": [finding.to_dict() for finding in findings],
        "seconds": {**clock.seconds, "total": clock.deadline.elapsed},
    }


def _cv_intervals(data: DataRef, chosen: Chosen, setting: Setting) -> Intervals:
    if setting.options.series is not None:
        return {}
    return cv_intervals(data, chosen.margins, setting.options.metric.name)


def _compared(
    board: Sequence[Mapping[str, Any]], prepared: Prepared, held_out: HeldOut | None
) -> dict[str, Any]:
    """Name of each forecast that learns nothing -> its scores in cross-validation and in test."""
    cv = {entry["name"]: entry["metrics"] for entry in board}
    test = held_out.baselines if held_out else {}
    return {name: {"cv": cv.get(name), "test": test.get(name)} for name in prepared.baselines}


def _columns(schema: Schema, featurizer: Featurizer) -> list[dict[str, Any]]:
    """Each raw column: what it is, and what was made of it."""
    made = {entry["name"]: entry for entry in featurizer.summary()}
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "used": column.used or bool(featurizer.feature_map.engineered_of(column.name)),
            "reason": column.reason,
            "missing": column.missing,
            "n_unique": column.n_unique,
            "action": _action(made[column.name]["action"], column.name, schema),
            "n_engineered": len(featurizer.feature_map.engineered_of(column.name)),
        }
        for column in schema.columns
        if not column.source
    ]


def _action(action: str, name: str, schema: Schema) -> str:
    """What was done to a raw column, and what else was made of it."""
    further = ", ".join(
        c.name.removeprefix(f"{name}.") for c in schema.columns if c.source == name and c.used
    )
    if not further:
        return action
    return f"{action}; with {further}" if schema[name].used else f"left out itself; as {further}"


def _ensemble(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [
        {
            "iteration": part.spec.iteration,
            "name": part.spec.name,
            "family": part.spec.family,
            "weight": part.weight,
            "rounds": list(part.rounds),
            "by_fold": part.by_fold,
        }
        for part in parts
    ]

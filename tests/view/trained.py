"""Runs to look at: real LightGBM models on given tables, in the form that a page reads.

Importances are LightGBM's own contributions, so base value and sums hold; curves and scores are
computed from held-out predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from pellucid.automl.curves import curves
from pellucid.automl.score_intervals import score_intervals
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.models.problem import Problem
from pellucid.search.metrics import DEFAULT_METRIC, score
from pellucid.store.run import RunError


@dataclass(frozen=True)
class TrainedRun:
    """The attributes of a stored run."""

    training: Mapping[str, Any]
    held: Explanation | None
    id: str = "3f2a9c1d"
    name: str = "calm-otter"
    status: str = "FINISHED"
    started: str = "2026-03-02T09:41:12"
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def leaderboard(self) -> pd.DataFrame:
        return pd.DataFrame(self.training["leaderboard"])

    def explanation(self, raw: bool = True) -> Explanation:
        assert self.held is not None
        return self.held if raw else self.held.engineered

    def model(self) -> Predictor:
        raise RunError(f"run {self.id} is of no store and has no model files")


def trained_run(
    frame: pd.DataFrame,
    target: str,
    task: str,
    *,
    rows: int = 1000,
    trees: int = 60,
    test: bool = True,
    **changes: Any,
) -> TrainedRun:
    """Train one small model, explain it raw and engineered, and describe the training."""
    X = frame.drop(columns=target)
    y = frame[target].to_numpy()
    classes = None if task == "regression" else np.unique(y)
    codes = y.astype(float) if classes is None else np.searchsorted(classes, y)
    matrix, names, raw_of = _engineer(X)
    order = np.random.default_rng(0).permutation(len(X))
    cut = int(0.7 * len(X))
    fit, held = order[:cut], order[cut:]
    problem = Problem(task, 1 if classes is None else len(classes))
    booster = _fit(matrix[fit], codes[fit], problem, trees)
    margins = booster.predict(matrix[held], raw_score=True).reshape(len(held), -1)
    shown = held[:rows]
    values, base = _contributions(booster, matrix[shown], problem)
    grouped = np.stack(
        [values[:, raw_of == r].sum(axis=1) for r in range(X.shape[1])], axis=1
    )  # a stand-in for the raw game: it adds up too
    details = _details(margins[:rows], codes[shown], problem, classes)
    labels = None if classes is None else tuple(classes.tolist())
    common = {
        "base_values": base,
        "classes": labels,
        "background_size": 100,
        "rows_from": "test",
        "details": details,
    }
    engineered = Explanation(
        values=values,
        feature_names=tuple(names),
        data=pd.DataFrame(matrix[shown], columns=names, index=X.index[shown]),
        level="engineered",
        **common,
    )
    raw = Explanation(
        values=grouped,
        feature_names=tuple(X.columns),
        data=X.iloc[shown],
        engineered=engineered,
        **common,
    )
    scores = score(codes[held], margins, problem)
    training = {
        "task": task,
        "target": target,
        "classes": labels and list(labels),
        "n_rows": len(fit),
        "n_columns": X.shape[1],
        "primary_metric": DEFAULT_METRIC[task],
        "time_budget": 60.0,
        "seed": 0,
        "columns": _columns(X, raw_of),
        "leaderboard": _board(scores),
        "ensemble": [
            {"name": "LightGBM tuned 7", "family": "lightgbm", "weight": 0.61},
            {"name": "LightGBM shallow", "family": "lightgbm", "weight": 0.3},
            {"name": "Logistic", "family": "linear", "weight": 0.12},
        ],
        "metrics": {
            "cv": {k: v * 0.995 for k, v in scores.items()},
            "test": scores if test else None,
        },
        "test_intervals": score_intervals(codes[held], margins, problem) if test else {},
        "seconds": {
            "featurize": 1.3,
            "search": 48.2,
            "refit": 5.1,
            "explain": 1.4,
            "total": 57.6,
        },
        "versions": {"python": "3.11.9", "pellucid": "0.1.0", "lightgbm": lightgbm.__version__},
        "guardrails": [
            {
                "level": "warning",
                "column": target,
                "message": "Classes are uneven.",
            },
            {"level": "info", "column": None, "message": "5-fold cross-validation was used."},
        ],
        "curves": curves(codes[held], margins, problem, classes),
        "curves_from": "test",
        **changes,
    }
    return TrainedRun(training, raw)


def _engineer(X: pd.DataFrame) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Numbers as they are, a column per category."""
    parts, names, raw_of = [], [], []
    for position, column in enumerate(X.columns):
        cells = X[column]
        if pd.api.types.is_datetime64_any_dtype(cells):
            made = pd.DataFrame(
                {f"{column}.year": cells.dt.year, f"{column}.month": cells.dt.month}
            )
        elif pd.api.types.is_numeric_dtype(cells):
            made = cells.to_frame()
        else:
            made = pd.get_dummies(cells, prefix=column, prefix_sep="=")
        parts.append(made.to_numpy(dtype=np.float32))
        names += map(str, made.columns)
        raw_of += [position] * made.shape[1]
    return np.hstack(parts), names, np.array(raw_of)


def _fit(X: np.ndarray, y: np.ndarray, problem: Problem, trees: int) -> lightgbm.Booster:
    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
    params = {"objective": objective[problem.task], "verbose": -1, "num_threads": 1, "seed": 0}
    if problem.task == "multiclass":
        params["num_class"] = problem.n_classes
    return lightgbm.train(params, lightgbm.Dataset(X, y), trees)


def _contributions(
    booster: lightgbm.Booster, X: np.ndarray, problem: Problem
) -> tuple[np.ndarray, np.ndarray]:
    raw = booster.predict(X, pred_contrib=True)
    if problem.task != "multiclass":
        return raw[:, :-1], raw[:1, -1]
    cube = raw.reshape(len(X), problem.n_classes, -1)
    return cube[:, :, :-1].swapaxes(1, 2), cube[0, :, -1]


def _details(
    margins: np.ndarray, codes: np.ndarray, problem: Problem, classes: np.ndarray | None
) -> dict[str, Any]:
    details: dict[str, Any] = {"additivity_error": 3.1e-9}
    if classes is None:
        return {**details, "predicted": margins[:, 0].tolist(), "y_true": codes.tolist()}
    p = problem.probabilities(margins)
    return {
        **details,
        "predicted": classes[p.argmax(axis=1)].tolist(),
        "probability": p.tolist(),
        "y_true": classes[codes].tolist(),
    }


def _columns(X: pd.DataFrame, raw_of: np.ndarray) -> list[dict[str, Any]]:
    out = []
    for position, name in enumerate(X.columns):
        numeric = pd.api.types.is_numeric_dtype(X[name])
        out.append(
            {
                "name": name,
                "kind": "numeric" if numeric else "categorical",
                "used": True,
                "reason": "",
                "action": "as it is, missing kept" if numeric else "a column per category",
                "n_engineered": int((raw_of == position).sum()),
                "missing": int(X[name].isna().sum()),
                "n_unique": int(X[name].nunique()),
            }
        )
    return out


def _board(scores: Mapping[str, float]) -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    families = ["lightgbm", "lightgbm", "linear"]
    board = [
        {
            "iteration": i,
            "name": f"{families[i % 3]} {i}",
            "family": families[i % 3],
            "status": "completed",
            "seconds": float(rng.uniform(0.4, 6)),
            "weight": [0.61, 0.3, 0.12][i] if i < 3 else 0.0,
            "metrics": {k: v * (0.99 - 0.004 * i) for k, v in scores.items()},
            "note": "",
        }
        for i in range(14)
    ]
    ensemble = {
        "iteration": 14,
        "name": "Ensemble",
        "family": "ensemble",
        "status": "completed",
        "seconds": 5.1,
        "weight": 0.0,
        "metrics": {k: v * 0.995 for k, v in scores.items()},
        "note": "weighted sum of 3 members' margins",
    }
    failed = {
        "iteration": 15,
        "name": "linear 15",
        "family": "linear",
        "status": "failed",
        "seconds": 0.2,
        "weight": 0.0,
        "metrics": {},
        "note": "did not converge",
    }
    return [ensemble, *board, failed]

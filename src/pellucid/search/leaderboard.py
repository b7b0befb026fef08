"""The leaderboard: every trial and the ensemble, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.search.ensemble import Chosen
from pellucid.search.metrics import Metric
from pellucid.search.trials import Trial

ENSEMBLE = "Ensemble"


def leaderboard(
    trials: Sequence[Trial],
    chosen: Chosen,
    scores: Mapping[str, float],
    metric: Metric,
    *,
    seconds: float,
) -> list[dict[str, Any]]:
    """Rows of plain values, best first by cross-validation; what failed stands last.

    Parameters
    ----------
    scores : mapping
        The ensemble's own metrics, on out-of-fold margins.
    seconds : float
        What weighing and refitting the ensemble took.
    """
    weights = {t.spec.iteration: float(w) for t, w in zip(chosen.trials, chosen.stack.weights)}
    rows: list[dict[str, Any]] = [
        {
            "iteration": trial.spec.iteration,
            "name": trial.spec.name,
            "family": trial.spec.family,
            "config": dict(trial.spec.config),
            "status": trial.record.status,
            "seconds": round(trial.record.seconds, 3),
            "weight": weights.get(trial.spec.iteration, 0.0),
            "metrics": dict(trial.record.metrics),
            "note": trial.record.note,
        }
        for trial in trials
    ]
    rows.append(
        {
            "iteration": max((t.spec.iteration for t in trials), default=-1) + 1,
            "name": ENSEMBLE,
            "family": "ensemble",
            "config": {},
            "status": "completed",
            "seconds": round(seconds, 3),
            "weight": 0.0,
            "metrics": dict(scores),
            "note": f"weighted sum of {len(chosen.trials)} members' margins",
        }
    )

    def rank(row: dict[str, Any]) -> tuple[float, bool, int]:
        loss = metric.loss(row["metrics"].get(metric.name, float("nan")))
        return loss, row["name"] != ENSEMBLE, row["iteration"]

    return sorted(rows, key=rank)

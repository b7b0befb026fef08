"""A run: one stored training, with its model and its explanations."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid.errors import PellucidError
from pellucid.store.artifacts import load_files, load_predictor
from pellucid.store.process import is_gone
from pellucid.store.tracking import Record
from pellucid.store.writer import (
    EXPLANATION_FILE,
    MODEL,
    PROCESS,
    REASON,
    RESULTS,
    TRAINING_FILE,
)

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.explain.predictor import Predictor
    from pellucid.store.runs import Store


class RunError(PellucidError):
    """A run does not exist, or does not hold what is asked of it."""


@dataclass(frozen=True, eq=False)
class Run:
    """One training as the store keeps it.

    Attributes
    ----------
    id, name : str
    status : str
        "RUNNING", "FINISHED", "FAILED" or "KILLED".
    reason : str
        Why it is not finished, as far as that is known.
    started : datetime
        In local time.
    ended : datetime or None
    params : mapping of str
        What the training was asked for.
    metrics : mapping of float
        The ensemble's scores in cross-validation; those on test rows start with ``test.``.
    tags : mapping of str
    """

    id: str
    name: str
    status: str
    reason: str
    started: datetime
    ended: datetime | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    store: Store = field(repr=False)

    @cached_property
    def _results(self) -> dict[str, bytes]:
        with self._files(RESULTS) as folder:
            return load_files(folder)

    @cached_property
    def training(self) -> dict[str, Any]:
        """The facts of the training: columns, leaderboard, ensemble, metrics, seconds, curves."""
        return dict(json.loads(self._results[TRAINING_FILE]))

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Trials and the ensemble, best first; the primary metric comes before the others."""
        return leaderboard_frame(self.training)

    def explanation(self, raw: bool = True) -> Explanation:
        """The explanation made during training, over raw or over engineered features.

        Raises
        ------
        RunError
            If the run is not finished, or was trained without explaining.
        """
        from pellucid.explain.persistence import explanation_from_bytes

        if EXPLANATION_FILE not in self._results:
            raise RunError(
                f"run {self.id} was trained without an explanation; explain rows of your choice "
                f"with run.model().explain(rows), or on the command line with pellucid explain"
            )
        explanation = explanation_from_bytes(
            self._results[EXPLANATION_FILE], name=f"the explanation of run {self.id}"
        )
        if raw:
            return explanation
        if explanation.engineered is None:
            raise RunError(f"run {self.id} holds no explanation over engineered features")
        return explanation.engineered

    def model(self) -> Predictor:
        """The model: ``predict``, ``predict_proba`` and ``explain`` of new rows."""
        with self._files(MODEL) as folder:
            return load_predictor(folder)

    @contextlib.contextmanager
    def _files(self, name: str) -> Iterator[Path]:
        if self.status != "FINISHED":
            because = f" ({self.reason})" if self.reason else ""
            raise RunError(
                f"run {self.id} is {self.status.lower()}{because} and has no results; choose a "
                f"finished one, see pellucid runs"
            )
        with self.store.files(self.id, name) as folder:
            yield folder

    def __repr__(self) -> str:
        return f"<Run {self.id[:8]} {self.name!r}: {self.status.lower()}>"


def leaderboard_frame(training: Mapping[str, Any]) -> pd.DataFrame:
    """The leaderboard of a training's facts as a table, the primary metric's column first."""
    primary = training["primary_metric"]
    rows = []
    for entry in training["leaderboard"]:
        metrics = dict(entry["metrics"])
        rows.append(
            {
                "iteration": entry["iteration"],
                "name": entry["name"],
                "family": entry["family"],
                primary: metrics.pop(primary, float("nan")),
                "weight": entry["weight"],
                "seconds": entry["seconds"],
                "status": entry["status"],
                **metrics,
                "note": entry["note"],
            }
        )
    return pd.DataFrame(rows)


def make_run(record: Record, store: Store) -> Run:
    """A run of what the tracking server says of it."""
    status, reason = record.status, record.tags.get(REASON, "")
    if status == "RUNNING" and is_gone(record.tags.get(PROCESS, "")):
        status, reason = "KILLED", "its process ended before it was done"
    ended = record.ended_ms
    return Run(
        id=record.id,
        name=record.name,
        status=status,
        reason=reason,
        started=datetime.fromtimestamp(record.started_ms / 1000).astimezone(),
        ended=None if ended is None else datetime.fromtimestamp(ended / 1000).astimezone(),
        params=record.params,
        metrics=record.metrics,
        tags=record.tags,
        store=store,
    )

"""What the studio has read: runs, their models and explanations, the last few kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.store.run import Run
from pellucid.store.runs import Store
from pellucid.view.asking import answer_page
from pellucid.view.payload import (
    build_payload,
    explanation_payload,
    model_payload,
    plain,
    shown_rows,
)
from pellucid.view.studio.form import cells_of, form_of, row_from

_KEPT = 6  # runs whose model and explanation stay in memory

T = TypeVar("T")


class StudioError(PellucidError):
    """The studio is asked for what cannot be."""


class Library:
    """Answers to the studio's pages, as plain values.

    Reading a run's files and compiling its model take longer than looking at them, so the last
    few are kept; a finished run never changes.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.RLock()

    def _once(self, run: Run, part: str, make: Callable[[], T]) -> T:
        with self._lock:
            key = (run.id, part)
            if key not in self._kept:
                self._kept[key] = make()
                while len({run for run, _ in self._kept}) > _KEPT:
                    oldest = next(iter(self._kept))[0]
                    for each in [k for k in self._kept if k[0] == oldest]:
                        del self._kept[each]
            self._kept.move_to_end(key)
            value: T = self._kept[key]
            return value

    def run(self, run: str) -> Run:
        """A run by id, the start of one, or "latest"; a finished one is read once."""
        with self._lock:
            if (run, "run") in self._kept:
                kept: Run = self._kept[run, "run"]
                return kept
        found = self.store.load(run)
        return self._once(found, "run", lambda: found) if found.status == "FINISHED" else found

    def explanation(self, run: Run) -> Explanation:
        """The explanation made during training."""
        return self._once(run, "explanation", run.explanation)

    def model(self, run: Run) -> Predictor:
        """The run's model."""
        return self._once(run, "model", run.model)

    # -- what pages ask for ------------------------------------------------------------------
    def runs(self) -> dict[str, Any]:
        """Every run in a line, newest first."""
        return {
            "store": str(self.store.location),
            "runs": [self._line(r) for r in self.store.runs()],
        }

    def _line(self, run: Run) -> dict[str, Any]:
        metric = run.params.get("primary_metric", "")
        line = {
            **_facts(run),
            "task": run.params.get("task", ""),
            "target": run.params.get("target", ""),
            "rows": run.params.get("n_rows"),
            "metric": metric,
            "score": run.metrics.get(metric),
            "test_score": run.metrics.get(f"test.{metric}"),
            "seconds": run.metrics.get("seconds"),
        }
        if run.status == "RUNNING":
            line["progress"] = {
                "trials": len(self.store.trial_iterations(run.id)),
                "seconds": time.time() - run.started.timestamp(),
                "budget": run.params.get("time_budget"),
            }
        return dict(plain(line))

    def page(self, run: Run) -> dict[str, Any]:
        """A run with its training and its explanation, as the report has them."""
        if run.status != "FINISHED":
            return {**self._line(run), "training": None, "explanation": None}
        return {**_facts(run), **self._payload(run)}

    def report(self, run: Run) -> dict[str, Any]:
        """The payload of a run's report, the model with it."""
        payload = self._payload(run)
        if payload["explanation"] is None:
            return payload
        return {**payload, "model": self._once(run, "carried", lambda: model_payload(run))}

    def _payload(self, run: Run) -> dict[str, Any]:
        """All but the model, which the studio asks itself."""
        return self._once(run, "payload", lambda: build_payload(run, what_if=False))

    def form(self, run: Run, row: int | None) -> dict[str, Any]:
        """The controls by which a row is edited, and the cells that they start with.

        Parameters
        ----------
        row : int or None
            Position among the explained rows that a page shows; None for a row of examples.
        """
        if run.training.get("horizon"):
            raise StudioError(
                "a forecast's row stands on the past of its series, which a form does not hold; "
                "forecast other rows with run.model().forecast(rows)"
            )
        seen = shown_rows(self.explanation(run)).data if _is_explained(run) else None
        if row is not None and (seen is None or not 0 <= row < len(seen)):
            raise StudioError(f"run {run.id} has no explained row at position {row}")
        schema = self.model(run).schema
        return {
            "fields": form_of(schema, seen),
            "cells": cells_of(schema, None if row is None or seen is None else seen.iloc[row]),
            "row": None if row is None or seen is None else str(seen.index[row]),
            "n_rows": 0 if seen is None else len(seen),
        }

    def explain(self, run: Run, cells: Mapping[str, Any]) -> dict[str, Any]:
        """A row of given cells, predicted and explained by the model as it is now asked."""
        if run.training.get("horizon"):
            raise StudioError("forecasts cannot be edited row by row")
        model = self.model(run)
        frame = row_from(model.schema, cells)
        with self._lock:  # compiled tables are made once
            explained = model.explain(frame)
        return {"explanation": explanation_payload(explained, run.training)}

    def ask(self, run: Run, question: Mapping[str, Any]) -> dict[str, Any]:
        """What the live model answers to a page's question about a row or a feature."""
        if not _is_explained(run) or run.training.get("horizon"):
            raise StudioError("only runs with an explanation, and no forecasts, can be asked")
        shown = self._once(run, "shown", lambda: shown_rows(self.explanation(run)))
        return answer_page(self.model(run), shown, question)

    def compare(self, first: Run, second: Run) -> dict[str, Any]:
        """Two runs: scores, each feature's share of importance, whether the data is the same."""
        runs = [first, second]
        shares = [self._shares(run) for run in runs]
        table = pd.DataFrame({"first": shares[0], "second": shares[1]})
        order = table.fillna(0.0).sum(axis=1).sort_values(ascending=False, kind="stable").index
        ranks = [share.rank(ascending=False, method="first") for share in shares]
        prints = [run.params.get("fingerprint") for run in runs]
        return plain(
            {
                "runs": [self._line(run) for run in runs],
                "metrics": [run.training.get("metrics") for run in runs],
                "ensemble": [run.training.get("ensemble") for run in runs],
                "same_data": prints[0] is not None and prints[0] == prints[1],
                "same_target": first.params.get("target") == second.params.get("target"),
                "importances": [
                    {
                        "feature": str(name),
                        "shares": [share.get(name) for share in shares],
                        "ranks": [rank.get(name) for rank in ranks],
                    }
                    for name in order
                ],
                "shift": float(
                    (table.fillna(0.0)["second"] - table.fillna(0.0)["first"]).abs().sum() / 2
                ),
            }
        )

    def _shares(self, run: Run) -> pd.Series:
        """Each raw feature's share of all importance; empty for a run without explanation."""
        if not _is_explained(run):
            return pd.Series(dtype=np.float64)
        importance = pd.Series(self.explanation(run).feature_importance_dict())
        return importance / (importance.sum() or 1.0)


def _facts(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "status": run.status,
        "reason": run.reason,
        "started": run.started.isoformat(),
    }


def _is_explained(run: Run) -> bool:
    return run.status == "FINISHED" and bool(run.training.get("model_explainability", True))

"""A scorer that asks its model: pipelines, functions, and whatever has no tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.explainer import explain
from pellucid.files import write_file
from pellucid.serve.errors import ServeError
from pellucid.serve.foreign.told import FACTS, Groups, Kind, Told, new_folder, to_json
from pellucid.shapley import ShapleyError

ROWS = "background.parquet"


@dataclass(frozen=True, eq=False)
class AskingScorer:
    """A model that is asked itself: exact where its structure gives it, else sampled.

    model : as it was given
    background : its rows
    """

    model: Any
    background: pd.DataFrame
    players: Groups | None = None
    kind: Kind = "sampled"

    def score(self, X: Any) -> Told:
        """Predict rows and explain them; as `pellucid.explain.explain`, without a surrogate."""
        players: Any = "raw" if self.players is None else self.players
        try:
            found = explain(self.model, X, background=self.background, players=players)
        except ShapleyError as error:
            raise ServeError(f"the rows cannot be explained: {error}") from error
        if found.method == "mimic":
            found = explain(
                self.model, X, background=self.background, players=players, method="sampled"
            )
        subject = as_subject(self.model, X)
        response = subject.ask("response")(subject.prepare(X))
        errors = found.standard_errors
        return Told(
            predictions=np.asarray(subject.labels(response)),
            probabilities=subject.probabilities(response) if subject.classes else None,
            values=found.values,
            base_values=found.base_values,
            names=found.feature_names,
            method=found.method,
            standard_error=None if errors is None else float(np.max(errors, initial=0.0)),
        )

    def save(self, folder: str | Path) -> None:
        """Write the background; the model is kept by whoever has it."""
        home = new_folder(folder)
        self.background.to_parquet(home / ROWS)
        groups = None if self.players is None else {k: list(v) for k, v in self.players.items()}
        write_file(home / FACTS, to_json({"format": 1, "kind": self.kind, "players": groups}))

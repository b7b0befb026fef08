"""The Predictor: raw rows in, predictions and exact explanations out."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.arrays import read_array
from pellucid.explain.certificate import (
    KEPT_BACKGROUND,
    Certificate,
    digest_of,
    versions_of,
)
from pellucid.explain.classes import classes_from_json, classes_to_json
from pellucid.explain.explanation import Explanation, ExplanationError, Level
from pellucid.models.ensemble import Ensemble, EnsembleTables, read_ensemble
from pellucid.models.levels import Levels
from pellucid.models.problem import Problem
from pellucid.shapley import AdditivityError
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.lineage import FeatureMap
from pellucid.tabular.read import to_frame
from pellucid.tabular.schema import Schema, align


@dataclass(frozen=True, eq=False)
class Predictor:
    """What a training leaves behind: everything from a raw row to its explained prediction.

    Attributes
    ----------
    problem : Problem
    target : str
        Name of the predicted column.
    classes : ndarray or None
        Labels in the caller's own type, in the order of the margins.
    schema, featurizer : how raw rows become engineered ones.
    ensemble : Ensemble
        The model: a weighted sum of margins.
    background : ndarray of float32, (n_background, n_engineered)
        The rows that stand for "feature absent".
    """

    problem: Problem
    target: str
    classes: np.ndarray | None
    schema: Schema
    featurizer: Featurizer
    ensemble: Ensemble
    background: np.ndarray

    @property
    def feature_map(self) -> FeatureMap:
        """Raw columns, engineered columns, and which comes from which."""
        return self.featurizer.feature_map

    def frame(self, X: Any) -> pd.DataFrame:
        """The raw columns of any table, by name, in order, checked against the schema."""
        return align(to_frame(X, feature_names=self.schema.names), self.schema)

    def margins(self, X: Any) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        return self.ensemble.margins(self.featurizer.transform(self.frame(X)))

    def predict(self, X: Any) -> np.ndarray:
        """Labels, or values for regression, (n_rows,)."""
        return self.labels(self.margins(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, (n_rows, n_classes), in the order of ``classes``."""
        return self.problem.probabilities(self.margins(X))

    def labels(self, margins: np.ndarray) -> np.ndarray:
        """What `predict` says of margins."""
        response = self.problem.response(margins)
        return response if self.classes is None else self.classes[response.argmax(axis=1)]

    @cached_property
    def _shapley(self) -> dict[Level, EnsembleTables]:
        return {}

    def shapley(self, level: Level) -> EnsembleTables:
        """The model compiled over raw or engineered players; compiled once, then kept."""
        if level not in self._shapley:
            players = self.feature_map.players(level)
            other: Level = "engineered" if level == "raw" else "raw"
            if other in self._shapley and np.array_equal(players, self.feature_map.players(other)):
                self._shapley[level] = self._shapley[other]  # one engineered column each
            else:
                found = self.ensemble.shapley(background=self.background, players=players)
                if other in self._shapley:
                    self._shapley[other], found = self._shapley[other].sharing(found)
                self._shapley[level] = found
        return self._shapley[level]

    def explain(self, X: Any, *, rows_from: str = "new", y: Any = None) -> Explanation:
        """Exact Shapley values of every row, over raw features and over engineered ones.

        Parameters
        ----------
        X : table, (n_rows, n_columns)
        rows_from : str
            What the explanation says of its rows: "train", "test" or "new".
        y : array, (n_rows,), optional
            True values or labels, kept beside the predictions for those who look at rows.

        Returns
        -------
        Explanation
            Over raw features; its ``engineered`` holds the same over engineered features.

        Raises
        ------
        ExplanationError
            If base value and importances of a row do not add up to the model's own margin; it
            names the row, and the member and the reader of trees that they come from.
        """
        frame = self.frame(X)
        matrix = self.featurizer.transform(frame)
        margins = self.ensemble.margins(matrix)
        details = self._details(margins, y)
        names = self.feature_map.engineered_names
        both = self.both_importances(matrix, margins)
        engineered = self._explanation(
            "engineered",
            *both["engineered"],
            data=pd.DataFrame(matrix, index=frame.index, columns=list(names)),
            rows_from=rows_from,
            details=details,
        )
        return self._explanation(
            "raw",
            *both["raw"],
            data=frame[list(self.feature_map.raw_names)],
            rows_from=rows_from,
            details=details,
            engineered=engineered,
        )

    def importances(
        self, level: Level, matrix: np.ndarray, margins: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Values of engineered rows that add up to their margins, and the most they miss by.

        Raises
        ------
        ExplanationError
            As `explain` does.
        """
        return self._held(level, self.shapley(level).values(matrix), matrix, margins)

    def both_importances(
        self, matrix: np.ndarray, margins: np.ndarray
    ) -> dict[Level, tuple[np.ndarray, float]]:
        """What `importances` gives of both levels, in less time; raises what it raises."""
        for level in ("raw", "engineered"):  # which then share what is equal
            self.shapley(level)
        tables = self.shapley("engineered")
        if self.shapley("raw") is tables:  # the same players, and so values
            fine = coarse = tables.values(matrix)
        else:
            fine, coarse = self._levels.values(matrix)
        return {
            "engineered": self._held("engineered", fine, matrix, margins),
            "raw": self._held("raw", coarse, matrix, margins),
        }

    @cached_property
    def _levels(self) -> Levels:
        return Levels(self.shapley("engineered"), self.shapley("raw"))

    def _held(
        self, level: Level, values: np.ndarray, matrix: np.ndarray, margins: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Values with all players, once they are held to the margins."""
        tables = self.shapley(level)
        try:
            gaps = tables.verify(values, margins, matrix)
        except AdditivityError as error:
            raise ExplanationError(
                f"the {level} explanation is not exact and is not returned: {error}"
            ) from error
        missing = len(self.names_of(level)) - values.shape[1]
        if missing:  # dropped raw columns, the last players, own no engineered column
            values = np.pad(values, [(0, 0), (0, missing)] + [(0, 0)] * (values.ndim - 2))
        return values, float(gaps.max(initial=0.0))

    def names_of(self, level: Level) -> tuple[str, ...]:
        """Names of the features that play."""
        features = self.feature_map
        return features.raw_names if level == "raw" else features.engineered_names

    def _explanation(
        self,
        level: Level,
        values: np.ndarray,
        error: float,
        *,
        data: pd.DataFrame,
        rows_from: str,
        details: Mapping[str, Any],
        engineered: Explanation | None = None,
    ) -> Explanation:
        details = {**details, "additivity_error": error}
        if level == "engineered":
            parents = [[int(raw)] for raw in self.feature_map.raw_of]
            details["made_of"] = {"raw": list(self.feature_map.raw_names), "parents": parents}
        return Explanation(
            values=values,
            base_values=self.shapley(level).base_values,
            feature_names=tuple(map(str, data.columns)),
            data=data,
            level=level,
            classes=None if self.classes is None else tuple(self.classes.tolist()),
            background_size=len(self.background),
            rows_from=rows_from,
            engineered=engineered,
            details=details,
            certificate=self._certificate(level, values, error, rows_from),
        )

    def _certificate(
        self, level: Level, values: np.ndarray, error: float, rows_from: str
    ) -> Certificate:
        base = self.shapley(level).base_values
        totals = values.sum(axis=1).reshape(len(values), len(base)) + base
        return Certificate(
            method="exact",
            how="tables of the ensemble",
            players=level,
            n_players=values.shape[1],
            n_rows=len(values),
            rows_from=rows_from,
            background=self._digest,
            background_rows=len(self.background),
            background_from=KEPT_BACKGROUND,
            additivity_error=error,
            scale=max(1.0, float(np.abs(totals).max(initial=0.0))),
            largest=float(np.abs(values).max(initial=0.0)),
            lineage="read from structure" if level == "raw" else "none needed",
            versions=versions_of(self.ensemble),
        )

    @cached_property
    def _digest(self) -> str:
        return digest_of(self.background)

    def _details(self, margins: np.ndarray, y: Any) -> dict[str, Any]:
        details: dict[str, Any] = {"predicted": self.labels(margins).tolist()}
        if self.problem.is_classification:
            details["probability"] = self.problem.probabilities(margins).tolist()
        if y is not None:
            details["y_true"] = np.asarray(y).tolist()
        return details

    # -- on disk ------------------------------------------------------------------------------
    def to_files(self) -> dict[str, bytes]:
        """The predictor as named files that hold no code."""
        facts = {
            "format": 1,
            "task": self.problem.task,
            "n_classes": self.problem.n_classes,
            "link": self.problem.link,
            "target": self.target,
            "classes": None if self.classes is None else classes_to_json(self.classes),
        }
        background = io.BytesIO()
        np.save(background, self.background, allow_pickle=False)
        return {
            "predictor.json": json.dumps(facts, indent=1).encode(),
            "schema.json": json.dumps(self.schema.to_dict(), indent=1).encode(),
            "featurizer.json": json.dumps(self.featurizer.to_dict()).encode(),
            "background.npy": background.getvalue(),
            **self.ensemble.to_files(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Predictor:
        """Rebuild a predictor from what `to_files` gave, bit for bit."""
        facts = json.loads(files["predictor.json"])
        return cls(
            problem=Problem(facts["task"], facts["n_classes"], facts["link"]),
            target=facts["target"],
            classes=None if facts["classes"] is None else classes_from_json(facts["classes"]),
            schema=Schema.from_dict(json.loads(files["schema.json"])),
            featurizer=Featurizer.from_dict(json.loads(files["featurizer.json"])),
            ensemble=read_ensemble(files),
            background=read_array(files["background.npy"]),
        )

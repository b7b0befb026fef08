"""From a raw table to what the search works on: kinds, engineered rows, folds, views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.asides import Asides
from pellucid.automl.division import divide
from pellucid.automl.target import Target
from pellucid.automl.views import signs_of, views_of
from pellucid.search.folds import Folds
from pellucid.search.trials import DataRef
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema, align

_BACKGROUND = 100  # rows that stand for "feature absent"


@dataclass(frozen=True)
class Settings:
    """Options that shape the data; with the same rows they give the same engineered rows.

    hurried : seconds of the budget, which decides whether there is time for several folds.
    """

    seed: int = 0
    featurization: FeaturizationConfig = field(default_factory=FeaturizationConfig)
    monotone: Mapping[str, int] = field(default_factory=dict)
    n_folds: int | None = None
    time_column: str | None = None
    hurried: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "seed": self.seed,
            "featurization": self.featurization.to_dict(),
            "monotone": dict(self.monotone),
            "n_folds": self.n_folds,
            "time_column": self.time_column,
            "hurried": self.hurried,
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Settings:
        """Rebuild settings from what `to_dict` gave, or from its JSON."""
        config = FeaturizationConfig.from_dict(facts["featurization"])
        return cls(**{**facts, "featurization": config})


@dataclass(frozen=True, eq=False)
class Prepared:
    """The training rows, ready to be learned from.

    rows : with the schema's columns, aligned.
    X : float32 (n_rows, n_engineered)
    """

    rows: pd.DataFrame
    schema: Schema
    featurizer: Featurizer
    X: np.ndarray
    folds: Folds
    data: DataRef

    def background(self, seed: int) -> np.ndarray:
        """Seeded rows that stand for "feature absent", (at most 100, n_engineered)."""
        learned = np.flatnonzero(self.folds.learned)
        chosen = np.random.default_rng(seed).permutation(learned)[:_BACKGROUND]
        return self.X[np.sort(chosen)]


def prepare(
    frame: pd.DataFrame, target: Target, asides: Asides, settings: Settings, folder: Path
) -> Prepared:
    """Infer kinds, featurize, divide, and write what the workers read to ``folder``.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        Raw rows; those without a target are left out, from ``asides`` too.
    """
    known, asides = frame[target.known], asides.known(target.known)
    config = settings.featurization
    schema = config.schema(known)
    rows = align(known, schema)
    folds = divide(
        target.y,
        target.problem,
        seed=settings.seed,
        budget=settings.hurried,
        n_folds=settings.n_folds,
        groups=asides.groups,
        moments=None if settings.time_column is None else known[settings.time_column].to_numpy(),
        n_valid=asides.n_valid,
    )
    featurizer = Featurizer.fit(rows[folds.learned], schema, config=config)
    X = featurizer.transform(rows)
    data = DataRef.write(
        folder, X, target.y, folds, target.problem,
        views=views_of(featurizer.feature_map, monotone=settings.monotone), weight=asides.weight,
        monotone=signs_of(settings.monotone, schema, featurizer.feature_map),
    )  # fmt: skip
    return Prepared(rows, schema, featurizer, X, folds, data)

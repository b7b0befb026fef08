"""From a raw table to what the search works on: kinds, engineered rows, folds, views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.asides import Asides
from pellucid.automl.division import divide
from pellucid.automl.target import Target
from pellucid.automl.views import signs_of, views_of
from pellucid.search.folds import Folds
from pellucid.search.trials import DataRef, View
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.encoders.numeric import NumericEncoder
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import Schema, align
from pellucid.tabular.series.spec import SeriesSpec

_BACKGROUND = 100  # rows that stand for "feature absent"


@dataclass(frozen=True)
class Settings:
    """Options that shape the data; with the same rows they give the same engineered rows.

    hurried : seconds of the budget, which decides whether there is time for several folds.
    series : facts of the `SeriesSpec` that the rows are made by, for forecasts.
    """

    seed: int = 0
    featurization: FeaturizationConfig = field(default_factory=FeaturizationConfig)
    monotone: Mapping[str, int] = field(default_factory=dict)
    n_folds: int | None = None
    time_column: str | None = None
    hurried: float | None = None
    series: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "seed": self.seed,
            "featurization": self.featurization.to_dict(),
            "monotone": dict(self.monotone),
            "n_folds": self.n_folds,
            "time_column": self.time_column,
            "hurried": self.hurried,
            "series": None if self.series is None else dict(self.series),
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
    baselines : forecasts that learn nothing: name -> configuration of the family "naive".
    """

    rows: pd.DataFrame
    schema: Schema
    featurizer: Featurizer
    X: np.ndarray
    folds: Folds
    data: DataRef
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

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
    series = None if settings.series is None else SeriesSpec.from_dict(settings.series)
    if series is not None:
        config = replace(config, column_kinds={**series.kinds, **config.column_kinds})
    schema = config.schema(known)
    if series is not None:
        schema = schema.made_of(series.sources, replaced=[series.time.name])
    rows = align(known, schema)
    folds = asides.folds or divide(
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
    views = views_of(featurizer.feature_map, monotone=settings.monotone)
    data = DataRef.write(
        folder, X, target.y, folds, target.problem,
        views=views, weight=asides.weight, scale=asides.scale,
        monotone=signs_of(settings.monotone, schema, featurizer.feature_map),
    )  # fmt: skip
    baselines = {} if series is None else _baselines(series, featurizer, views["indicators"])
    return Prepared(rows, schema, featurizer, X, folds, data, baselines)


def _baselines(series: SeriesSpec, featurizer: Featurizer, view: View) -> dict[str, dict[str, Any]]:
    """How the family "naive" reads each forecast that learns nothing from the columns of a view."""
    configs: dict[str, dict[str, Any]] = {}
    for name, column in series.baselines.items():
        for encoder, place in featurizer.places(column):
            if isinstance(encoder, NumericEncoder):
                at = view.columns.index(place.start)
                configs[name] = {"column": at, "offset": encoder.offset}
    return configs

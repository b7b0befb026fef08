"""PFIExplainer: how much a model needs each column, by shuffling it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.azureml.fitted import as_rows


class PermutedImportances:
    """Importances of columns as a whole, by the old methods; there are none of single rows."""

    def __init__(self, importances: dict[str, float]) -> None:
        self._importances = importances

    @property
    def features(self) -> list[str]:
        """Names of the columns."""
        return list(self._importances)

    @property
    def global_importance_values(self) -> list[float]:
        """The rise of the loss, column by column."""
        return list(self._importances.values())

    def get_feature_importance_dict(self, top_k: int | None = None) -> dict[str, float]:
        """Names and importances, most important first."""
        ranked = sorted(self._importances.items(), key=lambda each: -each[1])
        return dict(ranked[:top_k])

    def get_ranked_global_names(self, top_k: int | None = None) -> list[str]:
        """Names, most important first."""
        return list(self.get_feature_importance_dict(top_k))

    def get_ranked_global_values(self, top_k: int | None = None) -> list[float]:
        """Importances, largest first."""
        return list(self.get_feature_importance_dict(top_k).values())


class PFIExplainer:
    """Permutation importances of any model's columns.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> rows = np.random.default_rng(0).normal(size=(50, 2))
    >>> line = LinearRegression().fit(rows, 3 * rows[:, 0])
    >>> found = PFIExplainer(line, features=["a", "b"]).explain_global(rows, 3 * rows[:, 0])
    >>> found.get_ranked_global_names()
    ['a', 'b']
    """

    def __init__(
        self, model: Any, features: Sequence[str] | None = None, classes: Any = None, **others: Any
    ) -> None:
        self.model = model
        self.features = None if features is None else [str(each) for each in features]

    def explain_global(self, evaluation_examples: Any, true_labels: Any) -> PermutedImportances:
        """How much the loss rises as each column is shuffled, ten times."""
        from pellucid.explain.permutation import permutation_importance

        rows = as_rows(evaluation_examples)
        truth = np.ravel(as_rows(true_labels))
        table = permutation_importance(self.model, rows, truth).table
        given = rows.columns if isinstance(rows, pd.DataFrame) else table.index.sort_values()
        names = self.features or [str(each) for each in given]
        found = table["importance"].reindex(given)
        return PermutedImportances(dict(zip(names, map(float, found))))

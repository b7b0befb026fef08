"""TabularExplainer: a model explained by what it is, its raw columns through its transformations.

Where the old one sampled most models, ours is exact for trees and linear models, and says in the
certificate of the explanation how it came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.azureml.explanations import OldExplanation
from pellucid.azureml.fitted import as_rows
from pellucid.errors import PellucidError

_BACKGROUND = 100
_SEED = 123


class TabularExplainerError(PellucidError):
    """A model that cannot be asked."""


class TabularExplainer:
    """Importances of any model's columns.

    Parameters
    ----------
    model : fitted estimator with ``predict_proba`` or ``predict``
    initialization_examples : table, (n_rows, n_columns)
        Rows that stand for "absent"; up to a hundred of them.
    features, classes : sequence, optional
        Names.
    transformations : fitted ColumnTransformer, or list of (columns, fitted transformer), optional
        What makes the model's columns of the rows; importances are then those of raw columns.
    """

    def __init__(
        self,
        model: Any,
        initialization_examples: Any,
        explain_subset: Any = None,
        features: Sequence[str] | None = None,
        classes: Sequence[Any] | None = None,
        transformations: Any = None,
        **others: Any,
    ) -> None:
        rows = as_rows(initialization_examples)
        order = np.random.default_rng(_SEED).permutation(rows.shape[0])[:_BACKGROUND]
        kept = np.sort(order)
        self.model = model if transformations is None else _through(transformations, model)
        self.background = rows.iloc[kept] if hasattr(rows, "iloc") else rows[kept]
        self.features = None if features is None else [str(each) for each in features]
        self.classes = None if classes is None else list(classes)

    def explain_local(
        self, evaluation_examples: Any, y: Any = None, **others: Any
    ) -> OldExplanation:
        """Importances of rows, or of one."""
        from pellucid.explain.explainer import explain

        rows = as_rows(evaluation_examples)
        if isinstance(rows, pd.Series):
            rows = rows.to_frame().T
        elif not hasattr(rows, "iloc") and not sparse.issparse(rows):
            rows = np.atleast_2d(np.asarray(rows))
        found = explain(self.model, rows, background=self.background, y=y)
        return OldExplanation(found, features=self.features, classes=self.classes)

    def explain_global(
        self, evaluation_examples: Any = None, include_local: bool = True, **others: Any
    ) -> OldExplanation:
        """Importances over rows; without any, over those that stand for "absent"."""
        rows = self.background if evaluation_examples is None else evaluation_examples
        return self.explain_local(rows)


def _through(transformations: Any, model: Any) -> Any:
    """The model behind what makes its columns."""
    if hasattr(transformations, "transform"):
        from sklearn.pipeline import Pipeline

        return Pipeline([("transformations", transformations), ("model", model)])
    return _Mapped(list(transformations), model)


class _Mapped:
    """A model behind transformers of some columns each, asked as a function."""

    def __init__(self, parts: list[tuple[Any, Any]], model: Any) -> None:
        self.parts, self.model = parts, model

    def __call__(self, rows: pd.DataFrame) -> np.ndarray:
        made = [_made(rows, columns, transformer) for columns, transformer in self.parts]
        ask = getattr(self.model, "predict_proba", self.model.predict)
        return np.asarray(ask(np.hstack(made)), dtype=np.float64)


def _made(rows: pd.DataFrame, columns: Any, transformer: Any) -> np.ndarray:
    """What a transformer makes of its columns; a list of names means a table, one name a series."""
    if transformer is None:
        return np.asarray(rows[columns], dtype=np.float64).reshape(len(rows), -1)
    steps = transformer if isinstance(transformer, list) else [transformer]
    found = rows[columns]
    for step in steps:
        if not hasattr(step, "transform"):
            raise TabularExplainerError(f"{step!r}, of columns {columns}, has no transform method")
        found = step.transform(found)
    dense = found.toarray() if sparse.issparse(found) else np.asarray(found)
    return dense.reshape(len(rows), -1)

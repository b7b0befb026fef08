"""Scoring explainers: what explains rows in a service, saved and loaded by the old functions.

They are kept by joblib, as old scripts load them with ``joblib.load``. A pickle runs what it says:
load only those that you made. Pellucid's own services need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.azureml.mimic import MimicExplainer, as_columns, joined
from pellucid.azureml.tabular import TabularExplainer
from pellucid.errors import PellucidError

_FILE = "scoring_explainer.pkl"


class ScoringError(PellucidError):
    """A scoring explainer cannot be made, saved or loaded."""


class _ScoringExplainer:
    """Explains rows by the surrogate of an explainer, or by a TabularExplainer."""

    def __init__(
        self,
        original_explainer: Any,
        feature_maps: Sequence[Any] | None = None,
        raw_features: Sequence[str] | None = None,
        engineered_features: Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        self._raw: list[str] | None = None
        self._tabular: TabularExplainer | None = None
        if isinstance(original_explainer, TabularExplainer):
            self._tabular = original_explainer
            self._engineered = self._raw = original_explainer.features or []
            return
        if not isinstance(original_explainer, MimicExplainer):
            raise ScoringError(
                f"a scoring explainer is made of a MimicExplainer (explainer.explainer) or of a "
                f"TabularExplainer, not of a {type(original_explainer).__name__}"
            )
        self._surrogate = original_explainer.surrogate
        self._background = original_explainer.background
        self._engineered = list(engineered_features or original_explainer.features)
        self._of_column = joined(feature_maps[0]) if feature_maps else None
        self._n_raw = int(np.shape(feature_maps[0])[0]) if feature_maps else 0
        self._raw = None if raw_features is None else list(raw_features)

    @property
    def engineered_features(self) -> list[str]:
        """Names of the columns that the model sees."""
        return self._engineered

    @property
    def raw_features(self) -> list[str] | None:
        """Names of the user's columns, if they were given."""
        return self._raw

    @property
    def features(self) -> list[str]:
        """Names of the columns that it explains without ``get_raw``."""
        return self._engineered

    def explain(self, evaluation_examples: Any, get_raw: bool | None = None) -> list[Any]:
        """Importances as nested lists: (n_rows, n_features), or one such for each class of three.

        Raises
        ------
        ScoringError
            Raw importances without a feature map.
        """
        if self._tabular is not None:
            return self._tabular.explain_local(evaluation_examples).local_importance_values
        columns = as_columns(evaluation_examples)
        of_column, n_players = np.arange(len(self._engineered)), len(self._engineered)
        if get_raw:
            if self._of_column is None:
                raise ScoringError("raw importances need feature_maps; give them when it is made")
            of_column, n_players = self._of_column, self._n_raw
        values, _ = self._surrogate.values(columns, self._background, of_column, n_players)
        found: list[Any] = (
            values[:, :, 0].tolist() if values.shape[2] == 1 else np.moveaxis(values, 2, 0).tolist()
        )
        return found

    predict = explain


class TreeScoringExplainer(_ScoringExplainer):
    """Of a surrogate of trees."""


class LinearScoringExplainer(_ScoringExplainer):
    """Of a linear surrogate."""


class KernelScoringExplainer(_ScoringExplainer):
    """Of any surrogate."""


def save(
    scoring_explainer: _ScoringExplainer, directory: str = ".", exist_ok: bool = False
) -> list[str]:
    """Write scoring_explainer.pkl; give the names of what was written.

    Raises
    ------
    ScoringError
        If the file is there already, and ``exist_ok`` is not set.
    """
    import joblib

    file = Path(directory) / _FILE
    if file.exists() and not exist_ok:
        raise ScoringError(f"{file} exists already; pass exist_ok=True to replace it")
    file.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(scoring_explainer, file)
    return [str(file)]


def load(directory: str = ".") -> Any:
    """Read what `save` wrote."""
    import joblib

    file = Path(directory) / _FILE
    if not file.is_file():
        raise ScoringError(f"there is no {file}")
    return joblib.load(file)

"""What MLflow calls to load and to ask a registered model: `mlflow models serve` works by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pellucid.serve.errors import RequestError
from pellucid.serve.scorer import LEVELS, Scorer, Scores


class ScoringModel:
    """A scorer as MLflow's pyfunc flavour asks for one.

    Parameters
    ----------
    scorer : Scorer
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict rows, with their importances where ``params`` ask for them.

        Parameters
        ----------
        model_input : table, (n_rows, n_columns)
        params : mapping, optional
            ``explain``: "none", "raw", "engineered" or "raw,engineered".

        Returns
        -------
        DataFrame
            ``prediction``; ``probability_<class>``; then, where asked for, ``base_value`` and
            ``raw.<feature>`` or ``engineered.<feature>``, with ``[class]`` at the end of each name
            where importances are of each class.

        Raises
        ------
        RowsError, RequestError
        """
        asked = str((params or {}).get("explain", "none"))
        wanted = [each.strip() for each in asked.split(",") if each.strip() != "none"]
        for each in wanted:
            if each not in LEVELS:
                raise RequestError(
                    f"explain={asked!r} is unknown; expected none, raw, engineered or both with a "
                    f"comma"
                )
        scores = self.scorer.score(model_input, explain=[each for each in LEVELS if each in wanted])
        return scores_frame(scores, self.scorer)


def scores_frame(scores: Scores, scorer: Scorer) -> pd.DataFrame:
    """Scores as one table, a row a row."""
    columns: dict[str, Any] = {"prediction": scores.predictions}
    classes = scorer.predictor.classes
    labels = [] if classes is None else [str(label) for label in classes.tolist()]
    if scores.probabilities is not None:
        for k, label in enumerate(labels):
            columns[f"probability_{label}"] = scores.probabilities[:, k]
    for level, found in scores.levels.items():
        if found.values.ndim == 2:
            columns["base_value"] = found.base_values[0]
            for k, name in enumerate(found.names):
                columns[f"{level}.{name}"] = found.values[:, k]
            continue
        for c, label in enumerate(labels):
            columns[f"base_value[{label}]"] = found.base_values[c]
            for k, name in enumerate(found.names):
                columns[f"{level}.{name}[{label}]"] = found.values[:, k, c]
    return pd.DataFrame(columns)


def _load_pyfunc(path: str) -> ScoringModel:
    """MLflow's entrance; ``path`` is the folder of the model's files."""
    return ScoringModel(Scorer.load(path))

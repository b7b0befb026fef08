"""What MLflow calls to load and to ask a registered model: `mlflow models serve` works by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pellucid.serve.answers import scores_frame
from pellucid.serve.options import Options
from pellucid.serve.scorer import Scorer


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
            ``explain``: "none", "raw", "engineered" or "both".

        Returns
        -------
        DataFrame
            As `scores_frame` makes it.

        Raises
        ------
        RowsError, RequestError
        """
        options = Options(explain=()).told(params or {})
        scores = self.scorer.score(model_input, explain=options.explain, policy=options.policy)
        return scores_frame(scores, self.scorer)


def _load_pyfunc(path: str) -> ScoringModel:
    """MLflow's entrance; ``path`` is the folder of the model's files."""
    return ScoringModel(Scorer.load(path))

"""An explanation as one table, for files that other tools read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.answering import free_name
from pellucid.explain.explanation import Explanation


def explanation_table(explanation: Explanation) -> pd.DataFrame:
    """A row per row: prediction, base value, and a column of importances per feature.

    With three or more classes there is a row per row and class. What names the rows, their truth
    and standard errors are added where they are known. Columns of ours that a feature
    is already called get a trailing underscore.
    """
    n, n_outputs = explanation.n_rows, explanation.n_outputs
    classes = list(explanation.classes or ())
    predicted = explanation.details.get("predicted")
    probability = explanation.details.get("probability")
    facts: dict[str, Any] = {"row": np.repeat(np.arange(n), n_outputs)}
    index = explanation.data.index
    if index.name is not None:
        facts[str(index.name)] = index[facts["row"]]
    if n_outputs > 1:
        facts["class"] = classes * n
    if predicted is not None:
        facts["prediction"] = pd.Series(list(predicted)).loc[facts["row"]].to_numpy()
    if probability is not None:
        chances = np.asarray(probability, dtype=np.float64)  # (n_rows, n_classes)
        facts["probability"] = chances.ravel() if n_outputs > 1 else chances[:, -1]
    if "y_true" in explanation.details:
        truth = pd.Series(list(explanation.details["y_true"]))
        facts["y_true"] = truth.loc[facts["row"]].to_numpy()
    facts["base_value"] = np.tile(explanation.base_values, n)
    names = list(explanation.feature_names)
    parts = [pd.DataFrame(_wide(explanation.values, n_outputs), columns=names)]
    if explanation.standard_errors is not None:
        errors = _wide(explanation.standard_errors, n_outputs)
        parts.append(pd.DataFrame(errors, columns=[f"{name} (error)" for name in names]))
    taken = set(names)
    ours = pd.DataFrame({free_name(name, taken): column for name, column in facts.items()})
    return pd.concat([ours, *parts], axis=1)


def _wide(values: np.ndarray, n_outputs: int) -> np.ndarray:
    """(n_rows, n_features[, n_outputs]) as a row per row and output."""
    cube = values.reshape(*values.shape[:2], n_outputs)
    return np.swapaxes(cube, 1, 2).reshape(len(values) * n_outputs, -1)

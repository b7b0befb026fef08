"""Predictions and explanations of rows as tables in files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.cli.errors import CommandError
from pellucid.explain.explanation import Explanation
from pellucid.explain.persistence import write_file

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor

_SUFFIXES = (".csv", ".parquet")


def check_output(path: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises
    ------
    CommandError
        For an unknown suffix, a folder, or a folder that does not exist.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise CommandError(f"{path}: the output must end in {' or '.join(_SUFFIXES)}")
    if path.is_dir():
        raise CommandError(f"{path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"the folder {path.absolute().parent} does not exist; make it first")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as its suffix says, whole or not at all."""
    if path.suffix.lower() == ".csv":
        write_file(path, table.to_csv(index=False).encode())
        return
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_file(path, buffer.getvalue())


def prediction_table(model: Predictor, frame: pd.DataFrame) -> pd.DataFrame:
    """A row per row: the prediction and, for classes, each one's probability."""
    margins = model.margins(frame)
    columns: dict[str, Any] = {"prediction": model.labels(margins)}
    if model.classes is not None:
        probabilities = model.problem.probabilities(margins)
        for k, label in enumerate(model.classes.tolist()):
            columns[f"probability_{label}"] = probabilities[:, k]
    return pd.DataFrame(columns)


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
    ours = pd.DataFrame({_free(name, taken): column for name, column in facts.items()})
    return pd.concat([ours, *parts], axis=1)


def _wide(values: np.ndarray, n_outputs: int) -> np.ndarray:
    """(n_rows, n_features[, n_outputs]) as a row per row and output."""
    cube = values.reshape(*values.shape[:2], n_outputs)
    return np.swapaxes(cube, 1, 2).reshape(len(values) * n_outputs, -1)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name

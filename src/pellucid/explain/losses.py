"""How wrong a model is about each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from pellucid.explain.asking import Asked, AskError, class_at

Measure = Literal["wrong", "log loss", "absolute", "squared"]
"""Of classes "wrong" (1 where the label is, else 0) and "log loss"; of values "absolute" and
"squared" errors."""
_OF_CLASSES, _OF_VALUES = ("wrong", "log loss"), ("absolute", "squared")


def losses_of(asked: Asked, y: Any, measure: Measure) -> Callable[[Any], np.ndarray]:
    """A function from rows in the model's form to each row's loss, (n_rows,).

    Parameters
    ----------
    asked : Asked
    y : array, (n_rows,)
        Labels or values of ``asked.rows``, in the order of the rows that will be given.
    measure : Measure

    Raises
    ------
    AskError
        ``y`` of another length, labels that the model has not, or a measure that does not fit.
    """
    truth = np.asarray(y)
    subject = asked.subject
    if truth.shape != (asked.n_rows,):
        raise AskError(f"y has shape {truth.shape} for {asked.n_rows} rows; give one value a row")
    known = _OF_VALUES if subject.classes is None else _OF_CLASSES
    if measure not in known:
        raise AskError(
            f"measure is {measure!r}; {subject.label} predicts "
            f"{'values' if subject.classes is None else 'classes'}, so expected "
            f"{' or '.join(map(repr, known))}"
        )
    if subject.classes is None:
        values, power = truth.astype(np.float64), 1 if measure == "absolute" else 2
        return lambda rows: np.abs(asked.responses(rows)[:, 0] - values) ** power
    places = {label: class_at(subject.classes, label) for label in pd.unique(pd.Series(truth))}
    at = np.array([places[label] for label in truth.tolist()])
    if measure == "wrong":
        labels = [subject.classes[place] for place in at]
        return lambda rows: np.array(
            [float(a != b) for a, b in zip(asked.labels(rows), labels)], dtype=np.float64
        )
    everyone = np.arange(asked.n_rows)

    def log_loss(rows: Any) -> np.ndarray:
        chances = subject.probabilities(asked.responses(rows))[everyone, at]
        return -np.log(np.clip(chances, 1e-15, 1.0))

    return log_loss

"""What a search for counterfactuals gives: rows with some other cells, and what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import ExplanationError


class CounterfactualError(ExplanationError):
    """There is no counterfactual within the bounds.

    Attributes
    ----------
    reason : str
        The message without what a caller may do.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}{advice}")
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """A row with some other cells, which the model was asked about.

    Attributes
    ----------
    changes : mapping of column to (old cell, new cell)
    row : DataFrame, (1, n_columns)
    prediction : label or value
    response : ndarray of float64, (n_outputs,)
        Probabilities of all classes, or the value.
    distance : float
        Sum over changes: of numbers in spreads of their column, 1 for another category.
    nearest : float
        The same distance to the nearest row of the data: how odd the row is as a whole.
    """

    changes: Mapping[str, tuple[Any, Any]]
    row: pd.DataFrame
    prediction: Any
    response: np.ndarray
    distance: float
    nearest: float

    def __str__(self) -> str:
        moves = ", ".join(f"{name}: {old} -> {new}" for name, (old, new) in self.changes.items())
        return f"{moves} gives {self.prediction} (distance {self.distance:.2f})"


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """What was found for a row.

    Attributes
    ----------
    row : DataFrame, (1, n_columns)
    prediction : what the model says of it
    found : tuple of Counterfactual, the nearest first; all with equally many changes.
    fewest : bool
        Whether it is proven, by asking about every one, that the values tried allow none with
        fewer changes.
    asked : int
        How many rows the model was asked about.
    """

    row: pd.DataFrame
    prediction: Any
    found: tuple[Counterfactual, ...]
    fewest: bool
    asked: int

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, at: int) -> Counterfactual:
        return self.found[at]

    def to_frame(self) -> pd.DataFrame:
        """The row, then its counterfactuals: cells, prediction, distance."""
        frame = pd.concat([self.row, *(each.row for each in self.found)])
        frame["prediction"] = [self.prediction, *(each.prediction for each in self.found)]
        frame["distance"] = [0.0, *(each.distance for each in self.found)]
        return frame.set_axis(["row", *(f"counterfactual {i}" for i in range(len(self)))])

    def __str__(self) -> str:
        return "\n".join([f"now {self.prediction}", *map(str, self.found)])

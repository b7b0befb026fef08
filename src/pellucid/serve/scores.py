"""What a scorer says of rows: predictions, and importances by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.explanation import Level

LEVELS: tuple[Level, ...] = ("raw", "engineered")


@dataclass(frozen=True, eq=False)
class Importances:
    """Local importances of some rows at one level.

    values : float64, (n_rows, n_features), or (n_rows, n_features, n_classes) of three classes on
    base_values : float64, (n_outputs,)
    names : of the features
    cells : what each row has for each feature, one sequence a feature
    error : the most that base value and importances of a row miss its margin by
    space : in what they add up
    method : "exact", or "sampled" with the largest standard error
    """

    values: np.ndarray
    base_values: np.ndarray
    names: tuple[str, ...]
    cells: Sequence[Any]
    error: float
    space: str = "margin"
    method: str = "exact"
    standard_error: float | None = None


@dataclass(frozen=True, eq=False)
class Scores:
    """What a scorer says of rows.

    predictions : (n_rows,), labels or values
    probabilities : (n_rows, n_classes), or None for values
    margins : (n_rows, n_outputs)
    levels : importances by level, of those that were asked for
    explained : (n_rows,) of bool, which rows are explained, the others' importances being NaN;
        None where all are
    notes : what was left out of the rows, or read as another sort of cell
    """

    predictions: np.ndarray
    probabilities: np.ndarray | None
    margins: np.ndarray
    levels: Mapping[Level, Importances]
    notes: tuple[str, ...] = ()
    explained: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.predictions)

    def reasons(self, level: Level = "raw", *, top: int = 5) -> list[list[dict[str, Any]]]:
        """The features that count most in each row, by absolute importance.

        Of three classes or more, importances are those of the class that is predicted.

        Returns
        -------
        list, one a row, of at most ``top`` dicts with ``feature``, ``value`` and ``importance``.
        """
        found = self.levels[level]
        values = found.values
        if values.ndim == 3:
            winners = self.margins.argmax(axis=1)
            values = np.take_along_axis(values, winners[:, None, None], axis=2)[:, :, 0]
        order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :top]
        return [
            [
                {
                    "feature": found.names[k],
                    "value": found.cells[k][row],
                    "importance": float(values[row, k]),
                }
                for k in best.tolist()
                if self.explained is None or self.explained[row]
            ]
            for row, best in enumerate(order)
        ]


def row_scores(predictions: np.ndarray, probabilities: np.ndarray | None) -> np.ndarray:
    """What the score of each row is that ``above`` speaks of, (n_rows,)."""
    if probabilities is None:
        return predictions
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities.max(axis=1)


def left_out(level: Level) -> str:
    """What an answer says of importances that there was no time for."""
    return f"{level} importances were left out: the deadline had passed"


def among(values: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Values of some rows among all, with NaN for the others."""
    out = np.full((len(told), *values.shape[1:]), np.nan)
    out[told] = values
    return out

"""What puts engineered columns into a common form, in which penalties mean the same for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.models.reduction import ALONE, Reduction
from pellucid.models.stored import StoredRows


@dataclass(frozen=True, eq=False)
class Scaling:
    """What puts columns into a common form: filled, centred, of unit spread.

    Weights of words keep their proportions: a text's have length one, so that it counts as one
    column in all. Each at unit spread, the rarest words would be the loudest (fine_foods: AUC
    0.784 instead of 0.850).

    fill, low, high, scale : (n_columns,); mean, range and spread of what was observed.
    """

    fill: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, weight: np.ndarray, *, words: Sequence[int] = ()) -> Scaling:
        """Learn from rows (n_rows, n_columns), their weights (n_rows,), and which are words."""
        X = X.astype(np.float64)
        observed = np.isfinite(X)
        X[~observed] = 0.0
        total = np.maximum(weight @ observed, 1e-12)
        fill = weight @ X / total
        np.copyto(X, fill, where=~observed)
        low, high = X.min(axis=0), X.max(axis=0)
        X -= fill
        scale = np.sqrt(weight @ X**2 / weight.sum())
        scale[(scale == 0) | (low == high)] = 1.0
        scale[list(words)] = 1.0
        return cls(fill, low, high, scale)

    @classmethod
    def of_stored(
        cls, train: StoredRows, weight: np.ndarray, together: Reduction = ALONE
    ) -> Scaling:
        """Learn from rows on disk, in two passes, and from those of other processes."""
        width = train.matrix.shape[1]
        total, summed, squares = np.zeros(width), np.zeros(width), np.zeros(width)
        low, high = np.full(width, np.inf), np.full(width, -np.inf)
        for rows, piece in train.chunks():
            observed = np.isfinite(piece)
            total += weight[rows] @ observed
            summed += weight[rows] @ np.where(observed, piece.astype(np.float64), 0.0)
            np.minimum(low, np.where(observed, piece, np.inf).min(axis=0), out=low)
            np.maximum(high, np.where(observed, piece, -np.inf).max(axis=0), out=high)
        total, summed = together.add(np.array([total, summed]))
        low, high = together.least(low), -together.least(-high)
        fill = summed / np.maximum(total, 1e-12)
        for rows, piece in train.chunks():
            centred = np.where(np.isfinite(piece), piece.astype(np.float64), fill) - fill
            squares += weight[rows] @ centred**2
        low, high = np.minimum(low, fill), np.maximum(high, fill)
        n = together.add(np.array([weight.sum()]))
        scale = np.sqrt(together.add(squares) / n)
        scale[(scale == 0) | (low == high)] = 1.0
        scale[list(train.words)] = 1.0
        return cls(fill, low, high, scale)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Rows in the common form, float64."""
        X = X.astype(np.float64)
        np.copyto(X, self.fill, where=~np.isfinite(X))
        X -= self.fill
        X /= self.scale
        return X

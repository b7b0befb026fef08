"""The design of an additive model: linear columns, and hats between the knots of curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pellucid.models.curves import interpolate, locate


@dataclass(frozen=True, eq=False)
class Design:
    """Training rows as the fit reads them: linear columns, then the hats of each curve.

    linear : float64 (n_rows, n_linear); centred, of unit spread, the words last.
    left, share : int64, float64 (n_rows, n_curves); places among the knots (see `locate`).
    sizes : how many knots each curve has.
    weight : float64 (n_rows,); mean one.
    n_words : how many of the linear columns are weights of words.
    """

    linear: np.ndarray
    left: np.ndarray
    share: np.ndarray
    sizes: tuple[int, ...]
    weight: np.ndarray
    n_words: int = 0

    @classmethod
    def of(
        cls,
        linear: np.ndarray,
        curved: np.ndarray,
        knots: list[np.ndarray],
        weight: np.ndarray,
        *,
        n_words: int = 0,
    ) -> Design:
        """Locate the rows of ``curved`` (n_rows, n_curves) among the knots of each column."""
        left = np.zeros(curved.shape, dtype=np.int64)
        share = np.zeros(curved.shape)
        for c, own in enumerate(knots):
            left[:, c], share[:, c] = locate(curved[:, c], own)
        return cls(linear, left, share, tuple(len(own) for own in knots), weight, n_words)

    @cached_property
    def blocks(self) -> list[slice]:
        """Which coefficients the linear columns have, then which each curve."""
        ends = np.cumsum([self.linear.shape[1], *self.sizes]).tolist()
        return [slice(a, b) for a, b in zip([0, *ends], ends)]

    @cached_property
    def penalties(self) -> list[tuple[slice, np.ndarray, int]]:
        """What each penalty holds: coefficients, the matrix of its form, and the form's rank."""
        n_linear = self.linear.shape[1]
        n_others = n_linear - self.n_words
        held = [
            (slice(0, n_others), np.eye(n_others), n_others),
            (slice(n_others, n_linear), np.eye(self.n_words), self.n_words),
        ]
        for block, size in zip(self.blocks[1:], self.sizes):
            steps = np.diff(np.eye(size), axis=0)
            held.append((block, steps.T @ steps, size - 1))
        return [penalty for penalty in held if penalty[2] > 0]

    @cached_property
    def centre(self) -> np.ndarray:
        """Mean of each hat over the rows that have a value, (n_coefficients,)."""
        centre = np.zeros(self.blocks[-1].stop)
        for c, block in enumerate(self.blocks[1:]):
            seen = np.where(self.left[:, c] < 0, 0.0, self.weight)
            centre[block] = self._sum_hats(c, seen) / seen.sum()
        return centre

    def _sum_hats(self, c: int, r: np.ndarray) -> np.ndarray:
        """Sum over rows of ``r`` times each hat of curve c; ``r`` is zero where it has no value."""
        left, share, size = self.left[:, c], self.share[:, c], self.sizes[c]
        low: np.ndarray = np.bincount(np.maximum(left, 0), r * (1.0 - share), minlength=size)
        low += np.bincount(left + 1, r * share, minlength=size)
        return low

    def times(self, coef: np.ndarray) -> np.ndarray:
        """The centred design times coefficients, (n_rows,)."""
        total: np.ndarray = self.linear @ coef[self.blocks[0]]
        for c, block in enumerate(self.blocks[1:]):
            heights = coef[block] - self.centre[block] @ coef[block]
            total += interpolate(heights[:, None], self.left[:, c], self.share[:, c])[:, 0]
        return total

    def transposed_times(self, r: np.ndarray) -> np.ndarray:
        """The centred design, transposed, times ``r`` (n_rows,): (n_coefficients,)."""
        total = np.empty(self.blocks[-1].stop)
        total[self.blocks[0]] = r @ self.linear
        for c, block in enumerate(self.blocks[1:]):
            seen = np.where(self.left[:, c] < 0, 0.0, r)
            total[block] = self._sum_hats(c, seen) - self.centre[block] * seen.sum()
        return total

    def dense(self, rows: np.ndarray) -> np.ndarray:
        """Some rows of the centred design, (n_chosen, n_coefficients)."""
        out = np.zeros((len(rows), self.blocks[-1].stop))
        out[:, self.blocks[0]] = self.linear[rows]
        for c, block in enumerate(self.blocks[1:]):
            seen = np.flatnonzero(self.left[rows, c] >= 0)
            left, share = self.left[rows[seen], c], self.share[rows[seen], c]
            hats = np.zeros((len(seen), self.sizes[c]))
            at = np.arange(len(seen))
            hats[at, left] = 1.0 - share
            hats[at, left + 1] = share
            out[seen, block] = hats - self.centre[block]
        return out

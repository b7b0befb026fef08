"""Piecewise linear curves, each of one column; outside its knots a curve stays level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves as arrays; those of curve c lie from ``start[c]`` to ``start[c + 1]``.

    column : int64 (n_curves,); the column that each curve reads.
    start : int64 (n_curves + 1,)
    knot : float64 (n_knots,); ascending within a curve, two or more.
    height : float64 (n_knots, n_outputs); the curve at its knots. NaN gives zero.

    Examples
    --------
    >>> hat = Curves(np.array([0]), np.array([0, 3]), np.array([0.0, 1.0, 3.0]),
    ...     np.array([[0.0], [1.0], [0.0]]))
    >>> hat.value(0, np.array([[-9.0], [0.5], [2.0], [np.nan]])).ravel()
    array([0. , 0.5, 0.5, 0. ])
    """

    column: np.ndarray
    start: np.ndarray
    knot: np.ndarray
    height: np.ndarray

    def __len__(self) -> int:
        return len(self.column)

    def value(self, c: int, X: np.ndarray) -> np.ndarray:
        """What curve c gives each row, float64 (n_rows, n_outputs)."""
        own = slice(self.start[c], self.start[c + 1])
        return interpolate(self.height[own], *locate(X[:, self.column[c]], self.knot[own]))


def locate(x: np.ndarray, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where values lie among knots: the knot to the left, -1 for NaN, and the share of the next.

    Examples
    --------
    >>> locate(np.array([1.5, 9.0, np.nan]), np.array([0.0, 1.0, 2.0]))
    (array([ 1,  1, -1]), array([0.5, 1. , 0. ]))
    """
    missing = np.isnan(x)
    at = np.clip(np.where(missing, knots[0], x), knots[0], knots[-1]).astype(np.float64)
    left = np.minimum(np.searchsorted(knots, at, side="right") - 1, len(knots) - 2)
    share = (at - knots[left]) / (knots[left + 1] - knots[left])
    return np.where(missing, -1, left), np.where(missing, 0.0, share)


def interpolate(heights: np.ndarray, left: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Heights at places that `locate` found, (n_rows, n_outputs); zero where there is none."""
    part = share[:, None]
    found = (1.0 - part) * heights[left] + part * heights[left + 1]
    return np.where(left[:, None] < 0, 0.0, found)


def knots_of(x: np.ndarray, most: int) -> np.ndarray:
    """Knots at the quantiles of a column, ``most`` or fewer.

    Examples
    --------
    >>> knots_of(np.array([1.0, 2.0, 3.0, 10.0, np.nan]), 3)
    array([ 1. ,  2.5, 10. ])
    """
    seen = x[~np.isnan(x)].astype(np.float64)
    return np.unique(np.quantile(seen, np.linspace(0.0, 1.0, most)))


def has_more_values(x: np.ndarray, few: int) -> bool:
    """Whether a column has more than ``few`` distinct values; mostly told from its first rows.

    Examples
    --------
    >>> has_more_values(np.array([0.0, 1.0, np.nan, 2.0]), 2)
    True
    """
    return any(len(np.unique(part[~np.isnan(part)])) > few for part in (x[:1000], x))

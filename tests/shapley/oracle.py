"""Shapley values by their definition: every coalition, every background row."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np


def coalition_values(predict, x, background, weights, player_of):
    """v(S) for each S as a bit mask: the weighted mean prediction with S taken from ``x``."""
    n = player_of.max() + 1
    worth = []
    for mask in range(2**n):
        rows = background.copy()
        joined = (mask >> player_of & 1).astype(bool)
        rows[:, joined] = x[joined]
        worth.append(np.tensordot(weights, predict(rows), axes=(0, 0)))
    return np.array(worth)


def shapley_from_worth(worth, n):
    """Shapley values (n, ...) of a game given as v(S) over bit masks."""
    phi = np.zeros((n, *worth.shape[1:]))
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            share = factorial(size) * factorial(n - size - 1) / factorial(n)
            for members in combinations(others, size):
                mask = sum(1 << j for j in members)
                phi[i] += share * (worth[mask | 1 << i] - worth[mask])
    return phi


def brute_force(predict, X, background, player_of, weights=None):
    """(n_rows, n_players, n_outputs) by the definition, for a vectorised ``predict``."""
    if weights is None:
        weights = np.full(len(background), 1.0 / len(background))
    n = int(player_of.max()) + 1
    return np.array(
        [
            shapley_from_worth(coalition_values(predict, x, background, weights, player_of), n)
            for x in X
        ]
    )

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from pellucid import shapley

from .models import N_COLUMNS, fit, raw_scores
from .oracle import coalition_values

ALONE = np.arange(N_COLUMNS)
GROUPED = np.array([0, 1, 0, 2, 1, 2])


def by_definition(worth, n):
    """The interaction index of every pair, (n, n, n_outputs); the diagonal is left at zero."""
    found = np.zeros((n, n, *worth.shape[1:]))
    for i, j in combinations(range(n), 2):
        others = [k for k in range(n) if k not in (i, j)]
        for size in range(n - 1):
            share = factorial(size) * factorial(n - size - 2) / factorial(n - 1)
            for members in combinations(others, size):
                mask = sum(1 << k for k in members)
                found[i, j] += share * (
                    worth[mask | 1 << i | 1 << j] - worth[mask | 1 << i] - worth[mask | 1 << j]
                    + worth[mask]
                )  # fmt: skip
        found[j, i] = found[i, j]
    return found


@pytest.mark.parametrize("players", [ALONE, GROUPED], ids=["alone", "grouped"])
@pytest.mark.parametrize("kind", ["plain", "categorical", "multiclass", "rf"])
def test_interactions_equal_their_definition(kind, players):
    booster, X = fit(kind, seed=3, n_leaves=12)
    background, weights = X[50:56], np.array([1.0, 0, 2, 3, 1, 1])
    n = players.max() + 1
    found = shapley.interactions(
        booster, X[:4], background=background, players=players, weights=weights
    ).reshape(4, n, n, -1)
    for x, matrix in zip(X, found):
        worth = coalition_values(
            lambda rows: raw_scores(booster, rows), x, background, weights / 8, players
        )
        expected = by_definition(worth, n) / 2
        off = ~np.eye(n, dtype=bool)
        np.testing.assert_allclose(matrix[off], expected[off], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "multiclass", "dart"])
def test_a_row_of_interactions_sums_to_the_players_value(kind):
    booster, X = fit(kind, n_trees=30, n_leaves=31)
    values = shapley.compile(booster, background=X[:40]).values(X)
    found = shapley.interactions(booster, X, background=X[:40])
    np.testing.assert_allclose(found.sum(axis=2), values, rtol=1e-9, atol=1e-12)
    assert np.array_equal(found, np.swapaxes(found, 1, 2))


def test_no_rows_and_linear_leaves():
    booster, X = fit("plain")
    empty = shapley.interactions(booster, X[:0], background=X[:5])
    assert empty.shape == (0, N_COLUMNS, N_COLUMNS)
    linear, X = fit("linear_tree")
    with pytest.raises(shapley.ShapleyError, match="linear leaves"):
        shapley.interactions(linear, X[:1], background=X[:5])

"""Which coalitions the regression is made on."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from pellucid.shapley.regression import coalitions, masses, populations, quotas


@pytest.mark.parametrize("m", range(2, 15))
def test_a_larger_budget_only_adds(m):
    population = populations(m)
    assert sum(population) == 2 ** (m - 1) - 1
    least = min(sum(population), 3 * m)
    last = [0] * len(population)
    for budget in range(least, sum(population) + 1):
        counts = quotas(m, budget)
        assert sum(counts) <= budget
        assert counts[0] == m or m == 2
        assert all(before <= now <= all_ for before, now, all_ in zip(last, counts, population))
        last = counts
    assert last == population


@pytest.mark.parametrize("m", [60, 301, 2000])
def test_quotas_follow_the_kernel_with_many_players(m):
    counts = quotas(m, 5 * m)
    assert 4 * m < sum(counts) <= 5 * m
    assert counts[0] == m
    assert min(counts) >= 2
    mass = masses(m)
    assert counts[1] / counts[4] == pytest.approx(mass[1] / mass[4], rel=0.1)


@pytest.mark.parametrize(("m", "size"), [(5, 1), (6, 3), (7, 2), (24, 6), (24, 12), (40, 9)])
def test_coalitions_are_distinct_and_a_prefix_of_more(m, size):
    count = min(700, populations(m)[size - 1])
    sets = coalitions(m, size, count, seed=3)
    keys = {tuple(np.flatnonzero(row)) for row in sets}
    if 2 * size == m:
        keys |= {tuple(np.flatnonzero(~row)) for row in sets}
    assert len(keys) == count * (2 if 2 * size == m else 1)
    assert (sets.sum(axis=1) == size).all()
    for fewer in (0, 1, count // 3):
        assert np.array_equal(coalitions(m, size, fewer, seed=3), sets[:fewer])
    if count == comb(m, size):
        assert keys == set(combinations(range(m), size))


def test_coalitions_cover_players_evenly():
    for m, size in ((16, 3), (30, 10)):
        share = coalitions(m, size, 500, seed=0).mean(axis=0)
        assert np.abs(share - size / m).max() < 4 * np.sqrt(size / m / 500)

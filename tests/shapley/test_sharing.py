"""Tables kept once for two sets of players give what each gave alone."""

import numpy as np
import pytest

from pellucid import shapley
from pellucid.shapley.both import both_of
from pellucid.shapley.readers import read_ensemble
from pellucid.shapley.sharing import share_tables

from .models import KINDS, N_COLUMNS, adversarial, fit


def test_shared_tables_give_the_same_bits_in_less_room():
    booster, X = fit("plain", n_trees=20)
    fine = shapley.compile(booster, background=X[:50])
    coarse = shapley.compile(booster, background=X[:50], players=[0, 0, 1, 2, 3, 4])
    one, other = share_tables(fine, coarse)
    for rows in (X[:1], X[:40]):
        np.testing.assert_array_equal(one.values(rows), fine.values(rows))
        np.testing.assert_array_equal(other.values(rows), coarse.values(rows))
    apart = len(fine.groups.table) + len(coarse.groups.table)
    assert one.groups.table is other.groups.table
    assert len(one.groups.table) < apart
    assert share_tables(one, other) == (one, other)


def test_the_same_players_need_no_second_table():
    booster, X = fit("plain")
    tables = [shapley.compile(booster, background=X[:20], players=p)
              for p in (range(N_COLUMNS), range(N_COLUMNS - 1, -1, -1))]  # fmt: skip
    one, _ = share_tables(*tables)
    assert len(one.groups.table) == len(tables[0].groups.table)


@pytest.mark.parametrize("memory", [1, 2**14, 2**28])
@pytest.mark.parametrize("kind", KINDS)
def test_both_at_once_have_the_bits_of_one_after_the_other(kind, memory):
    booster, X = fit(kind)
    trees = read_ensemble(booster)
    players = [None, [0, 0, *range(1, N_COLUMNS - 1)]]
    tables = [
        shapley.compile(trees, background=X[:40], players=who, memory=memory) for who in players
    ]
    both = both_of(*share_tables(*tables))
    if kind == "linear_tree":  # whose slopes go another way
        assert both is None
        return
    rows = np.vstack([X[:90], adversarial(booster, X, np.random.default_rng(0), n_rows=200)])
    for some in (rows[:1], rows[:2], rows):
        for told, alone in zip(both.values(some), tables):
            np.testing.assert_array_equal(told, alone.values(some))

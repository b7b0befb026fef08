import numpy as np
import pytest

from pellucid import shapley

from .models import KINDS, N_COLUMNS, fit, raw_scores
from .oracle import brute_force

ALONE = np.arange(N_COLUMNS)
GROUPED = np.array([0, 1, 0, 2, 1, 2])


def by_definition(booster, X, background, players, weights=None):
    return brute_force(lambda rows: raw_scores(booster, rows), X, background, players, weights)


def cube(tables, X):
    return tables.values(X).reshape(len(X), tables.n_players, tables.n_outputs)


@pytest.mark.parametrize("players", [ALONE, GROUPED], ids=["alone", "grouped"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_equal_their_definition(kind, players):
    booster, X = fit(kind, seed=3, n_leaves=12)
    background = X[50:57]
    tables = shapley.compile(booster, background=background, players=players)
    expected = by_definition(booster, X[:5], background, players)
    np.testing.assert_allclose(cube(tables, X[:5]), expected, rtol=1e-9, atol=1e-12)
    mean = raw_scores(booster, background).mean(axis=0)
    np.testing.assert_allclose(tables.base_values, mean, rtol=1e-12)


def test_weighted_background():
    booster, X = fit("plain", seed=4)
    background, weights = X[50:56], np.array([1.0, 0, 2, 3, 1, 1])
    tables = shapley.compile(booster, background=background, weights=weights)
    expected = by_definition(booster, X[:4], background, ALONE, weights / 8)
    np.testing.assert_allclose(cube(tables, X[:4]), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "multiclass", "rf", "linear_tree"])
def test_each_row_sums_to_its_margin(kind):
    booster, X = fit(kind, n_trees=30, n_leaves=31)
    tables = shapley.compile(booster, background=X[:40])
    total = cube(tables, X).sum(axis=1) + tables.base_values
    np.testing.assert_allclose(total, tables.margins(X), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", ["plain", "multiclass", "linear_tree"])
def test_a_row_has_the_same_bits_alone_in_a_batch_and_on_two_threads(kind):
    booster, X = fit(kind, n_trees=20, n_leaves=31, n_rows=1000)
    tables = shapley.compile(booster, background=X[:40])
    batch = tables.values(X)
    threads = shapley.compile(booster, background=X[:40], n_jobs=2)
    assert np.array_equal(batch, threads.values(X))
    for i in (0, 255, 256, 999):
        assert np.array_equal(batch[i], tables.values(X[i : i + 1])[0])


@pytest.mark.parametrize("n_background", [0, 40, 70, 300], ids="{} background rows".format)
def test_a_row_alone_finds_the_leaves_that_have_no_table(n_background):
    booster, X = fit("multiclass", n_trees=6, n_leaves=31, n_rows=400)
    background = X[:n_background] if n_background else None
    tables = shapley.compile(booster, background=background, players=GROUPED, memory=1)
    assert not len(tables.groups.table)
    assert len(tables.groups.deep_leaf)
    batch = tables.values(X[:30])
    alone = np.concatenate([tables.values(row[None]) for row in X[:30]])
    assert np.array_equal(batch, alone)
    usual = shapley.compile(booster, background=background, players=GROUPED)
    np.testing.assert_allclose(batch, usual.values(X[:30]), rtol=1e-9, atol=1e-12)


def test_any_layout_and_precision_of_rows():
    booster, X = fit("plain")
    X = X.astype(np.float32)
    tables = shapley.compile(booster, background=X[:9])
    expected = tables.values(X)
    assert np.array_equal(tables.values(X.astype(np.float64)), expected)
    assert np.array_equal(tables.values(np.asfortranarray(X)), expected)
    assert np.array_equal(tables.values(np.hstack([X, X])[:, :N_COLUMNS]), expected)
    frozen = X.copy()
    frozen.flags.writeable = False
    assert np.array_equal(tables.values(frozen), expected)


def test_no_rows():
    booster, X = fit("multiclass")
    tables = shapley.compile(booster, background=X[:9])
    assert tables.values(X[:0]).shape == (0, N_COLUMNS, 3)
    assert tables.margins(X[:0]).shape == (0, 3)


def test_players_by_name():
    booster, X = fit("plain")
    named = {"a": ["Column_0", 2], "b": [1, 4], "c": [3, 5]}
    tables = shapley.compile(booster, background=X[:9], players=named)
    expected = shapley.compile(booster, background=X[:9], players=GROUPED)
    assert np.array_equal(tables.values(X), expected.values(X))
    assert tables.players.names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("players", "message"),
    [
        ([0, 1], "players is an array"),
        ([0, 1, 2, 3, 4, -1], "players count from 0"),
        ({"a": [0, 1, 2, 3, 4]}, r"columns \[5\] have no player"),
        ({"a": [0, 1, 2, 3, 4, 5, 5]}, "listed by player 'a' and by an earlier one"),
        ({"a": [0, 1, 2, 3, 4, "size"]}, "player 'a' lists column 'size'"),
    ],
)
def test_players_that_do_not_fit_are_named(players, message):
    booster, X = fit("plain")
    with pytest.raises(shapley.ShapleyError, match=message):
        shapley.compile(booster, background=X[:9], players=players)


def test_linear_leaves_need_background_rows():
    booster, _ = fit("linear_tree")
    with pytest.raises(shapley.ShapleyError, match=r"linear leaves.*give background rows"):
        shapley.compile(booster)


def test_backgrounds_and_rows_that_do_not_fit_are_named():
    booster, X = fit("plain")
    with pytest.raises(shapley.ShapleyError, match="background has no rows"):
        shapley.compile(booster, background=X[:0])
    with pytest.raises(shapley.ShapleyError, match="background has shape"):
        shapley.compile(booster, background=X[:9, :2])
    with pytest.raises(shapley.ShapleyError, match="weights must be finite"):
        shapley.compile(booster, background=X[:2], weights=[-1, 1])
    with pytest.raises(shapley.ShapleyError, match="unknown game 'chess'"):
        shapley.compile(booster, background=X[:2], game="chess")
    tables = shapley.compile(booster, background=X[:2])
    with pytest.raises(shapley.ShapleyError, match="X has shape"):
        tables.values(X[:, :3])
    with pytest.raises(shapley.ShapleyError, match="expected numbers"):
        tables.values(np.full((1, N_COLUMNS), "a"))

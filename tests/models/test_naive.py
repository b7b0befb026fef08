"""Naive forecasts and what changes since them: exact, behind either link, and back from files."""

import numpy as np
import pytest

from pellucid.models.family import Rows, get_family
from pellucid.models.problem import Problem

TREES = {"family": "lightgbm", "config": {"num_leaves": 7}}


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    level = np.exp(rng.normal(3, 1, n))
    X = np.column_stack([rng.normal(size=n), level, rng.normal(size=n)]).astype(np.float32)
    y = level * np.exp(0.3 * X[:, 0] * (X[:, 2] > 0)) * np.exp(0.05 * rng.normal(size=n))
    X[rng.random(n) < 0.05, 1] = np.nan
    return Rows(X, y, rng.uniform(0.5, 2.0, n))


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_naive_margin_is_the_column_and_all_of_it_is_the_columns(link):
    train, problem = rows(), Problem("regression", link=link)
    member = get_family("naive").fit(train, problem, {"column": 1, "offset": 10.0}, seed=0)
    said = problem.response(member.margins(train.X))
    known = ~np.isnan(train.X[:, 1])
    np.testing.assert_allclose(said[known], train.X[known, 1].astype(float) + 10.0)
    np.testing.assert_allclose(said[~known], np.average(train.y, weights=train.weight))
    tables = member.shapley(background=train.X[:50], players=np.array([0, 1, 1]))
    values = tables.values(train.X)
    assert (values[:, 0] == 0).all()
    np.testing.assert_allclose(
        values.sum(axis=1) + tables.base_values, member.margins(train.X)[:, 0]
    )


@pytest.mark.parametrize("link", ["identity", "log"])
def test_zeros_stand_for_little_behind_a_log_link(link):
    train = Rows(np.array([[0.0], [8.0]], dtype=np.float32), np.array([2.0, 6.0]))
    problem = Problem("regression", link=link)
    member = get_family("naive").fit(train, problem, {"column": 0}, seed=0)
    least = 0.004 if link == "log" else 0.0
    np.testing.assert_allclose(problem.response(member.margins(train.X)), [least, 8.0])


@pytest.mark.parametrize("link", ["identity", "log"])
def test_changes_are_added_to_the_naive_margin(link):
    train, problem = rows(), Problem("regression", link=link)
    config = {"column": 1, "offset": 0.0, **TREES}
    family = get_family("change")
    member = family.fit(train, problem, config, seed=0, valid=rows(seed=1))
    again = family.from_files(member.to_files())
    for each in (member, again):
        assert np.array_equal(each.margins(train.X), member.margins(train.X))
        for players in (np.arange(3), np.array([0, 1, 0])):
            tables = each.shapley(background=train.X[:50], players=players)
            totals = tables.values(train.X).sum(axis=1) + tables.base_values
            np.testing.assert_allclose(totals, each.margins(train.X)[:, 0], atol=1e-9)
    refitted = family.fit(train, problem, config, seed=0, rounds=member.rounds)
    assert refitted.rounds == member.rounds


@pytest.mark.parametrize("link", ["identity", "log"])
def test_changes_go_beyond_the_values_that_trees_were_shown(link):
    """A level twice as high as any in training is forecast twice as high, not at the old top."""
    train, problem = rows(), Problem("regression", link=link)
    config = {"column": 1, "offset": 0.0, **TREES}
    changes = get_family("change").fit(train, problem, config, seed=0, rounds=50)
    trees = get_family("lightgbm").fit(train, problem, TREES["config"], seed=0, rounds=50)
    top = np.nanmax(train.X[:, 1])
    ahead = np.array([[0.0, 2 * top, 0.0]], dtype=np.float32)
    assert problem.response(changes.margins(ahead))[0] > 1.5 * top
    assert problem.response(trees.margins(ahead))[0] < 1.3 * top

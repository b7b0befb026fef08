"""Many rows are predicted by another loop than one: the bits must be the same."""

import numpy as np
import pytest

from pellucid.shapley.margins import ensemble_margins
from pellucid.shapley.readers.lightgbm import read

from .models import KINDS, adversarial, fit


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "linear_tree"])
def test_many_rows_have_the_bits_of_one(kind):
    booster, X = fit(kind)
    rows = adversarial(booster, X, np.random.default_rng(1), n_rows=100)
    trees = read(booster)
    alone = np.concatenate([ensemble_margins(trees, row[None]) for row in rows])
    np.testing.assert_array_equal(ensemble_margins(trees, rows), alone)


@pytest.mark.parametrize("n_leaves", [63, 64, 65, 90])
def test_trees_of_more_leaves_than_bits_too(n_leaves):
    booster, X = fit("plain", n_leaves=n_leaves, n_rows=1500, n_trees=3, min_data_in_leaf=1)
    trees = read(booster)
    assert (trees.feature[: trees.roots[1]] < 0).sum() == n_leaves
    rows = adversarial(booster, X, np.random.default_rng(2), n_rows=200)
    alone = np.concatenate([ensemble_margins(trees, row[None]) for row in rows])
    np.testing.assert_array_equal(ensemble_margins(trees, rows), alone)

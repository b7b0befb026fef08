import sys

import numpy as np
import pytest

from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem

REGRESSION = Problem("regression")


def rows(seed=0, n_rows=400):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return Rows(X, np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2]).astype(np.float64))


def test_margins_are_those_of_xgboost_itself():
    xgboost = pytest.importorskip("xgboost")
    train = rows()
    config = {"eta": 0.3, "max_depth": 4, "max_leaves": 0, "min_child_weight": 2.0}
    config["colsample_bytree"] = 1.0
    member = get_family("xgboost").fit(train, REGRESSION, config, seed=0, rounds=10)
    mean, spread = train.y.mean(), train.y.std()
    data = xgboost.DMatrix(train.X, (train.y - mean) / spread, nthread=1)
    params = {**config, "tree_method": "hist", "nthread": 1, "base_score": 0.0}
    theirs = xgboost.train(params, data, 10).predict(data) * spread + mean
    np.testing.assert_allclose(member.margins(train.X)[:, 0], theirs, atol=1e-5)


def test_a_large_offset_costs_no_precision():
    pytest.importorskip("xgboost")
    train = rows()
    shifted = Rows(train.X, 1e9 + train.y)
    fits = [
        get_family("xgboost").fit(part, REGRESSION, {}, seed=0, rounds=30)
        for part in (train, shifted)
    ]
    near, far = (member.margins(train.X)[:, 0] for member in fits)
    np.testing.assert_allclose(far - 1e9, near, atol=1e-5)


@pytest.mark.parametrize("config", [{"num_parallel_tree": 4, "subsample": 0.6}, {"max_leaves": 9}])
def test_boosted_forests_and_leafwise_trees(config):
    pytest.importorskip("xgboost")
    train, valid = rows(), rows(1)
    member = get_family("xgboost").fit(train, REGRESSION, config, seed=0, valid=valid)
    trees = member.trees
    assert trees.n_trees == member.rounds * config.get("num_parallel_tree", 1)
    error = np.mean((member.margins(valid.X)[:, 0] - valid.y) ** 2)
    assert error < 0.5 * valid.y.var()
    if "max_leaves" in config:
        leaves = np.add.reduceat(trees.feature < 0, trees.roots)
        assert leaves.max() == 9


def test_an_unknown_setting_is_named_with_those_known():
    pytest.importorskip("xgboost")
    with pytest.raises(FamilyError, match=r"\['depth'\]; known: .*max_depth"):
        get_family("xgboost").fit(rows(), REGRESSION, {"depth": 3}, seed=0, rounds=1)


def test_without_xgboost_a_fit_says_what_to_install_and_a_stored_member_still_predicts(
    monkeypatch,
):
    pytest.importorskip("xgboost")
    family, train = get_family("xgboost"), rows()
    member = family.fit(train, REGRESSION, {}, seed=0, rounds=5)
    margins, files = member.margins(train.X), member.to_files()
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(FamilyError, match=r"pip install 'pellucid\[xgboost\]'"):
        family.fit(train, REGRESSION, {}, seed=0, rounds=5)
    assert np.array_equal(family.from_files(files).margins(train.X), margins)

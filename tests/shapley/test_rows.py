"""Frames are put in the model's order by name, once; arrays are taken as they are."""

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from pellucid import shapley

NAMES = ["age", "net income", "job=admin.", "visits"]


def frame(seed=0, n_rows=200):
    X = np.random.default_rng(seed).normal(size=(n_rows, 4))
    return pd.DataFrame(X, columns=NAMES)


def target(X):
    return X["age"] + 3 * X["visits"] * X["net income"]


def fit_lightgbm(X, y):
    return lgb.LGBMRegressor(n_estimators=10, verbosity=-1).fit(X, y)


def fit_xgboost(X, y):
    return pytest.importorskip("xgboost").XGBRegressor(n_estimators=10, n_jobs=1).fit(X, y)


def fit_catboost(X, y):
    catboost = pytest.importorskip("catboost")
    return catboost.CatBoostRegressor(
        iterations=10, logging_level="Silent", allow_writing_files=False
    ).fit(X, y)


def fit_histograms(X, y):
    return HistGradientBoostingRegressor(max_iter=10).fit(X, y)


def fit_forest(X, y):
    return RandomForestRegressor(10).fit(X, y)


FITS = [fit_lightgbm, fit_xgboost, fit_catboost, fit_histograms, fit_forest]


def shuffled(X):
    """The columns in another order, between others that the model does not have."""
    return X[NAMES[::-1]].assign(note="x")[["note", *NAMES[::-1]]].assign(other=1.0)


@pytest.mark.parametrize("how", FITS)
def test_order_of_named_columns_does_not_matter(how, tmp_path):
    X = frame()
    model = how(X, target(X))
    tables = shapley.compile(model, background=shuffled(X)[:30])
    tables.save(tmp_path / "tables")
    expected = shapley.compile(model, background=X[:30].to_numpy()).values(X.to_numpy())
    for each in (tables, shapley.load(tmp_path / "tables")):
        assert np.array_equal(each.values(X), expected)
        assert np.array_equal(each.values(shuffled(X)), expected)
        assert np.array_equal(each.margins(shuffled(X)), each.margins(X.to_numpy()))
        each.verify(each.values(shuffled(X)), model.predict(X))


@pytest.mark.parametrize("how", [fit_lightgbm, fit_xgboost, fit_histograms])
def test_a_model_of_arrays_takes_the_names_of_its_background(how):
    X = frame()
    model = how(X.to_numpy(), target(X))
    tables = shapley.compile(model, background=X[:30], players={"who": ["age"], "rest": [1, 2, 3]})
    expected = tables.values(X.to_numpy())
    assert np.array_equal(tables.values(shuffled(X)), expected)
    assert np.array_equal(tables.values(X.set_axis(range(4), axis=1)), expected)
    pairs = shapley.interactions(model, shuffled(X)[:5], background=X[:30])
    expected = shapley.interactions(model, X[:5].to_numpy(), background=X[:30].to_numpy())
    assert np.array_equal(pairs, expected)


def test_closed_forms_take_the_names_of_their_background():
    X = frame()
    linear = shapley.linear([1.0, 2.0, 3.0, 4.0], 0.5, background=X[:30])
    assert np.array_equal(linear.values(shuffled(X)), linear.values(X.to_numpy()))
    assert np.array_equal(linear.margins(shuffled(X)), linear.margins(X.to_numpy()))
    product = shapley.additive([shapley.Term((0, 3), np.multiply)], 0.5, background=X[:30])
    assert np.array_equal(product.values(shuffled(X)), product.values(X.to_numpy()))
    assert np.array_equal(product.margins(shuffled(X)), product.margins(X.to_numpy()))


def test_frames_of_polars_are_aligned_too():
    polars = pytest.importorskip("polars")
    X = frame()
    tables = shapley.compile(fit_lightgbm(X, target(X)), background=X[:30])
    mixed = polars.DataFrame({name: X[name].to_numpy() for name in NAMES[::-1]})
    assert np.array_equal(tables.values(mixed), tables.values(X))


def test_columns_that_lack_or_come_twice_are_named():
    X = frame()
    tables = shapley.compile(fit_lightgbm(X, target(X)), background=X[:30])
    with pytest.raises(shapley.ShapleyError, match="X lacks the columns visits, which the model"):
        tables.values(X.drop(columns="visits").assign(other=1.0))
    twice = pd.concat([X[["age"]], X], axis=1)
    with pytest.raises(shapley.ShapleyError, match="X has several columns named age"):
        tables.values(twice)
    with pytest.raises(shapley.ShapleyError, match="background lacks the columns age"):
        shapley.compile(fit_lightgbm(X, target(X)), background=X.drop(columns="age"))

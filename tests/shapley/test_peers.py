"""Agreement with other implementations where they are right; where they are not, it is said."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from pellucid import shapley

from .models import fit, table


@pytest.mark.parametrize("kind", ["plain", "no_missing", "binary", "multiclass", "categorical"])
def test_path_dependent_values_equal_lightgbm_contributions(kind):
    booster, X = fit(kind, n_trees=10, n_leaves=15)
    tables = shapley.compile(booster)
    theirs = booster.predict(X, pred_contrib=True).reshape(len(X), -1, X.shape[1] + 1)
    ours = tables.values(X).reshape(len(X), X.shape[1], -1).swapaxes(1, 2)
    np.testing.assert_allclose(ours, theirs[:, :, :-1], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(tables.base_values, theirs[0, :, -1], rtol=1e-8, atol=1e-9)


def test_interventional_values_equal_shap():
    shap = pytest.importorskip("shap")
    booster, X = fit("no_missing", n_trees=10, n_leaves=15)
    explainer = shap.TreeExplainer(booster, X[:60], feature_perturbation="interventional")
    tables = shapley.compile(booster, background=X[:60])
    # shap adds in float32
    np.testing.assert_allclose(tables.values(X), explainer.shap_values(X), atol=1e-5)


def rf():
    booster, X = fit("rf")
    return booster, X, booster.predict(X)


def dart():
    xgboost = pytest.importorskip("xgboost")
    X, y = table("plain", 0)
    params = {"booster": "dart", "rate_drop": 0.5, "nthread": 1, "max_depth": 3}
    booster = xgboost.train(params, xgboost.DMatrix(X, y), 20)
    return booster, X, booster.predict(xgboost.DMatrix(X), output_margin=True)


def linear_tree():
    booster, X = fit("linear_tree")
    return booster, X, booster.predict(X)


def zero_as_missing():
    booster, X = fit("zero_as_missing")
    return booster, X, booster.predict(X)


def histograms_of_categories():
    X, y = table("no_missing", 0)
    model = HistGradientBoostingRegressor(categorical_features=[4, 5], max_iter=10).fit(X, y)
    return model, X, model.predict(X)


def catboost_bias():
    catboost = pytest.importorskip("catboost")
    X, y = table("no_missing", 0)
    model = catboost.CatBoostRegressor(
        iterations=10, logging_level="Silent", allow_writing_files=False
    ).fit(X, y + 10)
    return model, X, model.predict(X)


def reordered():
    catboost = pytest.importorskip("catboost")
    X, y = table("no_missing", 0)
    named = pd.DataFrame(X, columns=list("abcdef"))
    model = catboost.CatBoostRegressor(
        iterations=10, logging_level="Silent", allow_writing_files=False
    ).fit(named, y)
    return model, named[list("fedcba")], model.predict(named)


@pytest.mark.parametrize(
    "case",
    [
        rf, dart, linear_tree, zero_as_missing, histograms_of_categories, catboost_bias, reordered,
    ],
)  # fmt: skip
def test_ours_adds_up_where_shap_is_silently_wrong(case):
    """When the last line fails shap has become right: change the table of docs/shapley.md."""
    model, X, own = case()
    tables = shapley.compile(model, background=X[:40])
    tables.verify(tables.values(X), own)
    shap = pytest.importorskip("shap")
    explainer = shap.TreeExplainer(model, X[:40], feature_perturbation="interventional")
    theirs = explainer.shap_values(X).sum(axis=1) + np.ravel(explainer.expected_value)[0]
    assert np.abs(theirs - own).max() > 1e-2

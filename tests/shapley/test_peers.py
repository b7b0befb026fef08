"""Agreement with other implementations where they are right."""

import numpy as np
import pytest

from pellucid import shapley

from .models import fit


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

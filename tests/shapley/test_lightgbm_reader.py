import lightgbm as lgb
import numpy as np
import pytest

from pellucid import shapley
from pellucid.shapley.readers import read_ensemble
from pellucid.shapley.readers.lightgbm import read_text

from .models import KINDS, adversarial, fit, raw_scores, table


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_margins_equal_lightgbm_to_the_last_float(kind, seed):
    booster, X = fit(kind, seed, n_trees=12, n_leaves=20)
    rows = np.vstack([X, adversarial(booster, X, np.random.default_rng(seed))])
    tables = shapley.compile(booster, background=X[:3])
    assert np.array_equal(tables.margins(rows), raw_scores(booster, rows), equal_nan=True)


def test_rf_margin_is_what_predict_gives():
    booster, X = fit("rf")
    tables = shapley.compile(booster, background=X[:3])
    np.testing.assert_allclose(tables.margins(X)[:, 0], booster.predict(X), rtol=1e-14)


def test_scikit_learn_wrappers_and_best_iteration():
    X, y = table("plain", 0)
    model = lgb.LGBMRegressor(n_estimators=30, verbosity=-1, num_leaves=7)
    model.fit(X, y, eval_set=[(X[:50], -y[:50])], callbacks=[lgb.early_stopping(2, verbose=False)])
    tables = shapley.compile(model, background=X[:3])
    assert np.array_equal(tables.margins(X)[:, 0], model.predict(X, raw_score=True))


def test_constant_model():
    X = np.ones((40, 2))
    booster = lgb.train({"verbosity": -1}, lgb.Dataset(X, np.full(40, 3.0)), 2)
    tables = shapley.compile(booster, background=X[:2])
    assert np.array_equal(tables.margins(X), raw_scores(booster, X))
    assert np.array_equal(tables.values(X), np.zeros((40, 2)))


def test_unfitted_and_foreign_models_are_named():
    with pytest.raises(shapley.ReaderError, match="LGBMRegressor holds no booster; fit it"):
        read_ensemble(lgb.LGBMRegressor())
    with pytest.raises(shapley.ReaderError, match=r"no reader for a model of class builtins\.dict"):
        read_ensemble({})
    with pytest.raises(shapley.ReaderError, match="not the text of a LightGBM model"):
        read_text("hello")

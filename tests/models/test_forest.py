"""Forests: the margin is a line in scikit-learn's own mean probability."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.prior import prior_margins
from pellucid.models.problem import Problem

FOREST = get_family("forest")


def make(n_classes, n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 0] - X[:, 1])
    return X, np.digitize(signal, np.linspace(-1, 1, n_classes - 1))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_margin_is_a_line_in_the_mean_probability(n_classes):
    X, y = make(n_classes)
    problem = Problem("binary" if n_classes == 2 else "multiclass", n_classes)
    member = FOREST.fit(Rows(X, y), problem, {"slope": 5.0, "n_estimators": 30}, seed=7)
    own = ExtraTreesClassifier(30, max_features=0.25, random_state=7).fit(X, y)
    shown = slice(1, None) if n_classes == 2 else slice(None)
    share = np.bincount(y) / len(y)
    line = prior_margins(y, problem) + 5.0 * (own.predict_proba(X) - share)[:, shown]
    np.testing.assert_allclose(member.margins(X), line, atol=1e-12)


def test_values_are_the_forests_own():
    X, y = make(5)
    settings = {"kind": "random", "n_estimators": 20, "min_samples_leaf": 3}
    member = FOREST.fit(Rows(X, y.astype(float)), Problem("regression"), settings, seed=1)
    own = RandomForestRegressor(20, max_features=0.25, min_samples_leaf=3, random_state=1)
    np.testing.assert_allclose(member.margins(X)[:, 0], own.fit(X, y).predict(X), atol=1e-12)


def test_a_class_that_the_rows_lack_keeps_its_prior():
    X, y = make(3)
    problem = Problem("multiclass", 4)
    margins = FOREST.fit(Rows(X, y), problem, {"n_estimators": 10}, seed=0).margins(X)
    assert margins.shape == (len(X), 4)
    np.testing.assert_allclose(margins[:, 3], prior_margins(y, problem)[3])


def test_what_cannot_be_is_told():
    X, y = make(2)
    with pytest.raises(FamilyError, match="log link"):
        FOREST.fit(Rows(X, y + 1.0), Problem("regression", link="log"), {}, seed=0)
    for config, message in (({"trees": 9}, "'trees'"), ({"kind": "rain"}, "'rain'")):
        with pytest.raises(FamilyError, match=message):
            FOREST.fit(Rows(X, y), Problem("binary", 2), config, seed=0)


def test_paths_over_a_hundred_words_stay_explainable():
    X = np.eye(200, dtype=np.float32)  # each split tells one row from the others
    y = np.arange(200, dtype=np.float64) ** 2
    settings = {"kind": "random", "n_estimators": 2, "max_features": 1.0}
    member = FOREST.fit(Rows(X, y), Problem("regression"), settings, seed=0)
    tables = member.shapley(background=X[:5], players=np.arange(200))
    sums = tables.base_values + tables.values(X[-5:]).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sums, member.margins(X[-5:]), rtol=1e-9)

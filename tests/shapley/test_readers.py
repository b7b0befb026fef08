"""Compiling holds what was read to what the library itself predicts on the background rows."""

import re

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier

from pellucid import shapley
from pellucid.shapley.readers import read_ensemble

from .models import fit, table


class OtherText(lgb.Booster):
    """A booster whose text tells another value of one leaf than the one it predicts with."""

    def model_to_string(self, *args, **options):
        text = super().model_to_string(*args, **options)
        first = re.search(r"leaf_value=(\S+)", text)
        return text.replace(first[0], f"leaf_value={float(first[1]) + 1e-6!r}", 1)


@pytest.mark.parametrize("kind", ["plain", "multiclass", "rf"])
def test_a_leaf_that_is_not_what_lightgbm_predicts_with(kind):
    booster, X = fit(kind)
    model = OtherText(model_str=booster.model_to_string())
    with pytest.raises(shapley.ReaderError, match=r"reader of LightGBM: row \d+ of the background"):
        shapley.compile(model, background=X[:100])
    tables = shapley.compile(read_ensemble(model), background=X[:100])  # trees are what they are
    with pytest.raises(shapley.AdditivityError, match="reader of LightGBM"):
        tables.verify(tables.values(X), shapley.compile(booster, background=X[:1]).margins(X))


class Doubtful(DecisionTreeClassifier):
    """A tree that does not answer what its leaves say."""

    def predict_proba(self, X):
        return super().predict_proba(X) * [1.0, 1.0, 1.001]


def test_an_answer_that_is_not_in_the_trees():
    X, y = table("no_missing", 0)
    model = Doubtful(max_depth=3).fit(X, np.digitize(y, np.quantile(y, [0.3, 0.7])))
    expected = r"reader of scikit-learn: .* \(output 2\); the Doubtful has something"
    with pytest.raises(shapley.ReaderError, match=expected):
        shapley.compile(model, background=X[:50])


def test_rows_that_the_library_refuses_are_held_to_nothing():
    X, y = table("no_missing", 0)
    model = GradientBoostingRegressor(n_estimators=3).fit(X, y)
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.predict(X)
    tables = shapley.compile(model, background=X[:5])
    tables.verify(tables.values(X[1:]), model.predict(X[1:]))

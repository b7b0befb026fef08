"""Leaks, drift and repeated rows are told, and nothing is told of sound data."""

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.suspicions import check_drift, check_repeats
from pellucid.tabular.schema import align, infer_schema

RNG = np.random.default_rng(0)


def table(n_rows=600):
    return pd.DataFrame(
        {
            "age": RNG.integers(18, 90, n_rows).astype(float),
            "job": RNG.choice(["cook", "clerk", "maid"], n_rows),
            "joined": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(RNG.integers(0, 400, n_rows), "D"),
        }
    )


def warned(model):
    rails = model.training_["guardrails"]
    return {rail["column"]: rail["message"] for rail in rails if rail["level"] == "warning"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_copy_of_the_target_is_told(task):
    X = table()
    value = X["age"] + 5 * RNG.normal(size=len(X))
    if task == "regression":
        model, y = AutoMLRegressor, value
    else:
        model = AutoMLClassifier
        y = pd.cut(value, 2 if task == "binary" else 3, labels=False)
    X["paid"] = y + 0.01 * RNG.normal(size=len(X))
    fitted = model(time_budget=None, max_trials=3, store=False).fit(X, y)
    assert "made from it" in warned(fitted)["paid"]
    assert "job" not in warned(fitted)


def test_sound_data_raises_no_suspicion():
    X = table()
    y = (X["age"] + X["job"].eq("cook") * 30 + 20 * RNG.normal(size=len(X))) > 60
    fitted = AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    assert not warned(fitted)


def test_columns_that_drift_are_named():
    X, later = table(), table()
    schema = infer_schema(X)
    assert check_drift(align(X, schema), later, schema) == []
    later["age"] += 25
    later["job"] = np.where(RNG.random(len(later)) < 0.7, "cook", later["job"])
    later["joined"] += pd.Timedelta(days=200)
    told = {rail.column for rail in check_drift(align(X, schema), later, schema)}
    assert told == {"age", "job", "joined"}


def test_repeated_rows_are_told():
    X = table()
    assert check_repeats(X) == []
    assert "twin" in check_repeats(pd.concat([X, X[:200]]))[0].message

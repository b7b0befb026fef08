"""An explanation that misses the model's own prediction is an error, never a quiet number."""

from dataclasses import replace

import numpy as np
import pytest

from pellucid import shapley
from pellucid.shapley.additivity import FLOAT64, hold_to_margins
from pellucid.shapley.readers import read_ensemble

from .models import KINDS, fit, raw_scores


@pytest.mark.parametrize("kind", KINDS)
def test_values_hold_against_lightgbm_itself(kind, tmp_path):
    booster, X = fit(kind)
    tables = shapley.compile(booster, background=X[:20])
    assert tables.verify(tables.values(X), raw_scores(booster, X)).max() < 1e-11
    tables.save(tmp_path / "tables")
    loaded = shapley.load(tmp_path / "tables")
    assert loaded.source == tables.source == "reader of LightGBM"
    loaded.verify(loaded.values(X), raw_scores(booster, X))


@pytest.mark.parametrize("kind", ["plain", "multiclass", "rf", "categorical"])
def test_one_leaf_that_was_read_wrong_is_caught(kind):
    booster, X = fit(kind)
    trees = read_ensemble(booster)
    leaf = int(np.flatnonzero(trees.feature < 0)[3])
    wrong = trees.value.copy()
    wrong[leaf] += 1e-7
    tables = shapley.compile(replace(trees, value=wrong), background=X[:20])
    values, own = tables.values(X), raw_scores(booster, X)
    gaps = np.abs(values.reshape(len(X), X.shape[1], -1).sum(axis=1) + tables.base_values - own)
    row, _ = np.argwhere(gaps > 1e-9)[0]
    with pytest.raises(shapley.AdditivityError, match=rf"reader of LightGBM: .* row {row} add up"):
        tables.verify(values, own)
    honest = gaps.max(axis=1) < 1e-9
    tables.verify(values[honest], own[honest])
    assert 0 < honest.sum() < len(X)


def test_a_library_that_adds_in_float32_is_held_to_float32():
    xgboost = pytest.importorskip("xgboost")
    _, X = fit("plain")
    y = 100.0 + np.nan_to_num(X[:, 0])
    booster = xgboost.train({"nthread": 1, "max_depth": 4}, xgboost.DMatrix(X, y), 30)
    tables = shapley.compile(booster, background=X[:20])
    values, own = tables.values(X), booster.predict(xgboost.DMatrix(X), output_margin=True)
    assert 0 < tables.verify(values, own).max() < 1e-3
    with pytest.raises(shapley.AdditivityError):
        hold_to_margins(tables, values, own, tolerance=FLOAT64)
    own[7] += 0.01
    with pytest.raises(shapley.AdditivityError, match=r"reader of XGBoost: .* row 7 .* 1 of 400"):
        tables.verify(values, own)


def test_a_model_of_nothing_is_held_to_nothing():
    tables = shapley.linear([0.0], 0.0, background=[[0.0]])
    assert tables.verify(np.zeros((3, 1)), np.zeros(3)).max() == 0.0
    with pytest.raises(shapley.AdditivityError):
        tables.verify(np.zeros((3, 1)), np.full(3, 1e-300))


def test_each_row_is_held_to_its_own_scale():
    tables = shapley.linear([1.0, 1.0], 0.0, background=[[0.0, 0.0]])
    X = np.array([[1e9, 1.0], [1e-3, 1e-3]])
    values, own = tables.values(X), tables.margins(X)
    tables.verify(values, own)
    own[1] += 1e-9
    with pytest.raises(shapley.AdditivityError, match="row 1"):
        tables.verify(values, own)


def test_what_the_model_itself_cancels_counts_as_rounding():
    """A coefficient times a date, less nearly as much again: the margin is rounded already."""
    rng = np.random.default_rng(0)
    X = 1.7e9 + rng.integers(0, 9, size=(200, 1)) * 128.0
    tables = shapley.linear([1.0 / 300], -1.7e9 / 300, background=X[:50])
    tables.verify(tables.values(X), tables.margins(X))
    pair = [shapley.Term((0,), np.sin), shapley.Term((0,), lambda x: -np.sin(x))]
    cancelled = shapley.additive(pair, 1e6, background=X[:50])
    cancelled.verify(cancelled.values(X), cancelled.margins(X))


def test_what_is_no_number_or_has_no_place_fails():
    tables = shapley.linear([[1.0, 2.0], [0.0, 1.0]], [0.0, 0.0], background=[[0.0, 0.0]])
    values = tables.values(np.ones((3, 2)))
    with pytest.raises(shapley.AdditivityError, match=r"row 2 .* \(output 1\)"):
        tables.verify(values, [[3, 1], [3, 1], [3, np.nan]])
    with pytest.raises(shapley.AdditivityError, match="row 0"):
        tables.verify(values, [[np.inf, 1], [3, 1], [3, 1]])
    for shape in ((3,), (2, 2), (2, 3), (3, 1), ()):
        with pytest.raises(shapley.ShapleyError, match="margins has shape"):
            tables.verify(values, np.ones(shape))
    with pytest.raises(shapley.ShapleyError, match="values has shape"):
        tables.verify(values[:, :, 0], np.ones((3, 2)))
    assert tables.verify(np.zeros((0, 2, 2)), np.zeros((0, 2))).shape == (0, 2)

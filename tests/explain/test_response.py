"""Curves of known functions are known; their bands hold what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pellucid.explain.accumulated import accumulated_effects
from pellucid.explain.asking import AskError
from pellucid.explain.response import partial_dependence


@pytest.fixture(scope="module")
def correlated():
    """Two columns that go together, one of words, and a sum of functions of them."""
    rng = np.random.default_rng(3)
    a = rng.normal(size=400)
    X = pd.DataFrame(
        {"a": a, "b": a + 0.3 * rng.normal(size=400), "w": rng.choice(["x", "y"], 400)}
    )
    return X, lambda rows: rows["a"] ** 2 + 3 * rows["b"] + 5.0 * (rows["w"] == "x")


def test_partial_dependence_of_a_sum_is_its_part(correlated):
    X, f = correlated
    found = partial_dependence(f, X, "a", grid=9)
    part = found.grid**2
    np.testing.assert_allclose(found.mean - found.mean[0], part - part[0], atol=1e-9)
    rest = (3 * X["b"] + 5 * (X["w"] == "x")).mean()
    np.testing.assert_allclose(found.mean, part + rest, atol=1e-9)
    assert set(found.grid) <= set(X["a"])
    assert found.rows.sum() == len(X)
    assert found.ice.shape == (400, 9)
    words = partial_dependence(f, X, "w").to_frame()
    assert words.loc["x", "mean"] - words.loc["y", "mean"] == pytest.approx(5)
    assert words["rows"].to_dict() == X["w"].value_counts().to_dict()


def test_ice_is_the_models_answer_to_each_row(correlated):
    X, f = correlated
    found = partial_dependence(f, X, "b", grid=[0.0, 7.0])
    np.testing.assert_array_equal(found.ice[:, 1], f(X.assign(b=7.0)))


def test_accumulated_effects_of_what_goes_together_is_the_own_part(correlated):
    X, f = correlated
    found = accumulated_effects(f, X, "b", intervals=7)
    np.testing.assert_allclose(np.diff(found.mean), 3 * np.diff(found.grid), atol=1e-9)
    assert abs(np.interp(X["b"], found.grid, found.mean).mean()) < 1e-9  # centred


def test_accumulated_effects_stay_where_rows_are():
    rng = np.random.default_rng(0)
    a = rng.uniform(size=2000)
    X = pd.DataFrame({"a": a, "b": a})

    def f(rows):  # nothing but trouble where rows never are
        return rows["a"] + 100 * (np.abs(rows["a"] - rows["b"]) > 0.2)

    ale = accumulated_effects(f, X, "a", intervals=20)
    assert ale.mean[-1] - ale.mean[0] == pytest.approx(np.ptp(ale.grid))
    assert partial_dependence(f, X, "a").mean.max() > 50


def test_levels_are_added_up_in_the_order_given(correlated):
    X, f = correlated
    found = accumulated_effects(f, X, "w", order=["y", "x"])
    share = (X["w"] == "x").mean()
    np.testing.assert_allclose(found.mean, [-5 * share, 5 * (1 - share)])
    ordered = X.assign(w=pd.Categorical(X["w"], ["y", "x", "never"], ordered=True))
    again = accumulated_effects(f, ordered, "w")
    np.testing.assert_array_equal(again.mean, found.mean)


def test_bands_hold_the_curve_of_all_rows_as_often_as_they_say():
    """a * b with b around 1: the mean over all rows is a, and samples of 60 differ."""

    def f(rows):
        return rows["a"] * rows["b"]

    held = {"pd": 0, "ale": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame({"a": np.tile(np.linspace(0, 1, 6), 10), "b": rng.normal(1, 1, 60)})
        pd_found = partial_dependence(f, X, "a", grid=[0.5], confidence=0.9)
        held["pd"] += pd_found.low[0] <= 0.5 <= pd_found.high[0]
        ale = accumulated_effects(f, X, "a", intervals=5, confidence=0.9)
        held["ale"] += ale.low[-1] <= 0.5 <= ale.high[-1]
    assert 0.85 <= held["pd"] / 300 <= 0.95
    assert 0.84 <= held["ale"] / 300 <= 0.95


def test_pipelines_arrays_and_sparse_rows(people):
    frame, y = people
    make = make_column_transformer((OneHotEncoder(), ["job", "city"]), remainder="passthrough")
    pipeline = make_pipeline(make, RandomForestClassifier(5, random_state=0)).fit(frame, y)
    found = partial_dependence(pipeline, frame, "job", label="no", max_rows=50)
    assert found.ice.shape == (50, 4)
    whose = pipeline.predict_proba(frame.loc[found.index].assign(job="a"))[:, 0]
    np.testing.assert_allclose(found.ice[:, list(found.grid).index("a")], whose)
    margin = make_pipeline(make, LogisticRegression()).fit(frame.fillna(0), y)
    both = [
        partial_dependence(margin, frame.fillna(0), "income", space="margin", label=label).mean
        for label in ("no", "yes")
    ]
    np.testing.assert_allclose(both[0], -both[1])
    X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    line = LinearRegression().fit(X, X[:, 0] * 2)
    of_array = partial_dependence(line, X, "x0", grid=[0.0, 1.0]).mean
    of_sparse = partial_dependence(line, sparse.csr_matrix(X), "x0", grid=[0.0, 1.0]).mean
    assert np.diff(of_array)[0] == pytest.approx(2, abs=1e-5)
    np.testing.assert_allclose(of_array, of_sparse, atol=1e-5)


def test_times_lie_on_a_line():
    days = pd.date_range("2026-01-01", periods=40)
    X = pd.DataFrame({"day": days, "n": np.arange(40)})
    found = partial_dependence(lambda rows: rows["day"].dt.day + 0.0, X, "day", grid=5)
    np.testing.assert_array_equal(found.mean, pd.DatetimeIndex(found.grid).day)
    assert found.rows.sum() == 40


def test_what_cannot_be_asked_is_said(correlated, people):
    X, f = correlated
    with pytest.raises(AskError, match="no column 'B'; did you mean 'b'"):
        partial_dependence(f, X, "B")
    with pytest.raises(AskError, match="holds categories, along which nothing"):
        accumulated_effects(f, X, "w")
    with pytest.raises(AskError, match="no row with 'z'"):
        accumulated_effects(f, X, "w", order=["x", "z"])
    with pytest.raises(AskError, match="lists 1 levels"):
        accumulated_effects(f, X, "w", order=["x"])
    with pytest.raises(AskError, match="has one value"):
        accumulated_effects(f, X.assign(a=1.0), "a")
    with pytest.raises(AskError, match="has no values"):
        partial_dependence(f, X.assign(a=np.nan), "a")
    with pytest.raises(AskError, match="X has no rows"):
        partial_dependence(f, X[:0], "a")
    with pytest.raises(AskError, match="X has 1 rows"):
        partial_dependence(f, X[:1], "a")
    with pytest.raises(AskError, match="confidence is 95"):
        partial_dependence(f, X, "a", confidence=95)
    with pytest.raises(AskError, match="grid has no values"):
        partial_dependence(f, X, "a", grid=[])
    with pytest.raises(AskError, match="ask for at least one"):
        partial_dependence(f, X, "a", grid=0)
    with pytest.raises(AskError, match="2 outputs and no classes"):
        partial_dependence(lambda rows: np.column_stack([rows["a"], rows["b"]]), X, "a")
    frame, _ = people
    y = np.tile(["u", "v", "w"], 100)
    make = make_column_transformer((OneHotEncoder(), ["job"]))
    three = make_pipeline(make, LogisticRegression()).fit(frame, y)
    with pytest.raises(AskError, match="has 3 classes; say which"):
        partial_dependence(three, frame, "job")
    with pytest.raises(AskError, match="no class 'z'"):
        partial_dependence(three, frame, "job", label="z")
    typed = X.assign(w=X["w"].astype("category"))
    with pytest.raises(AskError, match="has no level 'q'"):
        partial_dependence(f, typed, "w", grid=["q"])

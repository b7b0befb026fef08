"""Counterfactuals are the fewest and nearest changes, and the model says what they claim."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pellucid import AutoMLClassifier
from pellucid.explain.alternatives import CounterfactualError
from pellucid.explain.asking import AskError
from pellucid.explain.counterfactual import counterfactuals
from pellucid.explain.moves import spread_of


def by_brute_force(f, row, X, low):
    """Fewest changes, and the smallest distance with as many, over every row of seen values."""
    best = (99, np.inf)
    for cells in product(*(np.unique(X[name]) for name in X)):
        moved = [name for name, cell in zip(X, cells) if cell != row[name]]
        if not moved or f(pd.DataFrame([dict(zip(X, cells))])).iloc[0] < low:
            continue
        distance = sum(
            1.0 if isinstance(cell, str) else abs(cell - row[name]) / spread_of(X[name])
            for name, cell in zip(X, cells)
            if name in moved
        )
        best = min(best, (len(moved), distance))
    return best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_they_are_the_fewest_and_nearest_of_all_rows_of_seen_values(seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.integers(0, 5, 12).astype(float),
            "b": rng.normal(size=12).round(1),
            "w": np.array(rng.choice(list("xyz"), 12), dtype=object),
        }
    )
    slopes = rng.normal(size=3)

    def f(rows):
        words = rows["w"].map({"x": 0.0, "y": 1.0, "z": -1.0}).astype(float)
        return slopes[0] * rows["a"] + slopes[1] * rows["a"] * rows["b"] + slopes[2] * words

    row = X.iloc[0]
    low = float(f(X).iloc[0] + rng.exponential(1.5) + 1e-6)
    count, distance = by_brute_force(f, row, X, low)
    if count == 99:
        with pytest.raises(CounterfactualError, match="all of them were tried"):
            counterfactuals(f, X.iloc[[0]], X=X, wanted=(low, None), values=20)
        return
    found = counterfactuals(f, X.iloc[[0]], X=X, wanted=(low, None), values=20)
    assert found.fewest
    assert len(found[0].changes) == count
    assert found[0].distance == pytest.approx(distance)
    for each in found:
        assert f(each.row).iloc[0] >= low
        assert each.prediction == f(each.row).iloc[0]


@pytest.fixture(scope="module")
def loan():
    rng = np.random.default_rng(5)
    n = 400
    X = pd.DataFrame(
        {
            "income": rng.gamma(3, 10, n).round(1),
            "debt": rng.gamma(2, 5, n).round(1),
            "age": rng.integers(18, 80, n),
            "job": rng.choice(["clerk", "cook", "none"], n),
        }
    )
    score = X["income"] - 2 * X["debt"] + 10 * (X["job"] != "none") + rng.normal(0, 5, n)
    y = np.where(score > score.median(), "yes", "no")
    make = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    return X, y, make_pipeline(make, LogisticRegression(max_iter=2000)).fit(X, y)


def denied(X, model):
    chances = model.predict_proba(X)[:, 1]
    return X.iloc[[int(np.argmin(np.abs(chances - 0.2)))]]


def test_what_must_not_move_does_not_and_bounds_hold(loan):
    X, _, model = loan
    row = denied(X, model)
    found = counterfactuals(
        model,
        row,
        X=X,
        wanted="yes",
        immutable=["age"],
        bounds={"income": (None, 60), "debt": "decrease", "job": ["clerk"]},
        n=5,
    )
    assert len(found) >= 2
    for each in found:
        assert model.predict(each.row)[0] == "yes"
        np.testing.assert_array_equal(each.response, model.predict_proba(each.row)[0])
        assert "age" not in each.changes
        for name, (old, new) in each.changes.items():
            assert old == row[name].iloc[0]
            assert new == each.row[name].iloc[0]
            assert new in set(X[name])
            assert name != "income" or new <= 60
            assert name != "debt" or new < old
            assert name != "job" or new == "clerk"
        assert dict(each.row.dtypes) == dict(X.dtypes)
    assert [each.distance for each in found] == sorted(each.distance for each in found)
    frame = found.to_frame()
    assert frame["prediction"].tolist() == ["no"] + ["yes"] * len(found)
    assert str(found).startswith("now no\n")


def test_numbers_move_no_further_than_they_must(loan):
    X, _, model = loan
    row = denied(X, model)
    found = counterfactuals(model, row, X=X, immutable=["debt", "age", "job"])
    old, new = found[0].changes["income"]
    between = np.unique(X["income"])
    between = between[(between > old) & (between < new)]
    assert not (
        model.predict(pd.concat([row] * len(between)).assign(income=between)) == "yes"
    ).any()


def test_where_there_is_none_it_says_what_came_nearest(loan):
    X, _, model = loan
    row = denied(X, model)
    with pytest.raises(CounterfactualError, match=r"(?s)gives 'yes'; all .* age -> .* for 'yes'"):
        counterfactuals(model, row, X=X, wanted="yes", immutable=["income", "debt", "job"])
    with pytest.raises(CounterfactualError, match="no column may move"):
        counterfactuals(model, row, X=X, immutable=list(X.columns))
    with pytest.raises(CounterfactualError, match="no column may move"):
        counterfactuals(
            model, row, X=X, bounds={"income": (1e6, None)}, immutable=["debt", "age", "job"]
        )


def test_what_cannot_be_asked_is_said(loan):
    X, _, model = loan
    row = denied(X, model)
    for message, options in {
        "no column 'incme'; did you mean 'income'": {"immutable": ["incme"]},
        "no column 'wage'": {"bounds": {"wage": (0, 1)}},
        "lower one is above": {"bounds": {"income": (5, 1)}},
        "holds categories; give a list": {"bounds": {"job": (1, 2)}},
        "'up'; expected a tuple": {"bounds": {"income": "up"}},
        r"\(1,\); expected a tuple": {"bounds": {"income": (1,)}},
        "expected a list or set": {"bounds": {"job": "clerk"}},
        "no class 'maybe'": {"wanted": "maybe"},
        "has the outcome already": {"wanted": "no"},
        "must each be at least 1": {"max_changes": 0},
    }.items():
        with pytest.raises(AskError, match=message):
            counterfactuals(model, row, X=X, **options)

    def f(rows):
        return rows["income"]

    with pytest.raises(AskError, match="must be a range such as"):
        counterfactuals(f, row, X=X)
    with pytest.raises(AskError, match="lower end is above"):
        counterfactuals(f, row, X=X, wanted=(5, 3))


def test_beyond_the_budget_shapley_values_say_what_to_combine():
    """Three columns of 40 must move together; no single move shows any of them."""
    lightgbm = pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(3000, 40)), columns=[f"c{i}" for i in range(40)])
    y = ((X["c3"] > 0) & (X["c17"] > 0) & (X["c31"] > 0)).astype(int)
    model = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=8, verbose=-1).fit(X, y)
    row = X[(X["c3"] < -0.5) & (X["c17"] < -0.5) & (X["c31"] < -0.5)].iloc[[0]]
    found = counterfactuals(model, row, X=X, wanted=1, values=4, budget=4000)
    assert set(found[0].changes) == {"c3", "c17", "c31"}
    assert model.predict(found[0].row)[0] == 1
    assert not found.fewest
    assert found.asked < 15_000


def test_times_arrays_and_classes_of_their_own_kind():
    days = pd.date_range("2026-01-01", periods=60)
    X = pd.DataFrame({"day": days, "n": np.arange(60) % 7})

    def late(rows):
        return (rows["day"] - pd.Timestamp("2026-01-01")).dt.days + rows["n"] * 0.001

    found = counterfactuals(late, X.iloc[[5]], X=X, wanted=(40, None))
    assert found[0].changes["day"] == (days[5], days[40])
    array = np.random.default_rng(0).normal(size=(100, 3))
    y = np.digitize(array[:, 0], [-0.5, 0.5])
    three = LogisticRegression().fit(array, y)
    row = array[y == 0][0]
    top = counterfactuals(three, row, X=array, wanted=2, max_changes=1)
    assert list(top[0].changes) == ["x0"]
    assert three.predict(top[0].row.to_numpy())[0] == 2
    other = counterfactuals(three, row, X=array)
    assert other[0].prediction != 0


CREDIT = Path("/work/shared/data/german_credit/german_credit.parquet")


@pytest.mark.slow
@pytest.mark.skipif(not CREDIT.is_file(), reason="german_credit is not on this machine")
def test_credit_decisions_flip_by_what_an_applicant_can_change():
    import json

    card = json.loads(CREDIT.with_name("card.json").read_text())
    table = pd.read_parquet(CREDIT)
    target = card["target"]
    X, y = table.drop(columns=target), table[target]
    clf = AutoMLClassifier(time_budget=None, max_trials=4, store=False).fit(X[:700], y[:700])
    rest = X[700:]
    bad = clf.classes_[1]
    at = np.flatnonzero(clf.predict(rest) == bad)[0]
    row = rest.iloc[[at]]
    fixed = [name for name in X if "age" in name or "status" in name or "foreign" in name][:3]
    found = counterfactuals(clf, row, X=X[:700], immutable=fixed, max_changes=2)
    for each in found:
        assert clf.predict(each.row)[0] != bad
        assert len(each.changes) <= 2
        assert not set(each.changes) & set(fixed)

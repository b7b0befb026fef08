"""The error tree finds what was planted, says it in rules that hold, and measures it elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import pellucid
from pellucid.explain.asking import AskError
from pellucid.explain.cohort import compare_cohorts
from pellucid.explain.conditions import holds
from pellucid.explain.failing import error_tree


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n = 1200
    X = pd.DataFrame(
        {
            "age of car": rng.uniform(0, 20, n),
            "town": rng.choice(["A", "B", "C"], n),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 100, n), unit="D"),
            "km": rng.exponential(10, n),
        }
    )
    X.loc[::9, "km"] = np.nan
    return X


def predict(rows):
    return rows["age of car"] * 1.0


def test_it_finds_the_rows_that_were_made_wrong(rows):
    bad = (rows["age of car"] > 12) & (rows["town"] == "C")
    noise = np.random.default_rng(1).normal(0, 0.1, len(rows))
    found = error_tree(predict, rows, rows["age of car"] + 5.0 * bad + noise, depth=2)
    inside = found.group == 0
    assert (inside == bad).mean() > 0.99
    assert "town == 'C'" in found.table["rule"].iloc[0]
    assert found.table["worse"].tolist()[0] is True
    assert found.table["error"].iloc[0] == pytest.approx(5, abs=0.3)
    assert found.table["of all"].iloc[0] > 0.8
    assert str(found).startswith("mean absolute error ")


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_rules_hold_of_their_rows_and_of_no_others(rows, depth):
    late = rows["day"] > "2026-03-01"
    wrong = np.where(rows["km"].isna(), 3.0, rows["km"] * late + 0.2 * rows["age of car"])
    found = error_tree(predict, rows, rows["age of car"] + wrong, depth=depth)
    for place, rule in enumerate(found.table["rule"]):
        np.testing.assert_array_equal(holds(rule, rows), found.group == place, err_msg=rule)
    assert found.table["rows"].sum() == len(rows)
    assert found.table["of all"].sum() == pytest.approx(1)


def test_where_nothing_is_worse_nothing_is_called_so(rows):
    calls = 0
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=len(rows))
        found = error_tree(predict, rows, rows["age of car"] + noise, random_state=seed)
        calls += int(found.table["worse"].sum())
    assert calls <= 10  # of some 160 groups


def test_classes_and_cohorts_of_it(people):
    frame, y = people
    X = frame[["age", "income"]].fillna(40.0)
    model = LogisticRegression().fit(X, y)
    found = error_tree(model, X, y, depth=2)
    wrong = (model.predict(X) != y).astype(float)
    assert found.measure == "wrong"
    assert 0 < found.error < 1
    explanation = pellucid.explain(model, X, y=y)
    cohorts = compare_cohorts(explanation, {"worst": found.group == 0, "rest": found.group > 0})
    assert cohorts.summary.loc["worst", "mean error"] == wrong[found.group == 0].mean()
    assert error_tree(model, X, y, measure="log loss").measure == "log loss"


def test_what_cannot_be_asked_is_said(rows, people):
    y = rows["age of car"]
    for message, options in {
        "measure is 'wrong'; .* predicts values": {"measure": "wrong"},
        "depth must be at least 1": {"depth": 0},
        "least_share between": {"least_share": 0.7},
    }.items():
        with pytest.raises(AskError, match=message):
            error_tree(predict, rows, y, **options)
    with pytest.raises(AskError, match="need at least 20"):
        error_tree(predict, rows[:10], y[:10])
    with pytest.raises(AskError, match="y has shape"):
        error_tree(predict, rows, y[:10])

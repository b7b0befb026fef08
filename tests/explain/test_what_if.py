"""What if: the model's own prediction of the changed row, and moves that add up to its change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pellucid import AutoMLClassifier, AutoMLForecaster, explain
from pellucid.explain.asking import AskError
from pellucid.explain.changing import what_if


def log_odds(p):
    return np.log(p / (1 - p))


def test_a_pipelines_row_is_predicted_and_explained_again(people):
    frame, y = people
    frame = frame.fillna(40.0)
    make = make_column_transformer((OneHotEncoder(), ["job", "city"]), remainder="passthrough")
    pipeline = make_pipeline(make, LogisticRegression(max_iter=1000)).fit(frame, y)
    row = frame.iloc[[5]]
    found = what_if(pipeline, row, {"job": "a", "income": 3}, background=frame[:50])
    new = row.assign(job="a", income=3.0)
    assert found.predictions == (pipeline.predict(row)[0], pipeline.predict(new)[0])
    before, after = (pipeline.predict_proba(each)[0] for each in (row, new))
    np.testing.assert_allclose(found.probabilities, [before, after])
    moves = found.moved()
    assert moves["move"].sum() == pytest.approx(log_odds(after[1]) - log_odds(before[1]))
    assert moves["move"].abs().is_monotonic_decreasing
    assert moves.loc["city", "move"] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.moved("no")["move"], -moves["move"])
    assert found.changes["job"] == (row["job"].iloc[0], "a")
    assert f"job: {row['job'].iloc[0]} -> a" in str(found)
    assert list(found.before.data.index) == list(row.index)


def test_our_own_model_needs_no_background_and_reads_text(people):
    frame, y = people
    clf = AutoMLClassifier(time_budget=None, max_trials=2, store=False).fit(frame, y)
    row = frame.iloc[3].to_dict()
    found = what_if(clf, row, {"income": "2.5", "age": ""})
    assert found.changes["income"][1] == 2.5
    assert np.isnan(found.changes["age"][1])
    new = pd.DataFrame([{**row, "income": 2.5, "age": np.nan}])
    assert found.predictions[1] == clf.predict(new)[0]
    np.testing.assert_allclose(found.probabilities[1], clf.predict_proba(new)[0])
    with pytest.raises(AskError, match="holds numbers, not 'much'"):
        what_if(clf, row, {"income": "much"})
    with pytest.raises(AskError, match="no column 'incme'; did you mean 'income'"):
        what_if(clf, row, {"incme": 1})
    with pytest.raises(AskError, match="changes is empty"):
        what_if(clf, row, {})
    with pytest.raises(AskError, match="a table of 2 rows"):
        what_if(clf, frame[:2], {"age": 3})


def test_rows_as_dicts_take_the_types_of_the_background(people):
    lightgbm = pytest.importorskip("lightgbm")
    frame, y = people
    typed = frame.astype({"job": "category", "city": "category"})
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(typed, y)
    row = typed.iloc[[8]]
    found = what_if(model, row.iloc[0].to_dict(), {"job": "a"}, background=typed[:40])
    new = row.assign(job=pd.Categorical(["a"], typed["job"].cat.categories))
    np.testing.assert_allclose(found.probabilities[1], model.predict_proba(new)[0])
    with pytest.raises(AskError, match="has no level 'zebra'"):
        what_if(model, row, {"job": "zebra"}, background=typed)
    with pytest.raises(AskError, match="keeps no background"):
        what_if(model, row, {"job": "a"})


def test_arrays_and_truth_values():
    X = np.array([[0.0, 1.0], [2.0, 3.0]])

    def f(rows):
        return rows[:, 0] * rows[:, 1]

    found = what_if(f, [1.0, 5.0], {"x1": 4}, background=X)
    assert found.predictions == (5.0, 4.0)
    flags = pd.DataFrame({"on": [True, False], "n": [1.0, 2.0]})
    switched = what_if(lambda r: r["on"] * r["n"], flags[:1], {"on": "false"}, background=flags)
    assert switched.predictions == (1.0, 0.0)
    with pytest.raises(AskError, match="true and false, not 'maybe'"):
        what_if(lambda r: r["on"] * r["n"], flags[:1], {"on": "maybe"}, background=flags)


def test_a_forecast_is_made_again_of_the_changed_table():
    n = 130
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"day": pd.date_range("2025-01-01", periods=n), "price": rng.normal(size=n)}
    )
    sales = (10 + 3 * table["price"]).rename("sales")
    model = AutoMLForecaster(
        time_column="day", horizon=5, known_in_advance=["price"], time_budget=None, max_trials=2,
        allowed_families=["lightgbm"], store=False,
    ).fit(table[: n - 5], sales[: n - 5])  # fmt: skip
    row = table[n - 5 : n - 4]
    found = what_if(model, row, {"price": 2.0})
    assert found.changes["price"] == (row["price"].iloc[0], 2.0)
    after = model.predict(row.assign(price=2.0))
    assert found.predictions[1] == pytest.approx(np.ravel(after)[0])
    moves = found.moved()["move"]
    assert moves.sum() == pytest.approx(found.after.margins[0, 0] - found.before.margins[0, 0])
    with pytest.raises(AskError, match="one cell is part of many"):
        explain.partial_dependence(model, table[n - 5 :], "price")
    with pytest.raises(AskError, match="one cell is part of many"):
        explain.counterfactuals(model, row, X=row, wanted=(12, None))

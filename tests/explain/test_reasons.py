"""Reasons are the largest exact pushes towards the outcome, and their stability is measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

import pellucid
from pellucid.explain.asking import AskError
from pellucid.explain.reasons import reason_codes


@pytest.fixture(scope="module")
def fitted(people):
    frame, y = people
    frame = frame.fillna(40.0)
    make = make_column_transformer((OneHotEncoder(), ["job", "city"]), remainder="passthrough")
    return frame, make_pipeline(make, LogisticRegression(max_iter=1000)).fit(frame, y)


def test_they_are_the_largest_pushes_towards_the_outcome(fitted):
    frame, model = fitted
    rows, background = frame[:12], frame[100:160]
    found = reason_codes(model, rows, outcome="no", background=background, top=2)
    pushes = -pellucid.explain(model, rows, background=background).values
    for i, reasons in enumerate(found.rows):
        order = [j for j in np.argsort(-pushes[i]) if pushes[i, j] > 0][:2]
        assert [r.feature for r in reasons] == [frame.columns[j] for j in order]
        np.testing.assert_allclose([r.push for r in reasons], pushes[i, order])
        assert all(0 < r.share <= 1 and 0 <= r.stability <= 1 for r in reasons)
        assert all(r.cell == rows[r.feature].iloc[i] for r in reasons)
    table = found.to_frame()
    assert set(table["row"]) <= set(rows.index)
    assert table["words"].str.contains("typically").all()


def test_by_default_they_are_for_the_rows_own_prediction(fitted):
    frame, model = fitted
    rows = frame[:30]
    own = reason_codes(model, rows, background=frame[100:160], copies=0)
    predicted = model.predict(rows)
    for label in ("no", "yes"):
        fixed = reason_codes(model, rows, outcome=label, background=frame[100:160], copies=0)
        for i in np.flatnonzero(predicted == label):
            assert [r.feature for r in own[i]] == [r.feature for r in fixed[i]]
            assert np.isnan([r.stability for r in own[i]]).all()


def test_reasons_far_apart_are_stable_and_near_ones_are_not():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    X["c"] = X["b"]
    row = pd.DataFrame({"a": [3.0], "b": [1.0], "c": [1.001]})

    def f(rows):
        return rows["a"] + rows["b"] + rows["c"]

    one = reason_codes(f, row, outcome="high", background=X, top=1, noise=0.05, copies=60)
    assert [r.feature for r in one[0]] == ["a"]
    assert one.stability[0] == 1
    two = reason_codes(f, row, outcome="high", background=X, top=2, noise=0.05, copies=60)
    assert two[0][0].stability == 1
    assert 0.3 < two[0][1].stability < 0.9
    still = reason_codes(f, row, outcome="high", background=X, top=2, noise=0.0, copies=5)
    assert still.stability[0] == 1
    again = reason_codes(f, row, outcome="high", background=X, top=2, noise=0.05, copies=60)
    assert again[0] == two[0]


def test_words_of_ones_own_and_whole_numbers_that_stay_whole():
    X = pd.DataFrame({"n": [1, 2, 3, 9], "w": ["x", "x", "y", "z"]})
    seen = []

    def f(rows):
        seen.append(rows["n"].to_numpy())
        return rows["n"] * 1.0

    found = reason_codes(
        f,
        X,
        outcome="high",
        background=X,
        words={"n": "Too many: {cell}, others have {typical}"},
        noise=0.5,
    )
    assert found[3][0].words == "Too many: 9, others have 2.5"
    assert found[0] == ()
    assert found.stability[0] == 1
    assert all((cells == np.round(cells)).all() for cells in seen)


def test_three_classes(people):
    frame, _ = people
    y = np.digitize(frame["income"], [0.4, 1.2])
    make = make_column_transformer((OneHotEncoder(), ["job"]), ("passthrough", ["income"]))
    model = make_pipeline(make, LogisticRegression(max_iter=2000)).fit(frame, y)
    rich = frame[frame["income"] > 2][:3]
    found = reason_codes(model, rich, outcome=2, background=frame[:60], copies=3)
    assert all(reasons[0].feature == "income" for reasons in found.rows)


def test_what_cannot_be_asked_is_said(fitted):
    frame, model = fitted
    for message, options in {
        "no class 'maybe'": {"outcome": "maybe"},
        "words are given for 'wage'": {"words": {"wage": "x"}},
        "hold 'salary' in braces": {"words": {"income": "{salary}"}},
        "top must be at least 1": {"top": 0},
    }.items():
        with pytest.raises(AskError, match=message):
            reason_codes(model, frame[:3], background=frame[:20], **options)
    numbers = frame[["age", "income"]]
    margin_only = LinearSVC().fit(numbers, frame["income"] > 1)
    with pytest.raises(AskError, match="labels are not known; say which class"):
        reason_codes(margin_only, numbers[:3], background=numbers[:20])
    with pytest.raises(AskError, match="outcome must be 'high' or 'low'"):
        reason_codes(lambda r: r["age"], frame[:3], outcome="no", background=frame[:20])

"""Cohorts, rankings with their intervals, and conditions in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import pellucid
from pellucid.explain.asking import AskError
from pellucid.explain.cohort import by_error, by_score, compare_cohorts, mask_of
from pellucid.explain.conditions import ConditionError, holds
from pellucid.explain.explanation import Explanation
from pellucid.explain.ranking import rank


def explained(values, data=None, **options):
    values = np.asarray(values, dtype=float)
    names = tuple(f"f{i}" for i in range(values.shape[1]))
    if data is None:
        data = pd.DataFrame(np.zeros(values.shape[:2]), columns=names)
    outputs = values.shape[2] if values.ndim == 3 else 1
    return Explanation(values, np.zeros(outputs), tuple(data.columns), data, **options)


def test_intervals_hold_the_importance_over_all_rows_as_often_as_they_say():
    held = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        found = rank(
            explained(rng.normal(size=(200, 1)) * 2), repeats=500, confidence=0.9, random_state=seed
        )
        low, high = found.table.loc["f0", ["low", "high"]]
        held += low <= 2 * np.sqrt(2 / np.pi) <= high
    assert 0.85 <= held / 250 <= 0.95


def test_features_are_tied_when_chance_could_have_ordered_them():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 4)) * [5.0, 1.0, 1.02, 0.1]
    found = rank(explained(values))
    assert found.table.loc[["f0", "f1", "f2", "f3"], "tied"].tolist() == [1, 2, 2, 4]
    assert found.table.loc["f0", ["first", "last"]].tolist() == [1, 1]
    assert (found.table["first"] <= found.table["rank"]).all()
    assert (found.table["rank"] <= found.table["last"]).all()
    same = rank(explained(np.tile([[3.0, 2.0, 2.0]], (9, 1))))
    assert same.table["tied"].tolist() == [1, 2, 2]
    assert same.stability == pytest.approx(1)


def test_a_ranking_of_much_is_stable_and_one_of_noise_is_not():
    rng = np.random.default_rng(0)
    clear = rank(explained(rng.normal(size=(300, 8)) * 2.0 ** np.arange(8)), top=3)
    noise = rank(explained(rng.normal(size=(15, 8))), top=3)
    assert clear.stability > 0.99
    assert clear.top_kept == 1
    assert noise.stability < 0.8
    assert noise.top_kept < 0.9


def test_classes_are_averaged_or_chosen():
    values = np.zeros((5, 2, 3))
    values[:, 0, 0], values[:, 1, 2] = 6.0, 9.0
    explanation = explained(values, classes=("a", "b", "c"))
    assert rank(explanation).table["importance"].to_dict() == {"f1": 3.0, "f0": 2.0}
    assert rank(explanation, label="a").table["importance"].to_dict() == {"f0": 6, "f1": 0}


@pytest.fixture(scope="module")
def fitted(people):
    frame, y = people
    frame = frame.fillna(40.0)
    make = make_column_transformer((OneHotEncoder(), ["job", "city"]), remainder="passthrough")
    model = make_pipeline(make, LogisticRegression(max_iter=1000)).fit(frame, y)
    return pellucid.explain(model, frame, y=y), frame, y, model


def test_cohorts_are_their_rows_ranked_alone(fitted):
    explanation, frame, y, model = fitted
    old = frame["age"] >= 40
    found = compare_cohorts(
        explanation,
        {
            "rich": "income > 1 and not city == 'Oslo'",
            "old": old,
            "ab": {"job": ["a", "b"], "income": (None, 2)},
        },
    )
    rich = ((frame["income"] > 1) & (frame["city"] != "Oslo")).to_numpy()
    np.testing.assert_array_equal(found.members["rich"], rich)
    ab = (frame["job"].isin(["a", "b"]) & (frame["income"] <= 2)).to_numpy()
    np.testing.assert_array_equal(found.members["ab"], ab)
    expected = np.abs(explanation.values[rich]).mean(axis=0)
    at = list(explanation.feature_names)
    np.testing.assert_allclose(found.table["rich"].loc[at, "importance"], expected)
    assert (found.table["rich"]["low"] <= found.table["rich"]["importance"]).all()
    chances = model.predict_proba(frame)[:, 1]
    assert found.summary.loc["old", "mean answer"] == pytest.approx(chances[old].mean())
    wrong = (model.predict(frame) != y).astype(float)
    assert found.summary.loc["rich", "mean error"] == pytest.approx(wrong[rich].mean())
    with pytest.raises(AskError, match="share rows"):
        found.difference("rich", "old")


def test_shuffled_masks_are_put_in_the_order_of_the_rows(fitted):
    explanation, frame, _, _ = fitted
    old = frame["age"] >= 40
    np.testing.assert_array_equal(mask_of(explanation, old.sample(frac=1, random_state=0)), old)
    with pytest.raises(AskError, match="not that of the explained rows"):
        mask_of(explanation, old[:-1])


def test_by_error_and_by_score_cover_every_row_once(fitted):
    explanation, frame, y, model = fitted
    wrong = by_error(explanation)
    np.testing.assert_array_equal(wrong["wrong"], model.predict(frame) != y)
    bands = by_score(explanation, n=3)
    assert sum(mask.astype(int) for mask in bands.values()).tolist() == [1] * len(frame)
    sizes = [mask.sum() for mask in bands.values()]
    assert max(sizes) - min(sizes) <= 2
    chances = model.predict_proba(frame)[:, 1]
    tops = [chances[mask].max() for mask in bands.values()]
    assert tops == sorted(tops)
    gap = compare_cohorts(explanation, bands).difference(*list(bands)[:2])
    assert ((gap["low"] <= gap["difference"]) & (gap["difference"] <= gap["high"])).all()
    values = explained(
        np.ones((6, 1)), details={"predicted": [1.0] * 6, "y_true": [1.0, 2, 3, 4, 5, 6]}
    )
    assert [mask.sum() for mask in by_error(values, n=2).values()] == [3, 3]


def test_what_is_no_cohort_is_refused(fitted):
    explanation, _, _, _ = fitted
    for message, cohorts in {
        "cohorts is empty": {},
        "has 0 of 300 rows": {"x": "age > 1000"},
        "expected a condition, a mapping": {"x": [1, 2, 3]},
        "no column 'jobb'": {"x": {"jobb": "a"}},
        r"range is a tuple \(low, high\)": {"x": {"age": (1, 2, 3)}},
    }.items():
        with pytest.raises(AskError, match=message):
            compare_cohorts(explanation, cohorts)
    with pytest.raises(AskError, match="holds no truth"):
        by_error(explained([[1.0]]))
    with pytest.raises(AskError, match="at least two bands"):
        by_score(explanation, n=1)
    with pytest.raises(AskError, match="there are 1 explained rows"):
        rank(explanation[:1])
    with pytest.raises(AskError, match="repeats is 1"):
        rank(explanation, repeats=1)


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    st.integers(-3, 3),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
)
def test_conditions_are_what_pandas_says(cells, end, sign):
    frame = pd.DataFrame({"a b": cells, "c": [-cell for cell in cells]})
    text = f"`a b` {sign} {end} or (c in [1, 2] and not c == 2)"
    expected = frame.query(f"`a b` {sign} {end} or (c in [1, 2] and not c == 2)").index
    assert np.flatnonzero(holds(text, frame)).tolist() == expected.tolist()


def test_missing_cells_texts_and_times():
    frame = pd.DataFrame(
        {"a": [1.0, np.nan], "t": pd.to_datetime(["2026-01-01", "2026-02-01"]), "w": ["x", None]}
    )
    assert holds("a == None", frame).tolist() == [False, True]
    assert holds("w != None", frame).tolist() == [True, False]
    assert holds("a > 0", frame).tolist() == [True, False]
    assert holds("t >= '2026-01-15'", frame).tolist() == [False, True]
    assert holds("w not in ['x']", frame).tolist() == [False, True]
    assert holds("-1 < a < 2", frame).tolist() == [True, False]
    assert holds("ok and n > 1", {"ok": True, "n": 2}) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('x') == 0", "is not a name, a number"),
        ("a.values > 0", "is not a name, a number"),
        ("a + 1 > 0", "is not a name, a number"),
        ("[x for x in a] == 1", "is not a name, a number"),
        ("(lambda: 1) == 1", "is not a name, a number"),
        ("a", "is no comparison"),
        ("1", "is no comparison"),
        ("a is 1", "cannot be compared so"),
        ("a == [1]", "cannot be compared so"),
        ("a in 3", r"followed by a \[list\]"),
        ("a >", "cannot read the condition"),
        ("aa > 1", "names 'aa', which is not there; did you mean 'a'"),
        ("a > 'x'", "cannot be compared"),
        ("a > " + "1" * 3000, "2000 is the most"),
        ("(" * 900 + "a > 1" + ")" * 900, "cannot read the condition"),
    ],
)
def test_nothing_else_is_read(text, message):
    with pytest.raises(ConditionError, match=message):
        holds(text, pd.DataFrame({"a": [1.0, 2.0]}))

import json

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier
from pellucid.serve.errors import RowsError
from pellucid.serve.scorer import Scorer
from pellucid.store.artifacts import save_predictor


@pytest.fixture(scope="module")
def scorer(clf):
    return Scorer(clf.predictor_).warm()


def records(frame):
    return json.loads(frame.to_json(orient="records", date_format="iso"))


def same(scores, explanation):
    for level, told in (("raw", explanation), ("engineered", explanation.engineered)):
        assert scores.levels[level].names == told.feature_names
        np.testing.assert_array_equal(scores.levels[level].values, told.values)
        np.testing.assert_array_equal(scores.levels[level].base_values, told.base_values)
    assert scores.predictions.tolist() == explanation.details["predicted"]
    assert scores.probabilities.tolist() == explanation.details["probability"]


def test_a_table_has_the_bits_of_explain(scorer, clf, people):
    same(scorer.score(people), clf.explain(people))


def test_a_row_from_json_has_the_bits_of_the_batch(scorer, clf, people):
    whole = clf.explain(people)
    for i, row in enumerate(records(people)):
        same(scorer.score(row), whole[[i]])


def test_three_classes(people):
    y = pd.cut(people["age"], 3, labels=["a", "b", "c"]).astype(str)
    clf = AutoMLClassifier(time_budget=None, max_trials=1, store=False).fit(people, y)
    scores = Scorer(clf.predictor_).score(people)
    same(scores, clf.explain(people))
    best = scores.reasons(top=1)[0][0]
    winner = scores.margins[0].argmax()
    assert (
        best["importance"]
        == clf.explain(people).values[0, :, winner][
            np.abs(clf.explain(people).values[0, :, winner]).argmax()
        ]
    )


def test_a_folder_gives_the_same_bits(scorer, people, tmp_path):
    save_predictor(scorer.predictor, tmp_path / "model")
    same(Scorer.load(tmp_path / "model").score(people), scorer.predictor.explain(people))


def test_reasons_are_the_largest_with_the_cells_of_the_row(scorer, people):
    scores = scorer.score(records(people)[0])
    reasons = scores.reasons(top=3)[0]
    sizes = np.abs(scores.levels["raw"].values[0])
    assert [abs(each["importance"]) for each in reasons] == sorted(sizes, reverse=True)[:3]
    assert all(each["value"] == records(people)[0][each["feature"]] for each in reasons)


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("age", True, "wrong_type"),
        ("age", [1], "wrong_type"),
        ("age", {"a": 1}, "wrong_type"),
        ("age", "abc", None),
        ("since", 5, "wrong_type"),
        ("since", True, "wrong_type"),
        ("job", [1], "wrong_type"),
        ("job", 5, None),
        ("member", "perhaps", None),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_cell_of_another_sort_is_refused(scorer, people, policy, column, cell, code, alone):
    rows = records(people)[:3]
    rows[2][column] = cell
    with pytest.raises(RowsError, match=column) as caught:
        scorer.score(rows[2] if alone else rows, policy=policy)
    if code:
        assert (caught.value.code, caught.value.column) == (code, column)
        assert caught.value.row == (0 if alone else 2)


@pytest.mark.parametrize(("column", "cell"), [("age", "41"), ("member", "yes"), ("member", 1)])
def test_what_reads_without_loss_is_told_when_lenient_and_refused_when_strict(
    scorer, people, column, cell
):
    row = records(people)[0] | {column: cell}
    assert column in scorer.score(row).notes[0]
    plain = records(people)[0] | {column: 41 if column == "age" else True}
    np.testing.assert_array_equal(scorer.score(row).margins, scorer.score(plain).margins)
    with pytest.raises(RowsError, match=column):
        scorer.score(row, policy="strict")


def test_a_word_for_no_is_no(scorer, people):
    row = records(people)[0]
    no = scorer.score(row | {"member": "no"})
    np.testing.assert_array_equal(no.margins, scorer.score(row | {"member": False}).margins)


@pytest.mark.parametrize("alone", [True, False])
def test_absent_and_unknown_columns(scorer, people, alone):
    rows = [{"Age": row.pop("age"), **row} for row in records(people)[:2]]
    with pytest.raises(RowsError, match=r"'age' is absent.*did you mean 'Age'"):
        scorer.score(rows[0] if alone else rows)
    rows = [{**row, "extra": 1} for row in records(people)[:2]]
    given = rows[0] if alone else rows
    assert scorer.score(given).notes == (
        "column 'extra' is not one of the model's and was left out",
    )
    with pytest.raises(RowsError, match="'extra' is not one"):
        scorer.score(given, policy="strict")


def test_order_of_columns_does_not_matter(scorer, people):
    turned = people[people.columns[::-1]]
    np.testing.assert_array_equal(
        scorer.score(turned, policy="strict").margins, scorer.score(people).margins
    )


def test_a_row_without_a_cell_is_not_a_row_with_a_missing_one(scorer, people):
    rows = records(people)[:3]
    del rows[1]["income"]
    with pytest.raises(RowsError, match="row 1 lacks column 'income'"):
        scorer.score(rows)


def test_no_rows(scorer, people):
    scores = scorer.score(people[:0])
    assert len(scores) == 0
    assert scores.levels["raw"].values.shape[0] == 0

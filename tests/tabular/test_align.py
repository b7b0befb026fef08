"""Later tables are held to the training's schema: by name, in order, kind by kind."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.frames import to_frame
from pellucid.tabular.schema import Column, Schema, SchemaError, align, infer_schema

N = 60
FRAME = pd.DataFrame(
    {
        "age": np.arange(N) % 37 + 0.5,
        "job": ["nurse", "clerk", "cook"] * (N // 3),
        "member": [True, False, True] * (N // 3),
        "joined": pd.date_range("2024-01-31", periods=N, freq="9D"),
        "note": [f"came {i} times, was {['glad', 'cross'][i % 2]} then" for i in range(N)],
        "id": [f"K{i:03d}" for i in range(N)],
        "site": "north",
    }
)
SCHEMA = infer_schema(FRAME)
FEATURIZER = Featurizer.fit(FRAME, SCHEMA)
MATRIX = FEATURIZER.transform(FRAME)


def featurized(X):
    return FEATURIZER.transform(align(to_frame(X, feature_names=SCHEMA.names), SCHEMA))


def test_the_kinds_are_as_the_cases_below_assume():
    assert SCHEMA.kinds == {
        "age": "numeric",
        "job": "categorical",
        "member": "boolean",
        "joined": "datetime",
        "note": "text",
        "id": "identifier",
        "site": "constant",
    }


def test_columns_come_by_name_in_order_with_the_index_and_without_others():
    frame = FRAME.assign(more=1)[["more", *FRAME.columns[::-1]]].set_axis(range(100, 100 + N))
    aligned = align(frame, SCHEMA)
    assert aligned.columns.tolist() == list(SCHEMA.names)
    assert aligned.index.equals(frame.index)


@pytest.mark.parametrize(
    "index",
    [["a"] * N, pd.MultiIndex.from_product([range(6), range(10)]), np.arange(N)[::-1]],
    ids=["repeated", "levels", "backwards"],
)
def test_any_index_will_do(index):
    frame = FRAME.set_axis(index, axis=0)
    assert np.array_equal(featurized(frame), MATRIX, equal_nan=True)
    assert align(frame.assign(age=FRAME["age"].astype(str).to_numpy()), SCHEMA).index.equals(
        frame.index
    )


def test_the_caller_s_frame_is_not_changed():
    before = FRAME.copy(deep=True)
    aligned = align(FRAME, SCHEMA)
    aligned.loc[:, "age"] = -1.0
    pd.testing.assert_frame_equal(FRAME, before)


def test_columns_that_are_not_used_may_be_absent_or_anything():
    aligned = align(FRAME.drop(columns=["id", "site"]), SCHEMA)
    assert aligned.columns.tolist() == list(SCHEMA.names)
    assert aligned[["id", "site"]].isna().all(axis=None)
    odd = FRAME.assign(id=[[1, 2]] * N, site=1 + 2j)
    assert np.array_equal(featurized(odd), MATRIX, equal_nan=True)


def test_missing_columns_are_all_named():
    with pytest.raises(SchemaError, match=r"lacks 2 columns .*: 'age', 'job'; add them, empty"):
        align(FRAME.drop(columns=["age", "job"]), SCHEMA)
    with pytest.raises(SchemaError, match=r"lacks 1 column .*: 'age'; did you mean 'Age'"):
        align(FRAME.rename(columns={"age": "Age"}), SCHEMA)


def test_more_than_twenty_missing_columns_are_cut_short():
    for n, end in ((20, "'c19';"), (21, "'c19', …;")):
        schema = Schema(tuple(Column(f"c{i}", "numeric") for i in range(n)))
        with pytest.raises(SchemaError, match=f"lacks {n} columns .*{end} there are"):
            align(FRAME, schema)


def test_a_table_of_one_column_is_read_too():
    schema = Schema((Column("age", "numeric"),))
    aligned = align(pd.DataFrame({"age": ["41", "7.5"]}), schema)
    assert aligned["age"].tolist() == [41.0, 7.5]


def test_truths_are_taken_where_training_had_them_among_words():
    schema = Schema((Column("answer", "categorical", examples=("False", "True", "unknown")),))
    aligned = align(pd.DataFrame({"answer": [True, False]}), schema)
    assert aligned["answer"].tolist() == ["True", "False"]


def test_labels_lose_the_spaces_around_them_and_texts_keep_theirs():
    cells = pd.Series([" clerk ", None], dtype=object)
    aligned = align(FRAME.iloc[:2].assign(job=cells, note=cells), SCHEMA)
    assert (aligned["job"].iloc[0], aligned["note"].iloc[0]) == ("clerk", " clerk ")
    assert aligned[["job", "note"]].iloc[1].isna().all()


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("age", ["31", "old", "45"], "column 'age' must hold numbers, but row 1 has 'old'"),
        (
            "age",
            pd.date_range("2024-01-01", periods=3),
            "column 'age' must hold numbers, but row 0",
        ),
        ("age", [1, [2], 3], "column 'age' holds a list"),
        (
            "member",
            [True, "maybe", None],
            "'member' must hold true or false, but row 1 has 'maybe'",
        ),
        ("member", [0, 1, 2], "'member' must hold true or false, but row 2"),
        (
            "joined",
            ["2024-01-01", "soon", None],
            "'joined' must hold dates such as .* row 1 has 'soon'",
        ),
        ("joined", [1, 2, 3], "'joined' must hold dates such as"),
        ("job", [1, 2, 3], "'job' must hold words such as 'clerk', 'cook', 'nurse', but row 0"),
        ("job", [None, 2.5, None], "'job' must hold words such as .*, but row 1 has"),
        ("job", pd.date_range("2024-01-01", periods=3), "'job' must hold words such as"),
        ("job", [True, False, True], "'job' must hold words such as .*, but row 0 has"),
        ("note", ["fine", {"a": 1}, "x"], "column 'note' holds a dict"),
    ],
)
def test_a_drifted_type_is_refused_with_column_value_and_row(column, cells, message):
    with pytest.raises(SchemaError, match=message):
        align(FRAME.iloc[:3].assign(**{column: pd.Series(cells)}), SCHEMA)


def test_the_row_is_told_by_position_and_by_index():
    frame = FRAME.iloc[:2].assign(age=["1", "old"]).set_axis(["first", "second"])
    with pytest.raises(SchemaError, match=r"row 1 \(index 'second'\) has 'old'"):
        align(frame, SCHEMA)


def as_text(frame):
    text = frame.astype(str)
    text["joined"] = frame["joined"].dt.strftime("%Y-%m-%d")
    return text


SAME = {
    "as text": as_text,
    "as objects": lambda frame: frame.astype(object),
    "best types of pandas": lambda frame: frame.convert_dtypes(),
    "arrow types": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.from_pandas,
    "lazy polars": lambda frame: pl.from_pandas(frame).lazy(),
    "arrow table": lambda frame: pl.from_pandas(frame).to_arrow(),
    "categories": lambda frame: frame.assign(job=frame["job"].astype("category")),
    "rows": lambda frame: frame.to_numpy().tolist(),
    "dicts": lambda frame: frame.to_dict("records"),
    "array": lambda frame: frame.to_numpy(),
    "shuffled columns": lambda frame: frame[sorted(frame)],
    "zoned dates": lambda frame: frame.assign(joined=frame["joined"].dt.tz_localize("UTC")),
    "spaces": lambda frame: frame.assign(job=" " + frame["job"] + "  "),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_rows_in_any_form_give_the_same_bits(change):
    assert featurized(change(FRAME)).tobytes() == MATRIX.tobytes()


@pytest.mark.parametrize("change", [dict, lambda row: row, list], ids=["dict", "Series", "list"])
def test_one_row_in_any_form_gives_the_same_bits(change):
    for i in (0, 7, 59):
        row = FRAME.astype(object).iloc[i]
        assert featurized(change(row))[0].tobytes() == MATRIX[i].tobytes()


def test_an_aligned_table_is_aligned():
    once = align(FRAME.astype(object), SCHEMA)
    pd.testing.assert_frame_equal(align(once, SCHEMA), once)


def test_an_empty_batch_stays_empty():
    assert align(FRAME.iloc[:0], SCHEMA).shape == (0, len(SCHEMA.names))
    assert align(to_frame([], feature_names=SCHEMA.names), SCHEMA).shape == (0, len(SCHEMA.names))


def test_a_column_with_numbers_and_words_still_takes_numbers():
    frame = pd.DataFrame({"floor": ["ground", "roof", "1", "2"] * 9, "other": np.arange(36) % 5})
    schema = infer_schema(frame)
    assert schema.kinds["floor"] == "categorical"
    assert align(frame.assign(floor=2), schema)["floor"].tolist() == ["2"] * 36

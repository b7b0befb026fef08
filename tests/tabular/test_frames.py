"""Any table in memory becomes one frame with text names; what is no table is refused kindly."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from pellucid.tabular.frames import to_frame
from pellucid.tabular.read import ReadError

FRAME = pd.DataFrame({"age": [31, 45], "job": ["clerk", None], "pay": [1.5, 2.5]})
POLARS = pl.DataFrame({"age": [31, 45], "job": ["clerk", None], "pay": [1.5, 2.5]})


@pytest.mark.parametrize(
    "X",
    [
        FRAME,
        POLARS,
        POLARS.lazy(),
        pa.Table.from_pandas(FRAME),
        pa.RecordBatch.from_pandas(FRAME),
        FRAME.to_dict("list"),
        FRAME.to_dict("records"),
        {"age": np.array([31, 45]), "job": ("clerk", None), "pay": pd.Series([1.5, 2.5])},
    ],
    ids=lambda X: type(X).__name__,
)
def test_every_form_of_a_table_gives_the_same_frame(X):
    frame = to_frame(X)
    assert frame.columns.tolist() == ["age", "job", "pay"]
    assert frame["age"].tolist() == [31, 45]
    assert frame["job"].iloc[0] == "clerk"
    assert frame["job"].isna().tolist() == [False, True]
    assert frame["pay"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    "X",
    [
        np.array([[1, 2], [3, 4]], dtype=np.float16),
        [[1, 2], [3, 4]],
        ((1, 2), (3, 4)),
        np.asfortranarray([[1, 2], [3, 4]]),
        np.ma.masked_array([[1, 2], [3, 4]], mask=False),
    ],
)
def test_tables_without_names_get_some(X):
    assert to_frame(X).columns.tolist() == ["x0", "x1"]
    named = to_frame(X, feature_names=("age", "pay"))
    assert named.to_dict("list") == {"age": [1, 3], "pay": [2, 4]}


def test_names_of_the_table_win_over_feature_names():
    assert to_frame(FRAME, feature_names=["a", "b", "c"]).columns.tolist() == list(FRAME)


def test_masked_cells_are_missing():
    frame = to_frame(np.ma.masked_array([[1, 2]], mask=[[False, True]]))
    assert frame.isna().to_numpy().tolist() == [[False, True]]


@pytest.mark.parametrize(
    "row",
    [
        {"age": 31, "job": "clerk", "pay": None},
        pd.Series({"pay": None, "age": 31, "job": "clerk"}),
        [31, "clerk", None],
        np.array([31, "clerk", None], dtype=object),
    ],
    ids=lambda row: type(row).__name__,
)
def test_one_row_in_any_form(row):
    frame = to_frame(row, feature_names=["age", "job", "pay"])
    assert len(frame) == 1
    assert (frame["age"].item(), frame["job"].item()) == (31, "clerk")


def test_a_series_is_a_column_unless_its_index_holds_the_names():
    assert to_frame(pd.Series([1, 2], name="age")).to_dict("list") == {"age": [1, 2]}
    assert to_frame(pd.Series([1, 2])).columns.tolist() == ["x0"]


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["a", "a"]),
        pd.MultiIndex.from_tuples([("x", 1), ("y", 2)]),
        pd.date_range("2026-01-01", periods=2),
    ],
)
def test_the_index_is_kept_and_the_input_untouched(index):
    X = pd.DataFrame({0: [1, 2], 1.5: [3, 4], None: [5, 6]}, index=index)
    frame = to_frame(X)
    assert frame.index.equals(index)
    assert frame.columns.tolist() == ["0", "1.5", "None"] or frame.columns[2] == "nan"
    assert X.columns[0] == 0


def test_a_hierarchy_of_columns_is_joined():
    X = pd.DataFrame(
        [[1, 2, 3]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", "")])
    )
    assert to_frame(X).columns.tolist() == ["a.1", "a.2", "b"]


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=[1, "1"]),
        pa.table([[1], [2]], names=["a", "a"]),
    ],
)
def test_two_columns_of_one_name_are_refused(X):
    with pytest.raises(ReadError, match=r"2 columns are named '.' .*name of its own"):
        to_frame(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (scipy.sparse.eye(3), r"sparse matrix of shape \(3, 3\).*toarray"),
        (np.zeros(3), "no table; expected two dimensions.*reshape"),
        (np.zeros((2, 2, 2)), "two dimensions"),
        (np.array(1.0), "two dimensions"),
        ((x for x in range(3)), "a generator is no table"),
        ("table.csv", "a str is no table"),
        (None, "a NoneType is no table"),
        (3, "a int is no table"),
        ([1, 2], "a list of int is no table"),
        ([[1, 2], [3]], "row 1 has 1 cells, but row 0 has 2"),
        ({"a": [1, 2], "b": [1]}, "differ in length: {'a': 2, 'b': 1}"),
        (pa.array([1, 2]), "no table"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(ReadError, match=message):
        to_frame(X)


@pytest.mark.parametrize("X", [np.zeros((2, 3)), [[1, 2, 3]]])
def test_a_width_that_does_not_match_the_names_is_refused(X):
    with pytest.raises(ReadError, match="3 columns without names, but 2 are expected: age, pay"):
        to_frame(X, feature_names=["age", "pay"])


def test_no_rows_are_no_rows():
    assert to_frame([], feature_names=["age"]).shape == (0, 1)
    assert to_frame(FRAME.iloc[:0]).shape == (0, 3)


@pytest.mark.parametrize("X", [{"a": "\ud800"}, [{"a": "\ud800"}], [["\ud800"]], {"a": ["\ud800"]}])
def test_half_characters_are_read_or_refused_kindly(X):
    try:
        frame = to_frame(X)
    except ReadError as error:
        assert "not valid Unicode" in str(error)  # noqa: PT017
    else:
        assert frame.shape == (1, 1)

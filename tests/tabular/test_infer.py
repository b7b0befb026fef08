"""Column kinds are what an expert would say who looks at the values."""

import datetime as dt
import decimal
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pellucid.tabular.schema import SchemaError, infer_schema

N = 120
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=N, freq="7h")
WORDS = ["good", "bad", "soup", "coffee", "late", "warm", "again", "never"]


def kind_of(values, name="column"):
    frame = pd.DataFrame({name: values})
    frame["other"] = np.linspace(0, 1, len(frame))
    return infer_schema(frame)[name]


NUMERIC = {
    "floats": RNG.normal(size=N),
    "few whole numbers": RNG.integers(0, 3, N),
    "years in order": np.arange(1900, 1900 + N),
    "unique in order with gaps": np.arange(N) * 1000 + RNG.integers(0, 999, N),
    "nullable": pd.array([None, 1, 2] * (N // 3), dtype="Int64"),
    "nullable floats": pd.array([None, 0.5] * (N // 2), dtype="Float32"),
    "arrow": pd.array([None, 1, 2] * (N // 3), dtype=pd.ArrowDtype(pa.int16())),
    "arrow decimal": pd.array(
        [decimal.Decimal("1.50"), decimal.Decimal("2.25")] * (N // 2),
        dtype=pd.ArrowDtype(pa.decimal128(10, 2)),
    ),
    "sparse": pd.arrays.SparseArray([0.0, 0.0, 1.5] * (N // 3)),
    "half precision": RNG.normal(size=N).astype(np.float16),
    "decimals": [decimal.Decimal("1.50"), None] * (N // 2),
    "objects": np.array([1, 2.5, None] * (N // 3), dtype=object),
    "durations": pd.to_timedelta(RNG.integers(0, 99, N), unit="h"),
    "python durations": pd.Series([dt.timedelta(hours=1), None] * (N // 2), dtype=object),
    "infinite": [np.inf, -np.inf, 1.0] * (N // 3),
    "one value, or none": [7.0, np.nan] * (N // 2),
    "text": ["1", "2.5", "-3e2"] * (N // 3),
    "text with blanks": [" 1 ", "", "  ", "2"] * (N // 4),
    "text with thousands": ["1,200", "12,345.5", "7"] * (N // 3),
    "text with currency": ["$1,200.50", "$7", "-$3"] * (N // 3),
    "accounting": ["(12)", "12.5", "1,000"] * (N // 3),
    "percent": ["12 %", "7%", "0.5%"] * (N // 3),
    "decimal comma": ["1.234,5", "7,25", "12"] * (N // 3),
    "text with words for nothing": ["1", "n/a", "2", "-", "?", "NULL"] * (N // 6),
    "text with one odd word": ["unknown"] * 3 + [str(i) for i in RNG.integers(0, 50, N - 3)],
    "bytes": [b"1", b"2.5"] * (N // 2),
    "arrow text": pd.array(["1", "2"] * (N // 2), dtype=pd.ArrowDtype(pa.string())),
}
BOOLEAN = {
    "plain": RNG.random(N) < 0.5,
    "nullable": pd.array([True, False, None] * (N // 3), dtype="boolean"),
    "arrow": pd.array([True, False, None] * (N // 3), dtype=pd.ArrowDtype(pa.bool_())),
    "objects": [True, None, False, False] * (N // 4),
}
CATEGORICAL = {
    "words": RNG.choice(["red", "green"], N),
    "yes and no": RNG.choice(["yes", "no"], N),
    "one word, or none": ["yes", None] * (N // 2),
    "category of numbers": pd.Categorical(RNG.choice([1, 2, 3], N)),
    "category with unused levels": pd.Categorical(["a", "b"] * (N // 2), categories=list("abcd")),
    "ordered": pd.Categorical(["lo", "hi"] * (N // 2), categories=["lo", "hi"], ordered=True),
    "mixed": [1, "one", 2.5, True] * (N // 4),
    "codes with leading zeros": ["00123", "01234", "99999"] * (N // 3),
    "versions": ["1.2.3", "1.10.0", "2.0.1"] * (N // 3),
    "dates among words": ["2024-01-01", "never", "soon", "later"] * (N // 4),
    "emoji": ["🙂", "🙁", "\u202eabc"] * (N // 3),
    "dictionary": pd.array(
        ["a", "b"] * (N // 2), dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
    ),
    "intervals": pd.cut(np.linspace(0, 1, N), 3),
    "times of day": [dt.time(8, 30), dt.time(9, 0)] * (N // 2),
    "nul and surrogates": pd.Series(["a\0b", "\ud800", "c"] * (N // 3), dtype=object),
}
DATETIME = {
    "plain": DAYS,
    "seconds": DAYS.astype("datetime64[s]"),
    "zoned": DAYS.tz_localize("Europe/Oslo", ambiguous="NaT", nonexistent="NaT"),
    "arrow timestamps": pd.array(list(DAYS), dtype=pd.ArrowDtype(pa.timestamp("ms"))),
    "arrow dates": pd.array([d.date() for d in DAYS], dtype=pd.ArrowDtype(pa.date32())),
    "periods": pd.period_range("2024-01", periods=N, freq="M"),
    "python dates": [d.date() for d in DAYS],
    "python datetimes": pd.Series([d.to_pydatetime() for d in DAYS], dtype=object),
    "far away": [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)] * (N // 2),
    "iso text": DAYS.strftime("%Y-%m-%d"),
    "iso text with zone": DAYS.strftime("%Y-%m-%dT%H:%M:%S+02:00"),
    "month first": DAYS.strftime("%m/%d/%Y"),
    "day first": DAYS.strftime("%d/%m/%Y %H:%M"),
    "with points": DAYS.strftime("%d.%m.%Y"),
    "month names": DAYS.strftime("%b %d, %Y"),
    "months": DAYS.strftime("%Y-%m"),
    "three formats": [
        d.strftime(("%Y-%m-%d", "%d.%m.%Y", "%d %b %Y")[i % 3]) for i, d in enumerate(DAYS)
    ],
    "with words for nothing": [*DAYS.strftime("%Y-%m-%d")[:-4], "", "n/a", None, "tbd"],
}
TEXT = {
    "reviews": [" ".join(RNG.choice(WORDS, 9)) for _ in range(N)],
    "names of people": [f"{a.title()} {b}son" for a in [*WORDS, "ann"] for b in [*WORDS, "bob"]],
    "long": ["word " * 2000 + str(i) for i in range(N)],
}
IDENTIFIER = {
    "row numbers": np.arange(N) + 17,
    "row numbers backwards": np.arange(N)[::-1],
    "shuffled row numbers": RNG.permutation(N),
    "row numbers as text": [str(i) for i in range(N)],
    "codes": [f"C-{i * 7919 % 10007:05d}" for i in range(N)],
    "uuids": [str(uuid.UUID(int=i * 2**90)) for i in range(N)],
    "repeated uuids": [str(uuid.UUID(int=(i % 40) * 2**90)) for i in range(N)],
    "addresses": [f"user{i}@example.org" for i in range(N)],
}
CONSTANT = {
    "same": ["x"] * N,
    "same number": [3] * N,
    "nothing": [None] * N,
    "not a number": np.full(N, np.nan),
    "no date": pd.Series([pd.NaT] * N),
    "blank": ["", "  "] * (N // 2),
    "one level": pd.Categorical(["a"] * N, categories=["a", "b"]),
    "true": [True] * N,
}
CASES = {
    "numeric": NUMERIC,
    "boolean": BOOLEAN,
    "categorical": CATEGORICAL,
    "datetime": DATETIME,
    "text": TEXT,
    "identifier": IDENTIFIER,
    "constant": CONSTANT,
}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(kind, values, id=f"{kind}: {name}")
        for kind, cases in CASES.items()
        for name, values in cases.items()
    ],
)
def test_the_kind_is_what_an_expert_would_say(kind, values):
    column = kind_of(values)
    assert column.kind == kind
    assert column.used == (kind not in ("identifier", "constant"))
    assert bool(column.reason) != column.used


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bank_additional", {"age": "numeric", "job": "categorical", "euribor3m": "numeric"}),
        ("bike_hourly", {"instant": "identifier", "dteday": "datetime", "season": "numeric"}),
        ("telco_churn", {"customerID": "identifier", "TotalCharges": "numeric"}),
        ("titanic", {"name": "text", "ticket": "categorical", "cabin": "categorical"}),
        ("fine_foods", {"product": "identifier", "review": "text"}),
        ("hotel_rates", {"arrival_date": "datetime", "agent": "categorical"}),
        ("orange_juice_azure", {"WeekStarting": "datetime", "Store": "numeric"}),
        ("california_housing", {"longitude": "numeric", "ocean_proximity": "categorical"}),
    ],
)
def test_kinds_of_real_columns(shared_data, name, expected):
    frame, _ = shared_data(name)
    kinds = infer_schema(frame).kinds
    assert {column: kinds[column] for column in expected} == expected


def test_a_shuffled_part_of_row_numbers_is_still_an_identifier(shared_data):
    frame, _ = shared_data("bike_hourly")
    assert infer_schema(frame.sample(frac=0.7, random_state=0)).kinds["instant"] == "identifier"


def test_a_numeric_id_is_known_by_its_name():
    values = RNG.choice(10**9, N, replace=False)
    assert kind_of(values, "customer_id").kind == "identifier"
    assert kind_of(values, "CustomerID").kind == "identifier"
    assert kind_of(values, "price").kind == "numeric"
    assert kind_of(values, "humid").kind == "numeric"


def test_few_rows_are_not_taken_for_identifiers():
    frame = pd.DataFrame({"city": ["Rome", "Oslo", "Bern"], "n": [1, 2, 3]})
    assert infer_schema(frame).kinds == {"city": "categorical", "n": "numeric"}


@pytest.mark.parametrize(
    ("values", "missing", "n_unique"),
    [
        (["1", " ", None, "n/a", "2"] * 9, 27, 2),
        ([1.5, np.nan, 2.5], 1, 2),
        (["a", " a", "", None, "b"], 2, 2),
        ([True, None, False], 1, 2),
        (["2024-01-01", "", "2024-02-01"] * 9, 9, 2),
    ],
)
def test_missing_and_different_values_are_counted_as_read(values, missing, n_unique):
    column = kind_of(values)
    assert (column.missing, column.n_unique) == (missing, n_unique)


def test_how_text_is_read_is_written_down():
    assert kind_of(NUMERIC["decimal comma"]).formats == ("decimal comma",)
    assert kind_of(NUMERIC["text with one odd word"]).words == ("unknown",)
    assert kind_of(DATETIME["day first"]).formats == ("%d/%m/%Y %H:%M",)
    assert kind_of(DATETIME["with words for nothing"]).words == ("tbd",)
    assert len(kind_of(DATETIME["three formats"]).formats) == 3


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.arange(N), "numeric"),
        (np.arange(N) % 3, "categorical"),
        (np.arange(N) % 2, "boolean"),
        (["yes", "no"] * (N // 2), "boolean"),
        (["00123", "01234"] * (N // 2), "numeric"),
        ([20240131, 20240201] * (N // 2), "datetime"),
        (np.arange(N) * 86_400 + 1_700_000_000, "datetime"),
        (np.arange(N) * 86_400_000 + 1_700_000_000_000, "datetime"),
        (["red wine", "white wine"] * (N // 2), "text"),
        (RNG.normal(size=N), "identifier"),
        ([f"C{i}" for i in range(N)], "categorical"),
        (np.arange(N), "text"),
    ],
)
def test_a_kind_that_the_user_states_wins(values, kind):
    frame = pd.DataFrame({"column": values, "other": np.linspace(0, 1, len(values))})
    column = infer_schema(frame, overrides={"column": kind})["column"]
    assert column.kind == kind
    assert column.used == (kind != "identifier")


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (["a", "b"], "numeric", "column 'column' must hold numbers, but row 0 has 'a'"),
        (["a", "b"], "datetime", "column 'column' is asked to hold dates"),
        ([1, 2], "boolean", "column 'column' must hold true or false, but row 1 has"),
        ([1, 2], "number", "asked to be 'number'; a kind is one of numeric, boolean"),
    ],
)
def test_a_kind_that_the_values_do_not_fit_is_refused(values, kind, message):
    frame = pd.DataFrame({"column": values, "other": [1.5, 2.5]})
    with pytest.raises(SchemaError, match=message):
        infer_schema(frame, overrides={"column": kind})


CELLS = [
    ([1, 2], "a list"),
    ({"a": 1}, "a dict"),
    ({1, 2}, "a set"),
    ((1, 2), "a tuple"),
    (np.zeros(2), "a ndarray"),
    (1 + 2j, "complex numbers"),
    (b"\xff\xfe", "bytes that are not UTF-8"),
]


@pytest.mark.parametrize(("cell", "said"), CELLS, ids=[said for _, said in CELLS])
def test_cells_that_are_no_single_value_are_refused_unless_dropped(cell, said):
    odd = pd.Series([None] * 200, dtype=object)
    odd[150] = cell
    frame = pd.DataFrame({"tags": odd, "other": np.linspace(0, 1, 200)})
    with pytest.raises(SchemaError, match=f"column 'tags' holds {said}"):
        infer_schema(frame)
    assert infer_schema(frame, drop=["tags"])["tags"].reason == "dropped by the user"


@pytest.mark.parametrize(
    "values",
    [
        pd.array([[1], [2, 3], None] * 30, dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        pd.array([{"a": 1}, None, {"a": 2}] * 30, dtype=pd.ArrowDtype(pa.struct({"a": pa.int8()}))),
        np.array([1 + 1j, 2] * 45),
    ],
    ids=["arrow lists", "arrow structs", "complex"],
)
def test_columns_of_no_single_values_are_refused(values):
    with pytest.raises(SchemaError, match="column 'tags' holds"):
        infer_schema(pd.DataFrame({"tags": values, "other": np.linspace(0, 1, 90)}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ["agee"]}, "no column 'agee'; did you mean 'age'"),
        ({"overrides": {"jbo": "text"}}, "no column 'jbo'; did you mean 'job'"),
        ({"drop": ["xyzzy"]}, "no column 'xyzzy'; there are 'age', 'job'"),
        ({"drop": ["age", "job"]}, r"no column is left to learn from: 'age' \(dropped by the user"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(options, message):
    frame = pd.DataFrame({"age": [31, 45, 52], "job": ["a", "b", "a"]})
    with pytest.raises(SchemaError, match=message):
        infer_schema(frame, **options)


def test_a_table_without_rows_or_columns_is_refused():
    with pytest.raises(SchemaError, match="no rows"):
        infer_schema(pd.DataFrame({"a": []}))
    with pytest.raises(SchemaError, match="the table has no columns"):
        infer_schema(pd.DataFrame(index=range(3)))
    with pytest.raises(SchemaError, match=r"'a' \(constant\)"):
        infer_schema(pd.DataFrame({"a": [1]}))


def test_dropped_columns_stay_listed_with_their_kind():
    frame = pd.DataFrame({"age": [31, 45, 52], "job": ["a", "b", "a"]})
    column = infer_schema(frame, drop=["job"])["job"]
    assert (column.kind, column.used, column.reason) == (
        "categorical",
        False,
        "dropped by the user",
    )

"""Tables and targets that broke other tools: name -> (X, y, what a refusal says, or None).

From public issue threads, and from how data looks: each either trains or is refused by one sentence
that names the column and what to do.
"""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse

N = 60
RNG = np.random.default_rng(0)
A = RNG.normal(size=N)
LABELS = np.where(A + RNG.normal(scale=0.3, size=N) > 0, "yes", "no")
DAYS = pd.date_range("2024-01-01", periods=N, freq="7h")
THIRD, HALF, SIXTH = N // 3, N // 2, N // 6


def beside(column, name="odd"):
    """A table with one odd column beside a plain one."""
    if isinstance(column, np.ndarray) and column.dtype == object:
        column = pd.Series(column, dtype=object)  # else pandas makes text of it
    return pd.DataFrame({"a": A, name: column})


def objects(*cells):
    column = np.empty(N, dtype=object)
    column[:] = [cells[i % len(cells)] for i in range(N)]
    return column


COLUMNS = {
    "all missing": [None] * N,
    "all NaN": np.full(N, np.nan),
    "all NaT": pd.to_datetime([None] * N),
    "constant": [7] * N,
    "constant with missing": [7.0, np.nan] * HALF,
    "constant in a fold": [1] + [0] * (N - 1),
    "plus and minus infinity": [np.inf, -np.inf, 1.0] * THIRD,
    "only infinity": [np.inf, np.nan] * HALF,
    "1e308": [1e308, -1e308, 1.0] * THIRD,
    "subnormal": [5e-324, 1e-310, 0.0] * THIRD,
    "above 2**53": (2**53 + np.arange(N)).astype(np.int64),
    "uint64": np.full(N, 2**64 - 1, dtype=np.uint64) - np.arange(N, dtype=np.uint64) % 5,
    "beyond int64": objects(2**70, 2**71, 1),
    "decimals as text": ["1,234.5", "(12)", "12 %", "n/a", "-", ""] * SIXTH,
    "decimal comma": ["1.234,5", "7,25"] * HALF,
    "numbers with three words": [*map(str, range(N - 3)), "low", "high", "none at all"],
    "Int64": pd.array([None, 1, 2] * THIRD, dtype="Int64"),
    "Float64": pd.array([None, 1.5, 2.5] * THIRD, dtype="Float64"),
    "boolean": pd.array([None, True, False] * THIRD, dtype="boolean"),
    "string": pd.array([None, "x", "y"] * THIRD, dtype="string"),
    "arrow ints": pd.array([None, 1, 2] * THIRD, dtype=pd.ArrowDtype(pa.int16())),
    "arrow text": pd.array([None, "x", "y"] * THIRD, dtype=pd.ArrowDtype(pa.string())),
    "arrow days": pd.array([None, *DAYS[1:].date], dtype=pd.ArrowDtype(pa.date32())),
    "arrow times": pd.array(DAYS, dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    "arrow decimal": pd.array(
        [decimal.Decimal("1.5"), decimal.Decimal("2.25")] * HALF,
        dtype=pd.ArrowDtype(pa.decimal128(10, 2)),
    ),
    "arrow dictionary": pd.Series(pa.array(["x", "y"] * HALF).dictionary_encode().to_pandas()),
    "unused levels": pd.Categorical(["x", "y"] * HALF, categories=list("xyzw")),
    "levels that are numbers": pd.Categorical([1.0, 149.99] * HALF),
    "levels that are intervals": pd.cut(A, 3),
    "levels that are dates": pd.Categorical(list(DAYS[:3]) * THIRD),
    "ordered levels with missing": pd.Categorical(
        ["low", "high", None] * THIRD, categories=["low", "high"], ordered=True
    ),
    "sparse": pd.arrays.SparseArray([0.0, 0.0, 1.5] * THIRD),
    "sparse ints": pd.arrays.SparseArray([0, 0, 1] * THIRD),
    "mixed types": objects(1, "x", 2.5, None, True),
    "bytes": objects(b"x", b"y", b"z"),
    "Decimal": objects(decimal.Decimal("1.5"), decimal.Decimal("NaN"), None),
    "timedelta": pd.to_timedelta(np.arange(N) % 9, unit="h"),
    "period": pd.period_range("2020-01", periods=N, freq="M"),
    "date objects": objects(*DAYS[:7].date),
    "time objects": objects(dt.time(7, 30), dt.time(12)),
    "tz-aware": DAYS.tz_localize("Europe/Rome"),
    "mixed zones": objects("2024-01-01T00:00:00+05:00", "2024-02-02T00:00:00Z", "2024-03-03"),
    "beyond nanoseconds": np.array(["1066-10-14", "9999-12-31"] * HALF, dtype="datetime64[s]"),
    "years that no Timestamp has": objects("0001-01-01", "2024-01-01", "9999-12-31"),
    "datetime64[M]": np.array(["2020-01", "2020-02"] * HALF, dtype="datetime64[M]").astype(
        "datetime64[s]"
    ),
    "three forms of date": ["2024-01-31", "31/01/2024", "Jan 31, 2024"] * THIRD,
    "epoch seconds": 1_700_000_000 + np.arange(N) * 3600,
    "epoch milliseconds": 1_700_000_000_000 + np.arange(N) * 3_600_000,
    "NUL in text": ["a\0b", "c", "d\0"] * THIRD,
    "a megabyte a cell": objects("x" * 1_000_000, "y", "z"),
    "right-to-left marks": ["\u202egnp.exe", "\u200fab", "c"] * THIRD,
    "emoji": ["😀", "👩‍👩‍👧", "é", "e\u0301", "ß", "ẞ"] * SIXTH,
    "text ids": [f"id-{i:05}" for i in range(N)],
    "int ids": RNG.permutation(10_000)[:N],
    "zip codes with zeros": ["00010", "00100", "01000"] * THIRD,
    "digits and text": ["20210101000000001300000", "x", "3"] * THIRD,
    "formulas": ["=cmd()", "+1", "@x"] * THIRD,
    "bools and text": objects(True, "True", False, "no"),
    "1 and 1.0 and True": objects(1, 1.0, True, "1"),
    "empty text": [""] * HALF + ["x"] * HALF,
    "complex": (np.arange(N) + 1j, "column 'odd' holds complex"),
    "lists": (objects([1], [2, 3]), "column 'odd' holds a list"),
    "dicts": (objects({"a": 1}), "column 'odd' holds a dict"),
    "arrays": (objects(np.zeros(2)), "column 'odd' holds a ndarray"),
    "bytes that are no text": (objects(b"\xff\xfe"), "column 'odd' holds bytes"),
    "half of a character": (objects("\ud800", "x"), None),
    "arrow lists": (
        pd.array([[1], [2, 3]] * HALF, dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        "column 'odd' holds",
    ),
}

NAMES = {
    "spaces": "the odd one",
    "JSON": '{"a": [1, 2]}',
    "brackets": "x[0]<1>",
    "quotes and commas": "\"a\", 'b'",
    "newline": "two\nlines",
    "emoji": "😀",
    "empty": "",
    "very long": "n" * 5000,
    "integer": 0,
    "float": 1.5,
    "tuple": ("a", 1),
    "date": pd.Timestamp("2024-01-01"),
    "proto": "__proto__",
    "a name of ours": "prediction",
    "another case": "A",
    "other form of é": "e\u0301",
    "formula": "=cmd()",
    "NUL": "a\0b",
    "script": "<script>alert(1)</script>",
    "path": "../../etc/passwd",
    "index": "index",
    "right to left": "\u202egnp",
}

_X = pd.DataFrame({"a": A, "b": RNG.choice(list("xyz"), N)})


def _multi(frame):
    frame = frame.copy()
    frame.columns = pd.MultiIndex.from_tuples([("one", "a"), ("one", "b")])
    return frame


FORMS = {
    "MultiIndex": (_X.set_axis(pd.MultiIndex.from_product([range(6), range(10)])), None),
    "index that repeats": (_X.set_axis([3] * N), None),
    "MultiIndex of columns": (_multi(_X), None),
    "polars": (pl.from_pandas(_X), None),
    "polars lazy": (pl.from_pandas(_X).lazy(), None),
    "arrow table": (pa.Table.from_pandas(_X), None),
    "array": (_X[["a"]].to_numpy(), None),
    "array of float16": (np.column_stack([A, A]).astype(np.float16), None),
    "array of objects": (_X.to_numpy(), None),
    "array of text": (_X.to_numpy().astype(str), None),
    "masked array": (np.ma.masked_invalid(np.column_stack([A, A])), None),
    "structured array": (_X[["a"]].to_records(index=False), None),
    "list of dicts": (_X.to_dict("records"), None),
    "dict of columns": (_X.to_dict("list"), None),
    "one column": (_X[["a"]], None),
    "all rows the same twice": (pd.concat([_X[:HALF]] * 2), None),
    "wide": (pd.DataFrame(RNG.normal(size=(N, 1000))), None),
    "sparse matrix": (scipy.sparse.csr_matrix(np.eye(N)), "toarray"),
    "generator": ((row for row in [[1]]), "no table"),
    "text": ("table.csv", "there is no file table.csv"),
    "three dimensions": (np.zeros((N, 2, 2)), "two dimensions"),
    "same name twice": (pd.concat([_X, _X], axis=1), "columns are named 'a'"),
    "names that meet as text": (pd.DataFrame({1: A, "1": A}), "columns are named '1'"),
    "no columns": (pd.DataFrame(index=range(N)), "no columns"),
    "no column left": (pd.DataFrame({"a": [1] * N}), "no column is left"),
    "only ids": (pd.DataFrame({"id": [f"{i:032x}" for i in range(N)]}), "no column is left"),
}
TARGETS = {
    "bool": (A > 0, None),
    "nullable boolean": (pd.array(A > 0, dtype="boolean"), None),
    "boolean with missing": (pd.array([None, *(A > 0)[1:]], dtype="boolean"), None),
    "int": ((A > 0).astype(int), None),
    "int8": ((A > 0).astype(np.int8), None),
    "uint64": ((A > 0).astype(np.uint64) + np.uint64(2**63), None),
    "Int64 with missing": (pd.array([None, *(A > 0)[1:].astype(int)], dtype="Int64"), None),
    "whole floats": ((A > 0).astype(float), None),
    "floats with missing": (np.where(np.arange(N) < 3, np.nan, (A > 0) * 1.0), None),
    "half floats": (np.where(A > 0, 0.5, 1.5), None),
    "text": (LABELS, None),
    "arrow text": (pd.array(LABELS, dtype=pd.ArrowDtype(pa.string())), None),
    "string": (pd.array(LABELS, dtype="string"), None),
    "category with unused": (pd.Categorical(LABELS, categories=["yes", "no", "so"]), None),
    "labels with spaces": (np.where(A > 0, " yes ", "yes"), None),
    "empty label": (np.where(A > 0, "", "A"), None),
    "label that is NaN as text": (np.where(A > 0, "nan", "None"), None),
    "bytes": (np.where(A > 0, b"x", b"y"), "labels of type bytes"),
    "dates": (np.where(A > 0, DAYS[0], DAYS[1]), "labels of type Timestamp"),
    "text in objects with None": (objects("a", "b", None), None),
    "decimals": (objects(decimal.Decimal(1), decimal.Decimal(2)), "labels of type Decimal"),
    "truth and numbers": (objects(True, 1, 0), "mixes labels of types bool, int"),
    "a class once": (["rare", *LABELS[1:]], None),
    "all classes rare": ([f"c{i // 2:02}" for i in range(N)], None),
    "12 whole classes": (np.arange(N) % 12, None),
    "arrow scalar column": (pa.array(LABELS.tolist()), None),
    "polars": (pl.Series(LABELS), None),
    "a table of one column": (pd.DataFrame({"y": LABELS}), None),
    "a list": (LABELS.tolist(), None),
    "one class": (["yes"] * N, "single class"),
    "all missing": ([None] * N, "known in 0 of 60"),
    "one known": (["x"] + [None] * (N - 1), "known in 1 of 60"),
    "continuous": (A, "continuous"),
    "mixed types": (objects(1, "a", 2.5), "mixes labels of types"),
    "infinite": (np.where(A > 0, np.inf, 1.0), "infinite"),
    "absent": (None, "needs a target"),
    "two columns": (np.zeros((N, 2)), "one column"),
    "too short": (LABELS[:5], "X has 60 rows but y has 5"),
    "lists": (objects([1], [2]), "list"),
    "dicts": (objects({"a": 1}, {"a": 2}), "dict"),
    "complex": (A + 1j, "[Cc]omplex"),
}
VALUES = {
    "float": (A, None),
    "float16": (A.astype(np.float16), None),
    "int": (np.arange(N), None),
    "above 2**53": (2**53 + np.arange(N), None),
    "bool": (A > 0, None),
    "missing": (np.where(np.arange(N) < 3, np.nan, A), None),
    "Int64": (pd.array([None, *range(1, N)], dtype="Int64"), None),
    "Float64": (pd.array([None, *A[1:]], dtype="Float64"), None),
    "arrow": (pd.array(A, dtype=pd.ArrowDtype(pa.float64())), None),
    "decimals": (objects(decimal.Decimal("1.5"), decimal.Decimal(2), None), None),
    "digits as text": ([str(i) for i in range(N)], None),
    "1e20": (A * 1e20, None),
    "1e-20": (A * 1e-20, None),
    "1e300": (A * 1e300, "another unit"),
    "1e-300": (A * 1e-300, "another unit"),
    "durations": (pd.to_timedelta(np.arange(N), unit="h"), "numeric"),
    "dates": (DAYS, "numeric"),
    "words": (LABELS, "must be numeric for regression, but has '(yes|no)'"),
    "infinite": (np.where(A > 1, np.inf, A), "infinite"),
    "constant": (np.ones(N), "in every row"),
    "complex": (A + 1j, "[Cc]omplex"),
}
FEW_ROWS = {
    "no rows": (_X[:0], LABELS[:0], "no rows|known in 0"),
    "one row": (_X[:1], ["yes"], "at least two rows"),
    "two rows": (_X[:2], ["yes", "no"], None),
    "fewer rows than folds": (_X[:4], ["yes", "no", "yes", "no"], None),
}

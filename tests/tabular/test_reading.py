"""Cells read as numbers, truth values, labels and moments, one at a time."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tabular.reading.labels import read_labels
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import parse_number, read_numbers
from pellucid.tabular.schema import SchemaError


@given(st.floats(allow_nan=False))
def test_every_number_survives_being_written(number):
    for text in (repr(number), str(number), f"{number:.17g}", f" {number!r}\t"):
        assert parse_number(text) == number
    assert math.copysign(1, parse_number(repr(number))) == math.copysign(1, number)


@given(st.integers(-(10**18), 10**18))
def test_thousands_are_read(number):
    assert parse_number(f"{number:,}") == float(number)
    assert parse_number(f"{number:,}".replace(",", "."), decimal_comma=True) == float(number)


@given(st.text())
def test_any_text_is_a_number_or_none(text):
    assert isinstance(parse_number(text), (float, type(None)))
    assert isinstance(parse_number(text, decimal_comma=True), (float, type(None)))


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "1,2", "12,34,567", "1 2", "1_000", "0x1f", "1e", "e5", "--1", "(1", "1)", "$",
     "1.2.3", "12 apples", "NaN?", "%", "1/2", "\u0661\u0662"],
)  # fmt: skip
def test_what_is_no_plain_number_is_none(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2**53 + 1, 10**400, -(10**400)], [2.0**53, np.inf, -np.inf]),
        (["inf", "-Infinity", "nan", "NA"], [np.inf, -np.inf, np.nan, np.nan]),
        ([True, 1, 1.0, "1", b"1"], [1.0] * 5),
        ([None, pd.NA, pd.NaT, float("nan")], [np.nan] * 4),
    ],
)
def test_objects_are_read_as_numbers(values, expected):
    read = read_numbers(pd.Series(values, dtype=object), name="x")
    np.testing.assert_array_equal(read, expected)


def test_equal_values_of_other_types_stay_apart_as_labels():
    labels = read_labels(pd.Series([1, True, 1.0, "1", "True", 1.5], dtype=object), name="x")
    assert labels.texts() == ["1", "True", "1", "1", "True", "1.5"]


def test_labels_are_read_alike_in_few_and_in_many_rows():
    values = pd.Series(["a", " b", None, "", "b ", "c"] * 40)
    many = read_labels(values, name="x").texts()
    assert many == [text for v in values for text in read_labels(pd.Series([v]), name="x").texts()]
    assert set(many) == {"a", "b", "c", None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-31", "2026-03-31T00:00"),
        ("2026-03-31 08:30", "2026-03-31T08:30"),
        ("2026-03-31T08:30:00.250Z", "2026-03-31T08:30:00.250"),
        ("2026-03-31T08:30+02:00", "2026-03-31T06:30"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
        ("NaT", "NaT"),
        ("", "NaT"),
    ],
)
def test_iso_dates_are_read_in_utc(text, expected):
    read = read_moments(pd.Series([text]), name="at")
    np.testing.assert_array_equal(read, np.array([expected], dtype="datetime64[us]"))


def test_mixed_zones_meet_in_utc():
    values = pd.Series(["2026-01-01T00:00+01:00", "2025-12-31T23:00Z", "2025-12-31T18:00-05:00"])
    assert len(set(read_moments(values, name="at"))) == 1


@pytest.mark.parametrize(
    ("fmt", "values"),
    [
        ("epoch s", [1_700_000_000, 1_700_000_000.0, "2023-11-14T22:13:20"]),
        ("epoch ms", [1_700_000_000_000, 1_700_000_000_000.0]),
    ],
)
def test_seconds_since_1970_are_read(fmt, values):
    read = read_moments(pd.Series(values, dtype=object), name="at", formats=(fmt, "iso"))
    assert set(read) == {np.datetime64("2023-11-14T22:13:20", "us")}


@pytest.mark.parametrize("value", ["2026-02-30", "31/31/2026", "tomorrow", "24:00", 12.5])
def test_what_is_no_date_is_refused(value):
    values = pd.Series(["2026-01-01", value], dtype=object)
    with pytest.raises(SchemaError, match=r"column 'at' must hold dates such as .* row 1 has"):
        read_moments(values, name="at")

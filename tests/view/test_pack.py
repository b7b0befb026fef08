import base64

import numpy as np
import pandas as pd
import pytest

from pellucid.view.pack import pack_column, pack_importances


def _cells(packed):
    for name, dtype in (("f32", "<f4"), ("f64", "<f8"), ("u8", "u1"), ("u16", "<u2")):
        if name in packed:
            return np.frombuffer(base64.b64decode(packed[name]), dtype)
    raise AssertionError(packed)


def test_importances_keep_nearly_five_digits_of_the_largest():
    values = np.random.default_rng(0).normal(size=(50, 4, 3)) * [[[1], [1e-6], [1e6], [0]]]
    packed = pack_importances(values)
    steps = np.array(packed["step"])[:, :, None]
    cube = np.frombuffer(base64.b64decode(packed["i16"]), "<i2").reshape(3, 4, 50) * steps
    largest = np.abs(values).max(axis=0).T[:, :, None]
    assert (np.abs(cube - values.transpose(2, 1, 0)) <= 2e-5 * largest).all()


def test_importances_of_no_rows():
    packed = pack_importances(np.empty((0, 2)))
    assert packed["i16"] == ""
    assert len(packed["step"][0]) == 2


def test_few_distinct_numbers_take_a_byte_each():
    packed = pack_column(pd.Series([0.0, 1.0, np.nan] * 100))
    assert packed["levels"] == [0.0, 1.0]
    assert _cells(packed).tolist()[:3] == [0, 1, 255]


@pytest.mark.parametrize(
    ("numbers", "form"),
    [
        (np.linspace(0, 1, 1000), "f32"),
        (np.arange(1000) + 123_456_789.0, "f64"),
        (np.linspace(1e300, 2e300, 1000), "f64"),
    ],
)
def test_many_distinct_numbers_keep_their_digits(numbers, form):
    packed = pack_column(pd.Series(numbers))
    assert form in packed
    assert np.allclose(_cells(packed), numbers, rtol=1e-6)


def test_categories_beyond_a_byte():
    cells = pd.Series([f"c{i:04d}" for i in range(600)] + [None])
    packed = pack_column(cells)
    assert packed["kind"] == "category"
    assert packed["levels"][_cells(packed)[5]] == "c0005"
    assert _cells(packed)[-1] == 65535


def test_booleans_are_categories_and_times_are_milliseconds():
    assert pack_column(pd.Series([True, False]))["levels"] == ["False", "True"]
    times = pack_column(pd.to_datetime(pd.Series(["1970-01-02", None])))
    assert times["kind"] == "time"
    assert times["levels"] == [86_400_000.0]
    zoned = pack_column(pd.to_datetime(pd.Series(["1970-01-02"]), utc=True))
    assert zoned["levels"] == [86_400_000.0]


def test_long_cells_are_cut():
    packed = pack_column(pd.Series(["x" * 10_000, "y"]))
    assert max(map(len, packed["levels"])) == 160
    assert packed["levels"][0].endswith("…")


def test_nullable_and_extension_columns():
    packed = pack_column(pd.Series([1, None, 3], dtype="Int64"))
    assert packed["kind"] == "numeric"
    assert _cells(packed).tolist() == [0, 255, 1]
    assert pack_column(pd.Series(["a", None], dtype="category"))["levels"] == ["a"]

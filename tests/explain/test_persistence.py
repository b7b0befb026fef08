"""An explanation comes back from its file as it was, or not at all."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.persistence import (
    ExplanationFileError,
    explanation_from_bytes,
    explanation_to_bytes,
    write_file,
)
from pellucid.explain.tagged import TaggedValueError

N = 6


def make(
    data: pd.DataFrame,
    *,
    n_outputs: int = 1,
    classes: tuple[Any, ...] | None = None,
    details: dict[str, Any] | None = None,
    engineered: Explanation | None = None,
    level: str = "raw",
) -> Explanation:
    shape = data.shape if n_outputs == 1 else (*data.shape, n_outputs)
    rng = np.random.default_rng(0)
    return Explanation(
        values=rng.normal(size=shape),
        base_values=rng.normal(size=n_outputs),
        feature_names=tuple(map(str, data.columns)),
        data=data,
        level=level,  # type: ignore[arg-type]
        classes=classes,
        background_size=7,
        rows_from="test",
        engineered=engineered,
        details=details or {},
    )


def assert_same(a: Explanation, b: Explanation) -> None:
    assert a.values.dtype == b.values.dtype
    assert np.array_equal(a.values, b.values)
    assert np.array_equal(a.base_values, b.base_values)
    pd.testing.assert_frame_equal(a.data, b.data, check_column_type=False)
    for fact in ("feature_names", "level", "space", "method", "background_size", "rows_from"):
        assert getattr(a, fact) == getattr(b, fact)
    assert a.classes == b.classes
    assert [type(c) for c in a.classes or ()] == [type(c) for c in b.classes or ()]
    assert dict(a.details) == dict(b.details)
    assert (a.engineered is None) == (b.engineered is None)
    if a.engineered is not None and b.engineered is not None:
        assert_same(a.engineered, b.engineered)


FRAMES = {
    "numbers": pd.DataFrame({"a": np.arange(N), "b": np.linspace(0, 1, N).astype("float32")}),
    "missing": pd.DataFrame({"a": [1.0, np.nan] * 3, "s": ["x", None, "y"] * 2}),
    "objects": pd.DataFrame(
        {"o": pd.Series(["a", 1, 2.5, None, True, dt.date(2020, 1, 2)], dtype=object)}
    ),
    "text as objects": pd.DataFrame({"o": pd.Series(list("abcdef"), dtype=object)}),
    "categories": pd.DataFrame(
        {
            "c": pd.Categorical(["b", None, "a"] * 2, categories=["z", "b", "a"], ordered=True),
            "n": pd.Categorical([3, 1, 2] * 2),
        }
    ),
    "times": pd.DataFrame(
        {
            "t": pd.to_datetime(["2020-01-01", "NaT", "2021-05-05"] * 2),
            "z": pd.to_datetime(["2020-01-01"] * N).tz_localize("Europe/Paris"),
            "d": pd.to_timedelta(range(N), unit="s"),
        }
    ),
    "extensions": pd.DataFrame(
        {
            "I": pd.array([1, None, 3] * 2, dtype="Int64"),
            "B": pd.array([True, None, False] * 2, dtype="boolean"),
            "S": pd.array(["a", None, "b"] * 2, dtype="string"),
            "P": pd.period_range("2020-01", periods=N, freq="M"),
        }
    ),
    "named rows": pd.DataFrame(
        {"a": range(N)}, index=pd.Index(["r1", "r1", "x", "y", "z", "é"], name="who")
    ),
    "shuffled rows": pd.DataFrame({"a": range(N)}, index=[5, 3, 1, 0, 2, 9]),
    "two levels": pd.DataFrame(
        {"a": range(N)},
        index=pd.MultiIndex.from_product([["p", "q"], [1, 2, 3]], names=["g", None]),
    ),
    "stepped rows": pd.DataFrame({"a": range(N)}, index=pd.RangeIndex(2, 14, 2, name="row")),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="float64"), "s": pd.Series([], dtype="str")}),
    "awkward names": pd.DataFrame([[1, 2]] * N, columns=["a/b=\u00e9 \n", ""]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_round_trip_keeps_data(name: str, tmp_path: Path) -> None:
    explanation = make(FRAMES[name])
    explanation.save(tmp_path / "e.zip")
    assert_same(explanation, Explanation.load(tmp_path / "e.zip"))


@pytest.mark.parametrize(
    "classes",
    [
        ("no", "yes"),
        (0, 1, 2),
        (False, True),
        (0.5, 1.5),
        (dt.date(2020, 1, 1), dt.date(2020, 1, 2)),
        (Decimal("1.10"), Decimal("2")),
        (pd.Timestamp("2020-01-01 10:00:00.000000001"), pd.Timestamp("2021-01-01", tz="UTC")),
    ],
)
def test_round_trip_keeps_class_types(classes: tuple[Any, ...]) -> None:
    explanation = make(
        FRAMES["numbers"],
        n_outputs=3 if len(classes) > 2 else 1,
        classes=classes,
        details={"predicted": [classes[0]] * N, "probability": [[0.25, 0.75]] * N},
    )
    assert_same(explanation, explanation_from_bytes(explanation_to_bytes(explanation)))


def test_round_trip_keeps_the_engineered_twin_and_details() -> None:
    details = {
        "additivity_error": 1e-12,
        "predicted": [1, 2, 3, 4, 5, 6],
        "odd": (1, float("inf"), {"$": 1, 2: None}),
    }
    twin = make(FRAMES["numbers"].astype("float32"), level="engineered", details=details)
    explanation = make(FRAMES["missing"], engineered=twin, details=details)
    back = explanation_from_bytes(explanation_to_bytes(explanation))
    assert_same(explanation, back)
    assert back[2:4].engineered is not None


def test_same_explanation_same_bytes() -> None:
    assert explanation_to_bytes(make(FRAMES["times"])) == explanation_to_bytes(
        make(FRAMES["times"])
    )


def test_any_changed_byte_is_detected() -> None:
    data = explanation_to_bytes(make(FRAMES["missing"], classes=("a", "b")))
    for position in range(0, len(data), 3):
        damaged = bytearray(data)
        damaged[position] ^= 0x40
        with pytest.raises(ExplanationFileError):
            explanation_from_bytes(bytes(damaged))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cut_or_overwritten_regions_are_detected(draw: st.DataObject) -> None:
    data = explanation_to_bytes(make(FRAMES["numbers"]))
    start = draw.draw(st.integers(0, len(data) - 1))
    length = draw.draw(st.integers(1, len(data) - start))
    filler = draw.draw(st.sampled_from([b"", b"\0" * length, b"\xff" * length]))
    damaged = data[:start] + filler + data[start + length :]
    if damaged != data:
        with pytest.raises(ExplanationFileError):
            explanation_from_bytes(damaged)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"\0" * 4096])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(ExplanationFileError, match="not a whole explanation file"):
        Explanation.load(tmp_path / "other")


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ExplanationError, match=r"missing\.zip: No such file"):
        Explanation.load(tmp_path / "missing.zip")
    with pytest.raises(ExplanationError, match=r"cannot write .*No such file"):
        make(FRAMES["numbers"]).save(tmp_path / "no" / "folder.zip")


def test_a_value_that_no_file_keeps_is_named() -> None:
    with pytest.raises(TaggedValueError, match=r"a complex .* convert it"):
        explanation_to_bytes(make(FRAMES["numbers"], details={"predicted": [1j] * N}))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    make(FRAMES["numbers"]).save(tmp_path / "e.zip")
    before = (tmp_path / "e.zip").read_bytes()
    with pytest.raises(TaggedValueError):
        make(FRAMES["numbers"], details={"predicted": [1j] * N}).save(tmp_path / "e.zip")
    with pytest.raises(TypeError):
        write_file(tmp_path / "e.zip", "text")  # type: ignore[arg-type]
    assert (tmp_path / "e.zip").read_bytes() == before
    assert os.listdir(tmp_path) == ["e.zip"]


_WRITE_FOREVER = """
import sys
from pellucid.files import write_file
sizes = [10, 3_000_000]
print("ready", flush=True)
while True:
    for size in sizes:
        write_file(sys.argv[1], bytes([size % 251]) * size)
"""


@pytest.mark.posix
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for delay in (0.0, 0.01, 0.05):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITE_FOREVER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05 + delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        data = path.read_bytes()
        assert len(data) in (10, 3_000_000)
        assert len(set(data)) == 1

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.serve.arrow_body import read_arrow
from pellucid.serve.errors import RequestError


def stream(table, *, compression=None, file=False):
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    make = pa.ipc.new_file if file else pa.ipc.new_stream
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


TABLE = pa.table(
    {
        "age": [31, None, 52],
        "job": ["cook", None, "clerk"],
        "city": pa.array(["Rome", "Oslo", "Rome"]).dictionary_encode(),
        "since": pd.to_datetime(["2024-01-01", None, "2025-01-01"]),
    }
)


@pytest.mark.parametrize("file", [False, True])
def test_what_was_written_is_read(file):
    frame = read_arrow(stream(TABLE, file=file), most_rows=3)
    pd.testing.assert_frame_equal(frame, TABLE.to_pandas())


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize("names", [["age"], ["city"], ["age", "job", "city", "since"]])
def test_compressed_buffers_are_refused(compression, file, names):
    data = stream(TABLE.select(names), compression=compression, file=file)
    with pytest.raises(RequestError, match="compressed"):
        read_arrow(data, most_rows=10)


def test_rows_that_need_no_room_are_counted_first():
    data = stream(pa.table({"age": pa.Array.from_buffers(pa.null(), 2**31 - 1, [None])}))
    assert len(data) < 1000
    with pytest.raises(RequestError, match="more than 10 rows") as caught:
        read_arrow(data, most_rows=10)
    assert caught.value.status == 413


@pytest.mark.parametrize(
    "column", [[[1]], [{"a": 1}], pa.RunEndEncodedArray.from_arrays([2**30], [1])], ids=str
)
def test_nested_columns_are_named(column):
    with pytest.raises(RequestError, match="'odd'"):
        read_arrow(stream(pa.table({"odd": column})), most_rows=2**31)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_is_told_or_harmless(at, byte, cut):
    data = bytearray(stream(TABLE.select(["age", "job"])))
    at %= len(data)
    data[at] = byte
    try:
        frame = read_arrow(bytes(data[:at] if cut else data), most_rows=10)
    except RequestError:
        return
    assert len(frame) <= 10

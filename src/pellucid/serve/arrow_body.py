"""An Arrow stream or file as a table, when it is no larger than it looks.

Two ways let a small body ask for much memory: compressed buffers, and columns that need no buffer
for their rows. So batches are looked at before their buffers are, and rows are counted before a
frame is made.
"""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import pandas as pd

from pellucid.errors import UNREADABLE
from pellucid.serve.errors import RequestError

_FILE = b"ARROW1\0\0"  # begins a file, whose rest is a stream with a footer
_DICTIONARY, _BATCH = 2, 3  # kinds of messages (MessageHeader in Arrow's Message.fbs)


def read_arrow(data: bytes, *, most_rows: int) -> pd.DataFrame:
    """Read a table.

    Raises
    ------
    RequestError
        Not an Arrow stream or file, compressed or nested columns (400), or too many rows (413).

    Examples
    --------
    >>> import pyarrow as pa
    >>> table, sink = pa.table({"age": [31, 52]}), pa.BufferOutputStream()
    >>> with pa.ipc.new_stream(sink, table.schema) as writer:
    ...     writer.write_table(table)
    >>> read_arrow(sink.getvalue().to_pybytes(), most_rows=10)["age"].tolist()
    [31, 52]
    """
    import pyarrow as pa

    if data.startswith(_FILE):
        data = data[len(_FILE) :]
    try:
        for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(data)):
            if is_compressed(message.metadata.to_pybytes()):
                _refuse("compressed Arrow buffers are not read; write the stream without")
        with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
            _check_columns(reader.schema)
            batches, n_rows = [], 0
            for batch in reader:
                n_rows += batch.num_rows
                if n_rows > most_rows:
                    raise RequestError(
                        f"the table has more than {most_rows} rows; send fewer at a time",
                        code="too_many_rows",
                        status=413,
                    )
                batches.append(batch)
            table = pa.Table.from_batches(batches, schema=reader.schema)
        table.validate(full=True)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except (*UNREADABLE, struct.error) as error:
        _refuse(f"the body is not an Arrow stream or file: {type(error).__name__}")
    return frame


def is_compressed(metadata: bytes) -> bool:
    """Whether a message's buffers are compressed, by its flatbuffer (Arrow's Message.fbs).

    A message has its header at field 2 and the header's kind at field 1; a batch says how its
    buffers are compressed at field 3; a dictionary has its batch at field 1.
    """
    message = _unsigned(metadata, 0)
    kind_at = _field(metadata, message, 1)
    kind = metadata[kind_at] if kind_at else 0
    if kind not in (_DICTIONARY, _BATCH):
        return False
    batch = _table(metadata, message, 2)
    if kind == _DICTIONARY:
        batch = _table(metadata, batch, 1)
    return _field(metadata, batch, 3) != 0


def _field(data: bytes, table: int, number: int) -> int:
    """Where a table has a field; 0 if it does not."""
    (back,) = struct.unpack_from("<i", data, table)
    size, at = struct.unpack_from("<H", data, table - back)[0], 4 + 2 * number
    if at + 2 > size:
        return 0
    (offset,) = struct.unpack_from("<H", data, table - back + at)
    return table + offset if offset else 0


def _table(data: bytes, table: int, number: int) -> int:
    at = _field(data, table, number)
    return at + _unsigned(data, at)


def _unsigned(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def _check_columns(schema: Any) -> None:
    import pyarrow as pa

    names = schema.names
    if len(set(names)) < len(names):
        _refuse("the Arrow table has two columns of one name")
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_run_end_encoded(field.type):
            raise RequestError(
                f"column {field.name[:100]!r} of the Arrow table is {str(field.type)[:60]}; "
                f"expected one value a cell",
                code="wrong_type",
                column=field.name[:100],
            )


def _refuse(message: str) -> NoReturn:
    raise RequestError(message, code="wrong_shape")

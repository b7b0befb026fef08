"""Rows as the body of a request."""

from __future__ import annotations

import io
import json
from typing import Any

from pellucid.serve.errors import RequestError
from pellucid.serve.formats import ARROW, JSON
from pellucid.tabular.frames import to_frame


def body_of(rows: Any) -> tuple[bytes, str]:
    """The body of a request for rows, and its content type.

    Tables go as Arrow, which keeps the types of their columns; plain Python values as JSON; text
    as the JSON that it is.

    Examples
    --------
    >>> body_of([{"age": 31}])
    (b'[{"age": 31}]', 'application/json')
    """
    if isinstance(rows, (str, bytes)):
        return rows.encode() if isinstance(rows, str) else rows, JSON
    if isinstance(rows, (dict, list)):
        try:
            return json.dumps(rows, allow_nan=False).encode(), JSON
        except (TypeError, ValueError):
            pass  # dates, NumPy's numbers or NaN in it
    import pyarrow as pa

    frame = to_frame(rows)
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise RequestError(f"the rows cannot be sent: {error}", code="wrong_rows") from error
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue(), ARROW[0]

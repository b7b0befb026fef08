"""The forms in which rows arrive: several shapes of JSON, CSV and Arrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import pandas as pd

from pellucid.serve.arrow_body import read_arrow
from pellucid.serve.errors import RequestError
from pellucid.serve.strict_json import read_json

Form = Literal["own", "data", "method", "inputs"]

JSON, CSV = "application/json", "text/csv"
ARROW = ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file")
_ENVELOPE = {
    "data", "method", "params", "dataframe_split", "dataframe_records", "instances", "inputs",
    "Inputs", "GlobalParameters",
}  # fmt: skip
_PLAIN = ("dataframe_records", "instances", "inputs", "data")  # keys whose value is rows


@dataclass(frozen=True, eq=False)
class Asked:
    """Rows as a request holds them.

    rows : one row as a mapping, a list of mappings, or a frame
    n_rows : how many
    row_ids : what the caller calls them, or a range of their positions
    form : which answer is expected: "own", with ``result`` beside it ("data"), or only the old
        ``{"result": ...}`` ("method") or ``{"Results": ...}`` ("inputs")
    params : what the body says of how to answer
    checked : False for cells that are text by their format alone
    """

    rows: Any
    n_rows: int
    row_ids: Sequence[Any]
    form: Form = "own"
    params: Mapping[str, Any] = field(default_factory=dict)
    checked: bool = True


def read_body(
    data: bytes, content_type: str | None, names: Sequence[str], *, most_rows: int
) -> Asked:
    """Read a body as its content type says.

    Parameters
    ----------
    data : bytes
    content_type : str or None
    names : the model's raw columns, in order, for rows that come without
    most_rows : above which a table that needs little room for many rows is not read

    Raises
    ------
    RequestError
        An unknown content type (415), or a body that is not what it says.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == JSON or (kind.startswith("application/") and kind.endswith("+json")):
        return read_shapes(read_json(data), names)
    if kind == CSV:
        return _of_frame(_read_csv(data), checked=False)
    if kind in ARROW:
        return _of_frame(read_arrow(data, most_rows=most_rows))
    sent = f"not {kind[:80]}" if kind else "and none was sent"
    raise RequestError(
        f"the content type must be {JSON}, {CSV} or {ARROW[0]}, {sent}",
        code="content_type",
        status=415,
    )


def read_shapes(value: Any, names: Sequence[str]) -> Asked:
    """Rows in any of the shapes of JSON that are in use.

    A list of records or of lists of cells; one record; or an object with ``data``,
    ``dataframe_split``, ``dataframe_records``, ``instances``, ``inputs`` or ``Inputs``.

    Examples
    --------
    >>> read_shapes({"data": [{"age": 31}]}, ["age"]).form
    'data'
    >>> read_shapes({"age": 31}, ["age"]).rows
    {'age': 31}
    """
    if isinstance(value, list):
        return _of_rows(value, names)
    if not isinstance(value, dict):
        _refuse("the JSON must be a list of rows, or an object that holds one")
    if "Inputs" in value and value.keys() <= {"Inputs", "GlobalParameters"}:
        return _of_inputs(value, names)
    key = next((key for key in ("dataframe_split", *_PLAIN) if key in value), None)
    rows = value.get(key) if key else None
    if key is None or value.keys() - _ENVELOPE or not isinstance(rows, (list, dict)):
        return Asked(value, 1, range(1))  # one record, whose columns may have any name
    params = value.get("params")
    params = {} if params is None else params
    if not isinstance(params, dict):
        _refuse("params must be an object")
    if key == "dataframe_split":
        return _of_split(rows, params)
    form: Form = "own"
    if key == "data":
        form = "method" if "method" in value else "data"
        params = {**params, "method": value.get("method", "predict")}
    return _of_rows(rows, names, form=form, params=params)


def _of_inputs(value: Mapping[str, Any], names: Sequence[str]) -> Asked:
    inner, params = value["Inputs"], value.get("GlobalParameters")
    params = {} if params is None else params
    if isinstance(params, str):
        params = {"method": params}
    if not isinstance(params, dict):
        _refuse('GlobalParameters must be an object, such as {"method": "predict"}')
    if isinstance(inner, dict):
        if len(inner) != 1:
            _refuse('Inputs must be {"data": [rows]}')
        inner = next(iter(inner.values()))
    return _of_rows(inner, names, form="inputs", params={"method": "predict", **params})


def _of_rows(
    rows: Any,
    names: Sequence[str],
    *,
    form: Form = "own",
    params: Mapping[str, Any] | None = None,
) -> Asked:
    params = params or {}
    if isinstance(rows, dict) and any(isinstance(cells, list) for cells in rows.values()):
        columns = {name: cells for name, cells in rows.items() if isinstance(cells, list)}
        lengths = {len(cells) for cells in columns.values()}
        if len(columns) < len(rows) or len(lengths) > 1:
            _refuse("an object of columns must hold one list a column, all of one length")
        n_rows = lengths.pop()
        return Asked(pd.DataFrame(rows), n_rows, range(n_rows), form, params)
    if isinstance(rows, dict):
        return Asked(rows, 1, range(1), form, params)
    if not isinstance(rows, list):
        _refuse("rows must be a list of objects, or of lists of cells")
    if not rows:
        return Asked(pd.DataFrame(columns=list(names), dtype=object), 0, [], form, params)
    if isinstance(rows[0], dict):
        return Asked(rows[0] if len(rows) == 1 else rows, len(rows), range(len(rows)), form, params)
    if not isinstance(rows[0], list):
        _refuse("row 0 is neither an object of column names and cells nor a list of cells", row=0)
    frame = _table(rows, names)
    return Asked(frame, len(rows), range(len(rows)), form, params)


def _of_split(split: Any, params: Mapping[str, Any]) -> Asked:
    facts = split if isinstance(split, dict) else {}
    columns, rows = facts.get("columns"), facts.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list):
        _refuse('dataframe_split must be {"columns": [names], "data": [[cells], ...]}')
    if not all(isinstance(name, str) for name in columns):
        _refuse("the columns of dataframe_split must be text")
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        _refuse(f"dataframe_split has column {sorted(twice)[0][:100]!r} more than once")
    ids = facts.get("index")
    if ids is None:
        ids = range(len(rows))
    if not isinstance(ids, (list, range)) or len(ids) != len(rows):
        _refuse(f"the index of dataframe_split must be a list of its {len(rows)} rows' names")
    return Asked(_table(rows, columns), len(rows), ids, "own", params)


def _table(rows: list[Any], names: Sequence[str]) -> pd.DataFrame:
    for row, cells in enumerate(rows):
        if not isinstance(cells, list) or len(cells) != len(names):
            found = f"{len(cells)} cells" if isinstance(cells, list) else "no list of cells"
            _refuse(f"row {row} has {found}, but there are {len(names)} columns", row=row)
    columns = zip(*rows) if rows else [()] * len(names)
    return pd.DataFrame({name: list(cells) for name, cells in zip(names, columns)})


def _read_csv(data: bytes) -> pd.DataFrame:
    try:
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        _refuse(f"the body is not CSV in UTF-8: {type(error).__name__}")
    lines = [line for line in lines if line]
    if not lines:
        _refuse("the CSV is empty; expected a header and rows")
    header = lines[0]
    if len(set(header)) < len(header):
        _refuse("the CSV has two columns of one name")
    for row, line in enumerate(lines[1:]):
        if len(line) != len(header):
            _refuse(f"row {row} of the CSV has {len(line)} cells, the header {len(header)}", row)
    cells = zip(*lines[1:]) if len(lines) > 1 else [()] * len(header)
    return pd.DataFrame(
        {name: pd.Series([cell or None for cell in column], dtype=object)
         for name, column in zip(header, cells)}
    )  # fmt: skip


def _of_frame(frame: pd.DataFrame, *, checked: bool = True) -> Asked:
    return Asked(frame, len(frame), range(len(frame)), checked=checked)


def _refuse(message: str, row: int | None = None) -> NoReturn:
    raise RequestError(message, code="wrong_shape", row=row)

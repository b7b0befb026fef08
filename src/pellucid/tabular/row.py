"""One row as a mapping of names to cells, read without a frame.

A prediction service has one row at a time, and making a frame of it costs ten times as much as
reading its cells.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from pellucid.tabular.align import check_present, expected_words, holds_truths, holds_words
from pellucid.tabular.columns import Column, Schema
from pellucid.tabular.reading import booleans, moments, numbers
from pellucid.tabular.reading.labels import Labels, label_of
from pellucid.tabular.reading.values import is_missing, refuse, text_of

_MOMENTS = (dt.datetime, np.datetime64, pd.Period)
_WORDLESS = (int, float, np.number, dt.timedelta, *_MOMENTS)  # np.number holds np.timedelta64
_FIRST, _MISSING = np.array([0]), np.array([-1])  # codes of one label, and of none


def read_row(row: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The cells of one row as encoders take them, checked as `align` checks a table.

    Parameters
    ----------
    row : mapping of column name to cell
        Further columns are left out; one that the model does not use may be absent.
    schema : Schema

    Returns
    -------
    dict
        Used column -> what the reader of its kind gives, for one row.

    Raises
    ------
    SchemaError
        If a needed column is absent, or a cell does not fit its column's kind.

    Examples
    --------
    >>> schema = Schema((Column("age", "numeric"), Column("job", "categorical")))
    >>> read_row({"job": "clerk", "city": "Rome", "age": "41"}, schema)["age"]
    array([41.])
    """
    used = [column for column in schema.columns if column.used]
    if not all(column.name in row for column in used):
        check_present(list(map(str, row)), schema)
    return {column.name: _read(row[column.name], column) for column in used}


def _read(value: Any, column: Column) -> Any:
    name = column.name
    if column.kind == "numeric":
        return np.array([_number(value, column)], dtype=np.float64)
    if column.kind == "boolean":
        truth = booleans.truth_of(value, name)
        if truth is None:
            _refuse(value, name, booleans.EXPECTED)
        return np.array([truth], dtype=np.float64)
    if column.kind == "datetime":
        moment = moments.moment_of(value, name, formats=column.formats, words=column.words)
        if moment is None:
            _refuse(value, name, moments.expected(column.formats))
        return np.array([moment], dtype="datetime64[us]")
    if column.kind == "text":
        return [None if is_missing(value) else text_of(value, name)]
    return _labels(value, column)


def _number(value: Any, column: Column) -> float:
    if isinstance(value, _MOMENTS) and not is_missing(value):
        _refuse(value, column.name, numbers.EXPECTED)
    decimal_comma = numbers.DECIMAL_COMMA in column.formats
    number = numbers.number_of(value, column.name, decimal_comma=decimal_comma, words=column.words)
    if number is None:
        _refuse(value, column.name, numbers.EXPECTED)
    return number


def _labels(value: Any, column: Column) -> Labels:
    label = label_of(value, column.name)
    if isinstance(value, (bool, np.bool_)):
        drifted = not holds_truths(column)
    else:
        drifted = isinstance(value, _WORDLESS)
    if drifted and label is not None and holds_words(column):
        _refuse(value, column.name, expected_words(column))
    return Labels(_MISSING, []) if label is None else Labels(_FIRST, [label])


def _refuse(value: Any, name: str, expected: str) -> NoReturn:
    refuse(pd.Series([value], dtype=object), 0, name, expected)

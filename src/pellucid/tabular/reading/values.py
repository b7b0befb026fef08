"""What all cell readers share: missing values, plain text of a value, the error for a bad cell."""

from __future__ import annotations

import datetime as dt
import decimal
import numbers
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from pellucid.tabular.errors import SchemaError

# Words that stand for "no value" among numbers and dates, in lower case.
NA_WORDS = frozenset(
    (
        *(
            "",
            "-",
            "--",
            "?",
            ".",
            "na",
            "n/a",
            "#n/a",
            "n.a.",
            "nan",
            "null",
            "none",
            "nil",
            "nat",
        ),
        *("<na>", "missing", "#value!", "#div/0!", "#ref!", "#null!", "#num!", "#name?"),
    )
)
_SHOWN = 60  # characters of a value shown in a message


def is_missing(value: Any) -> bool:
    """Whether a cell holds no value."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, (float, np.floating)):
        return bool(value != value)
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))


def text_of(value: Any, name: str) -> str:
    """A cell as text; whole numbers without a point, so that 3, 3.0 and "3" are one label.

    Raises
    ------
    SchemaError
        For a cell that is no single value, such as a list.
    """
    if isinstance(value, str):
        return value if value.isascii() else _encodable(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, decimal.Decimal):
        return f"{value.normalize():f}" if value.is_finite() else str(value)
    if isinstance(value, (bytes, bytearray)):
        return _decoded(bytes(value), name)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (complex, np.complexfloating)):
        raise SchemaError(
            f"Complex data not supported: column {name!r} holds complex numbers; split it into "
            f"its real and its imaginary part, or drop it"
        )
    if isinstance(value, (list, tuple, set, frozenset, dict, np.ndarray, pd.Series, pd.DataFrame)):
        raise SchemaError(
            f"column {name!r} holds a {type(value).__name__} in a cell, {show(value)}; expected "
            f"one value a cell: expand it into columns, join it into text, or drop the column"
        )
    return _encodable(str(value))


def _encodable(text: str) -> str:
    """Text without lone surrogates, which no file or page can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"column {name!r} holds bytes that are not UTF-8 text, {show(raw)}; decode or drop it"
        ) from error


def show(value: Any) -> str:
    """A value for a message, cut short."""
    if isinstance(value, (np.bool_, np.number)) and not isinstance(value, np.timedelta64):
        value = value.item()  # 1.5 instead of np.float64(1.5)
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def refuse(values: pd.Series, position: int, name: str, expected: str) -> NoReturn:
    """Raise the error for a cell that cannot be read, naming column, value and row."""
    label = values.index[position]
    row = f"row {position}" if label == position else f"row {position} (index {label!r})"
    raise SchemaError(
        f"column {name!r} must hold {expected}, but {row} has {show(values.iloc[position])}; "
        f"correct the cell, or leave it empty if the value is not known"
    )

"""Values as strict JSON that keeps their types: labels, details, cells of object columns."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import ExplanationError

_MARK = "$"  # the key that tells a tagged value from a plain dict


class TaggedValueError(ExplanationError):
    """A value is of a type that a file cannot keep."""


def tag(value: Any) -> Any:
    """A value as strict JSON that `untag` turns back, type and all.

    Raises
    ------
    TaggedValueError
        For a type that is not a plain value, a time, or a collection of these.

    Examples
    --------
    >>> tag([1, "a", float("nan"), date(2020, 1, 2)])
    [1, 'a', {'$': 'float', 'is': 'nan'}, {'$': 'date', 'is': '2020-01-02'}]
    """
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, (np.datetime64, np.timedelta64)) else value
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {_MARK: "float", "is": repr(value)}
    if isinstance(value, (list, np.ndarray)):
        return [tag(item) for item in value]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and key != _MARK for key in value):
            return {key: tag(item) for key, item in value.items()}
        pairs = [[tag(key), tag(item)] for key, item in value.items()]
        return {_MARK: "dict", "is": pairs}
    for name, (kind, write, _) in _TAGS.items():
        if isinstance(value, kind):
            return {_MARK: name, "is": write(value)}
    raise TaggedValueError(
        f"a {type(value).__name__} ({value!r}) cannot be kept in a file; convert it to text or "
        f"to a number first"
    )


def untag(value: Any) -> Any:
    """Turn back what `tag` gave.

    Examples
    --------
    >>> untag(tag({"when": date(2020, 1, 2), "pair": (1, 2.5)}))
    {'when': datetime.date(2020, 1, 2), 'pair': (1, 2.5)}
    """
    if isinstance(value, list):
        return [untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _MARK not in value:
        return {key: untag(item) for key, item in value.items()}
    if value[_MARK] == "float":
        return float(value["is"])
    if value[_MARK] == "dict":
        return {untag(key): untag(item) for key, item in value["is"]}
    return _TAGS[value[_MARK]][2](value["is"])


def _tuple(items: Any) -> tuple[Any, ...]:
    return tuple(untag(item) for item in items)


# name -> type, how it is written, how it is read; a subclass stands before its base
_TAGS: dict[str, tuple[Any, Any, Any]] = {
    "NaT": (type(pd.NaT), lambda v: None, lambda _: pd.NaT),
    "NA": (type(pd.NA), lambda v: None, lambda _: pd.NA),
    "datetime64": (np.datetime64, str, np.datetime64),
    "timedelta64": (
        np.timedelta64,
        lambda v: [int(v.astype(np.int64)), np.datetime_data(v.dtype)[0]],
        lambda parts: np.timedelta64(*parts),
    ),
    "Timestamp": (pd.Timestamp, pd.Timestamp.isoformat, pd.Timestamp),
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "time": (time, time.isoformat, time.fromisoformat),
    "Timedelta": (pd.Timedelta, pd.Timedelta.isoformat, pd.Timedelta),
    "timedelta": (
        timedelta,
        lambda v: [v.days, v.seconds, v.microseconds],
        lambda parts: timedelta(*parts),
    ),
    "Decimal": (Decimal, str, Decimal),
    "bytes": (bytes, lambda v: base64.b64encode(v).decode(), base64.b64decode),
    "tuple": (tuple, lambda v: [tag(item) for item in v], _tuple),
    "str": (str, str, str),
    "int": (int, int, int),
}

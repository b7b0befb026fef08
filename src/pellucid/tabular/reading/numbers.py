"""Cells as numbers: every numeric type, and text that reads as a number."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.reading.values import NA_WORDS, is_missing, refuse, text_of

EXPECTED = "numbers"
DECIMAL_COMMA = "decimal comma"  # the format of 1.234,5

_SIGN, _CURRENCY = r"[-+\u2212]?", r"[$€£¥₹]?"
_PLAIN = re.compile(
    rf"(?P<open>\()?(?P<sign>{_SIGN})\s?{_CURRENCY}\s?"
    r"(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?P<power>[eE][-+]?\d+)?"
    rf"\s?[%{_CURRENCY[1:-2]}]?(?P<close>\))?",
    re.ASCII,
)
_COMMA = re.compile(
    rf"(?P<sign>{_SIGN})\s?{_CURRENCY}\s?"
    r"(?P<digits>(?:\d{1,3}(?:[.\u00a0\u202f ]\d{3})+|\d+)(?:,\d+)?)"
    rf"\s?[%{_CURRENCY[1:-2]}]?",
    re.ASCII,
)
_INFINITE = {"inf": np.inf, "infinity": np.inf, "∞": np.inf}


def parse_number(text: str, *, decimal_comma: bool = False) -> float | None:
    """A number written as text, or None.

    Reads signs, thousands separators, a currency sign, a percent sign (12 % is 12) and
    parentheses for negative amounts.

    Examples
    --------
    >>> [parse_number(text) for text in ("12", " -1,234.5 ", "(12)", "$1,200.50", "12 %", "1e3")]
    [12.0, -1234.5, -12.0, 1200.5, 12.0, 1000.0]
    >>> parse_number("1.234,5", decimal_comma=True), parse_number("12 apples") is None
    (1234.5, True)
    """
    text = text.strip()
    bare = text.lstrip("+-").lower()
    if bare in _INFINITE:
        return -_INFINITE[bare] if text.startswith("-") else _INFINITE[bare]
    match = (_COMMA if decimal_comma else _PLAIN).fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    if (parts.get("open") is None) != (parts.get("close") is None):
        return None
    digits = parts["digits"]
    if decimal_comma:
        digits = re.sub(r"[.\s]", "", digits).replace(",", ".")
    number = float(digits.replace(",", "") + (parts.get("power") or ""))
    negative = parts["sign"] in ("-", "\u2212")
    return -number if negative != (parts.get("open") is not None) else number


def holds_number(text: str) -> bool:
    """Whether a label may have been a number, or a date, before it was text."""
    return any(c.isdigit() for c in text) or parse_number(text) is not None


def loses_zeros(text: str) -> bool:
    """Whether a label is digits of which a number keeps only some, such as 00501."""
    return text.isdecimal() and text != str(int(text[:30]))


def is_native(dtype: Any) -> bool:
    """Whether a column type holds numbers or durations, as opposed to text that may read so."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iufm"
    if isinstance(dtype, pd.SparseDtype):
        return is_native(dtype.subtype)
    return pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype)


def read_numbers(
    values: pd.Series,
    *,
    name: str,
    formats: Collection[str] = (),
    words: Collection[str] = (),
) -> np.ndarray:
    """A column as float64 (n_rows,); NaN where there is no value, seconds for durations.

    Parameters
    ----------
    values : Series, (n_rows,)
    name : str
        The column's name, for messages.
    formats : "decimal comma" or nothing
    words : words that are read as missing, besides the usual ones

    Raises
    ------
    SchemaError
        For the first cell that is not a number.
    """
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind in "iufb":
            return values.to_numpy().astype(np.float64)
        if dtype.kind == "m":
            return values.to_numpy() / np.timedelta64(1, "s")
    elif isinstance(dtype, pd.SparseDtype):
        return read_numbers(
            pd.Series(np.asarray(values), index=values.index),
            name=name,
            formats=formats,
            words=words,
        )
    elif pd.api.types.is_numeric_dtype(dtype) and dtype.kind in "iufb":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return _read_each(values, name, DECIMAL_COMMA in formats, frozenset(words))


def _read_each(
    values: pd.Series, name: str, decimal_comma: bool, words: frozenset[str]
) -> np.ndarray:
    known: dict[str, float | None] = {}
    out = np.empty(len(values))
    for i, value in enumerate(values.astype(object).to_numpy()):
        number: float | None
        if isinstance(value, str):
            if value not in known:
                known[value] = _number_or_nan(value, decimal_comma, words)
            number = known[value]
        else:
            number = number_of(value, name, decimal_comma=decimal_comma, words=words)
        if number is None:
            refuse(values, i, name, EXPECTED)
        out[i] = number
    return out


def number_of(
    value: Any, name: str, *, decimal_comma: bool, words: Collection[str]
) -> float | None:
    """A cell as a number, NaN where it holds none; None where it is no number."""
    if isinstance(value, str):
        return _number_or_nan(value, decimal_comma, words)
    return np.nan if is_missing(value) else _number_of(value, name, decimal_comma, words)


def _number_or_nan(text: str, decimal_comma: bool, words: Collection[str]) -> float | None:
    stripped = text.strip()
    if stripped.lower() in NA_WORDS or stripped in words:
        return np.nan
    return parse_number(stripped, decimal_comma=decimal_comma)


def _number_of(value: Any, name: str, decimal_comma: bool, words: Collection[str]) -> float | None:
    if isinstance(value, np.timedelta64) or hasattr(value, "total_seconds"):
        return pd.Timedelta(value).total_seconds()
    text = text_of(value, name)  # refuses what is no single value
    if isinstance(value, (bytes, bytearray)):
        return _number_or_nan(text, decimal_comma, words)
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
    except (TypeError, ValueError):
        return None

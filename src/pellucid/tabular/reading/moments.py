"""Cells as moments in time, in UTC, to the microsecond."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.reading.values import NA_WORDS, is_missing, refuse, text_of

ISO = "iso"  # the format of 2026-03-31T08:00:00+02:00 and its shorter forms
EPOCH = {"epoch s": 1_000_000, "epoch ms": 1_000, "epoch us": 1}  # microseconds a unit
_NAT = np.datetime64("NaT", "us")


def is_native(dtype: Any) -> bool:
    """Whether a column type holds dates, as opposed to text that may read so."""
    if isinstance(dtype, pd.PeriodDtype):
        return True
    if isinstance(dtype, pd.ArrowDtype):
        return dtype.kind == "M" or str(dtype).startswith("date")
    return pd.api.types.is_datetime64_any_dtype(dtype)


def read_moments(
    values: pd.Series, *, name: str, formats: Sequence[str] = (ISO,), words: Sequence[str] = ()
) -> np.ndarray:
    """A column as datetime64[us] (n_rows,), in UTC; NaT where there is no value.

    Dates without a time zone are taken as they are.

    Parameters
    ----------
    values : Series, (n_rows,)
    name : str
        The column's name, for messages.
    formats : how text is read, tried in order; see `Column`
    words : words that are read as missing, besides the usual ones

    Raises
    ------
    SchemaError
        For the first cell that is not a date in one of the formats.

    Examples
    --------
    >>> read_moments(pd.Series(["2026-03-31T08:00+02:00", None]), name="at")
    array(['2026-03-31T06:00:00.000000',                        'NaT'], dtype='datetime64[us]')
    """
    dtype = values.dtype
    if isinstance(dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
        dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return values.to_numpy().astype("datetime64[us]")
    return _read_each(values, name, formats, frozenset(words))


def _read_each(
    values: pd.Series, name: str, formats: Sequence[str], words: frozenset[str]
) -> np.ndarray:
    cells = values.astype(object).to_numpy()
    strings = list(dict.fromkeys(v.strip() for v in cells if isinstance(v, str)))
    moments = parse_moments(strings, formats=formats)
    parsed = dict(zip(strings, moments))
    odd = {strings[i] for i in np.flatnonzero(np.isnat(moments)).tolist()} - words
    out = np.empty(len(cells), dtype="datetime64[us]")
    for i, value in enumerate(cells):
        if is_missing(value):
            out[i] = _NAT
        elif isinstance(value, str):
            text = value.strip()
            out[i] = parsed[text]
            if text in odd and text.lower() not in NA_WORDS:
                refuse(values, i, name, expected(formats))
        else:
            moment = _moment_of(value, name, formats)
            if moment is None:
                refuse(values, i, name, expected(formats))
            out[i] = moment
    return out


def moment_of(
    value: Any, name: str, *, formats: Sequence[str], words: Collection[str]
) -> np.datetime64 | None:
    """A cell as a moment, NaT where it holds none; None where it is no date."""
    if is_missing(value):
        return _NAT
    if not isinstance(value, str):
        return _moment_of(value, name, formats)
    text = value.strip()
    moment: np.datetime64 = parse_moments([text], formats=formats)[0]
    told = not np.isnat(moment) or text in words or text.lower() in NA_WORDS
    return moment if told else None


def parse_moments(texts: Sequence[str], *, formats: Sequence[str]) -> np.ndarray:
    """Texts as datetime64[us] (n_texts,) by the first format that fits; NaT where none does."""
    out = np.full(len(texts), _NAT)
    for fmt in formats:
        left = np.flatnonzero(np.isnat(out)).tolist()
        if not left:
            break
        if fmt == ISO:
            out[left] = [_from_iso(texts[i]) for i in left]
        elif fmt not in EPOCH:
            out[left] = _from_format([texts[i] for i in left], fmt)
    return out


def _from_iso(text: str) -> np.datetime64:
    try:
        return np.datetime64(_utc(dt.datetime.fromisoformat(text)), "us")
    except (ValueError, OverflowError):
        return _NAT


def _from_format(texts: list[str], fmt: str) -> np.ndarray:
    parsed = pd.to_datetime(pd.Index(texts, dtype=object), format=fmt, errors="coerce", utc=True)
    return parsed.tz_localize(None).to_numpy().astype("datetime64[us]")


def _utc(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(dt.UTC).replace(tzinfo=None)


def _moment_of(value: Any, name: str, formats: Sequence[str]) -> np.datetime64 | None:
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]")
    if isinstance(value, pd.Period):
        value = value.to_timestamp()
    if isinstance(value, pd.Timestamp):
        naive = value.tz_convert("UTC").tz_localize(None) if value.tz is not None else value
        return naive.to_datetime64().astype("datetime64[us]")
    if isinstance(value, dt.datetime):
        return np.datetime64(_utc(value), "us")
    if isinstance(value, dt.date):
        return np.datetime64(value, "us")
    unit = next((EPOCH[fmt] for fmt in formats if fmt in EPOCH), None)
    text = text_of(value, name)
    if unit is not None and isinstance(value, (int, float, np.number)):
        return np.datetime64(round(float(value) * unit), "us")
    moment = parse_moments([text], formats=formats)[0]
    return None if np.isnat(moment) else moment


def expected(formats: Sequence[str]) -> str:
    """What a column of dates must hold, for messages."""
    shown = [
        "2026-03-31 or 2026-03-31T08:00:00"
        if fmt == ISO
        else "seconds since 1970"
        if fmt in EPOCH
        else pd.Timestamp("2026-03-31 08:00").strftime(fmt)
        for fmt in formats
    ]
    return f"dates such as {', or '.join(shown) or '2026-03-31'}"

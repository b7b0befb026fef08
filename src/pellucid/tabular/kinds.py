"""What kind of data a column's values say it holds, as an expert would who looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from pellucid.tabular.columns import Column, Kind
from pellucid.tabular.date_formats import find_date_formats
from pellucid.tabular.reading import moments, numbers
from pellucid.tabular.reading.booleans import read_booleans
from pellucid.tabular.reading.labels import Labels, read_labels
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import (
    DECIMAL_COMMA,
    holds_number,
    loses_zeros,
    parse_number,
    read_numbers,
)
from pellucid.tabular.reading.values import NA_WORDS, show

_FEW_ROWS = 20  # rows below which all values may differ by chance
_ODD_SHARE = 0.05  # share of rows with a word in a column of numbers or dates
_ODD_WORDS = 10  # different such words
_ALL_DIFFERENT = 0.95  # share of different values that makes an identifier, or a text
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_ID_NAME = re.compile(
    r"(?:.*[\s_.-])?(?:id|uuid|guid|index|idx|key|row|rownum|rowid|serial|no|nr|unnamed: \d+)"
    r"|.*[a-z](?:ID|Id)|ID.*",
)
_YEARS = (1800, 2100)  # whole numbers in this range may be years, never serial numbers


def infer_column(values: pd.Series, name: str) -> Column:
    """What a column holds, by its values alone; identifiers and constants are not used."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return labelled_column(values, name, "categorical", read_labels(values, name=name))
    if pd.api.types.is_object_dtype(dtype):
        inner = pd.api.types.infer_dtype(values, skipna=True)
        if inner == "boolean":
            return boolean_column(values, name)
        if inner in ("datetime", "datetime64", "date", "period"):
            return datetime_column(values, name, formats=())
        if inner in ("integer", "floating", "mixed-integer-float", "decimal", "timedelta"):
            return _unless_serial(numeric_column(values, name), values)
    elif pd.api.types.is_bool_dtype(dtype):
        return boolean_column(values, name)
    elif numbers.is_native(dtype) and dtype.kind != "c":
        return _unless_serial(numeric_column(values, name), values)
    elif moments.is_native(dtype):
        return datetime_column(values, name, formats=())
    labels = read_labels(values, name=name)
    if not any(_is_code(level) for level in labels.levels):
        column = numbers_as_text(values, name, labels)
        if column is not None:
            return _unless_serial(column, values)
    return _dates_as_text(values, name, labels) or labelled_column(
        values, name, _kind_of_labels(labels), labels
    )


def _unless_serial(column: Column, values: pd.Series) -> Column:
    if not column.used or column.n_unique < len(values):
        return column
    read = read_numbers(values, name=column.name, formats=column.formats, words=column.words)
    if not _is_serial(read, column.name):
        return column
    return replace(column, kind="identifier", used=False, reason="identifier")


def boolean_column(values: pd.Series, name: str) -> Column:
    """A column of truth values."""
    read = read_booleans(values, name=name)
    return _finish(Column(name, "boolean", dtype=str(values.dtype)), read, np.isnan(read))


def numeric_column(
    values: pd.Series, name: str, *, formats: tuple[str, ...] = (), words: tuple[str, ...] = ()
) -> Column:
    """A column of numbers."""
    read = read_numbers(values, name=name, formats=formats, words=words)
    column = Column(name, "numeric", dtype=str(values.dtype), formats=formats, words=words)
    return _finish(column, read, np.isnan(read))


def datetime_column(
    values: pd.Series, name: str, *, formats: tuple[str, ...], words: tuple[str, ...] = ()
) -> Column:
    """A column of dates."""
    formats = formats or (moments.ISO,)
    read = read_moments(values, name=name, formats=formats, words=words)
    column = Column(name, "datetime", dtype=str(values.dtype), formats=formats, words=words)
    return _finish(column, read, np.isnat(read))


def _finish(column: Column, read: np.ndarray, missing: np.ndarray) -> Column:
    """Count what was read, and set a column aside that never varies."""
    uniques = np.unique(read[~missing])
    shown = tuple(show(v) for v in uniques[:3].tolist()) if column.kind == "numeric" else ()
    column = replace(column, n_unique=len(uniques), missing=int(missing.sum()), examples=shown)
    return _set_constant(column, len(read))


def _set_constant(column: Column, n_rows: int) -> Column:
    """One value in some rows and none in others still tells rows apart, so it is kept."""
    if column.n_unique == 0:
        return replace(column, kind="constant", used=False, reason="all values are missing")
    if column.n_unique == 1 and column.missing == 0:
        return replace(column, kind="constant", used=False, reason="constant")
    return column


def _is_serial(read: np.ndarray, name: str) -> bool:
    """Whether whole numbers count rows or name records: all differ, and lie densely or in order."""
    if len(read) < _FEW_ROWS or np.isnan(read).any() or not np.isfinite(read).all():
        return False
    if (read != np.round(read)).any():
        return False
    low, high = read.min(), read.max()
    if _YEARS[0] <= low and high <= _YEARS[1]:
        return False
    counts_rows = bool((np.abs(np.diff(read)) == 1).all())
    dense = high - low < 2 * len(read) and len(read) >= 5 * _FEW_ROWS
    return counts_rows or dense or _ID_NAME.fullmatch(name) is not None


def labelled_column(values: pd.Series, name: str, kind: str, labels: Labels) -> Column:
    """A column of categories, texts or identifiers."""
    counts = labels.counts()
    order = sorted(range(len(counts)), key=lambda i: (-counts[i], labels.levels[i]))
    with_number = [i for i in order if holds_number(labels.levels[i])]
    with_number.sort(key=lambda i: not loses_zeros(labels.levels[i]))
    top = list(dict.fromkeys([*order[:2], *with_number[:1], *order[2:3]]))[:3]
    column = Column(
        name,
        cast(Kind, kind),
        n_unique=int((counts > 0).sum()),
        missing=int((labels.codes < 0).sum()),
        dtype=str(values.dtype),
        examples=tuple(labels.levels[i][:60] for i in top),
    )
    column = _set_constant(column, len(values))
    if column.kind == "identifier":
        return replace(column, used=False, reason="identifier")
    return column


def numbers_as_text(values: pd.Series, name: str, labels: Labels) -> Column | None:
    """A numeric column, if nearly all labels read as numbers; the others are read as missing."""
    odd = _odd(labels, lambda level: parse_number(level) is None)
    if odd is not None:
        return numeric_column(values, name, words=odd)
    odd = _odd(labels, lambda level: parse_number(level, decimal_comma=True) is None)
    if odd is not None:
        return numeric_column(values, name, formats=(DECIMAL_COMMA,), words=odd)
    return None


def _is_code(level: str) -> bool:
    """Digits whose leading zero would be lost in a number."""
    return len(level) > 1 and level[0] == "0" and level.isdigit()


def _dates_as_text(values: pd.Series, name: str, labels: Labels) -> Column | None:
    levels = [level for level in labels.levels if level.lower() not in NA_WORDS]
    formats = find_date_formats(levels) if levels else ()
    if not formats:
        return None
    unread = np.isnat(moments.parse_moments(labels.levels, formats=formats))
    no_date = {level for level, odd in zip(labels.levels, unread.tolist()) if odd}
    odd = _odd(labels, no_date.__contains__)
    return None if odd is None else datetime_column(values, name, formats=formats, words=odd)


def _odd(labels: Labels, is_odd: Callable[[str], bool]) -> tuple[str, ...] | None:
    """The few labels that are odd among others; None if they are not few, or all are."""
    counts, odd, n_odd, n_read = labels.counts(), [], 0, 0
    for level, count in zip(labels.levels, counts.tolist()):
        if level.lower() in NA_WORDS:
            continue
        if not is_odd(level):
            n_read += count
            continue
        odd.append(level)
        n_odd += count
        if len(odd) > _ODD_WORDS:  # no need to look at the rest
            return None
    return tuple(odd) if n_read and n_odd <= _ODD_SHARE * (n_odd + n_read) else None


def _kind_of_labels(labels: Labels) -> str:
    """Tell categories from texts and from identifiers by how often labels recur, and by words."""
    n_known = int((labels.codes >= 0).sum())
    n_unique = len(labels.levels)
    if n_unique < 2:
        return "categorical"
    if n_unique >= 3 and all(_UUID.fullmatch(level) for level in labels.levels):
        return "identifier"
    different = n_unique / n_known
    sample = labels.levels[:: max(1, n_unique // 1000)]
    n_words = float(np.mean([len(level.split()) for level in sample]))
    if n_known >= _FEW_ROWS and (
        (n_words >= 3 and different > 0.5) or (n_words >= 1.8 and different >= _ALL_DIFFERENT)
    ):
        return "text"
    if n_words >= 8 and n_unique > _FEW_ROWS and different > 0.1:
        return "text"
    if n_known >= _FEW_ROWS and different >= _ALL_DIFFERENT:
        return "identifier"
    return "categorical"

"""Infer what kind of data each column holds, as an expert would who looks at its values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from pellucid.tabular.columns import KINDS, Column, Kind, Schema
from pellucid.tabular.date_formats import find_date_formats
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.reading import moments, numbers
from pellucid.tabular.reading.booleans import read_booleans
from pellucid.tabular.reading.labels import Labels, read_labels
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import DECIMAL_COMMA, parse_number, read_numbers
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


def infer_schema(
    frame: pd.DataFrame,
    *,
    overrides: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
) -> Schema:
    """Tell what each column of a training table holds, and whether a model should see it.

    Parameters
    ----------
    frame : DataFrame, (n_rows, n_columns)
        As `to_frame` gives it: column names are text, all different.
    overrides : mapping of column name to kind
        Where the inferred kind is not what the caller means.
    drop : sequence of column names
        Columns that the model must not see.

    Returns
    -------
    Schema
        A column a column. Identifiers and constants are listed, but not used.

    Raises
    ------
    SchemaError
        For no rows, no usable column, an unknown column or kind, cells that hold no single
        value, or values that do not fit the kind that the caller asks for.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [31, 45, 52], "job": ["nurse", "clerk", "nurse"], "site": 1})
    >>> infer_schema(frame).kinds
    {'age': 'numeric', 'job': 'categorical', 'site': 'constant'}
    >>> infer_schema(frame, overrides={"age": "categorical"}, drop=["job"])["job"].reason
    'dropped by the user'
    """
    overrides = dict(overrides or {})
    if len(frame) == 0:
        raise SchemaError("the table has no rows to learn from")
    for name in (*overrides, *drop):
        if name not in frame.columns:
            raise SchemaError(f"there is no column {name!r}{did_you_mean(name, frame.columns)}")
    for name, kind in overrides.items():
        if kind not in KINDS:
            raise SchemaError(
                f"column {name!r} is asked to be {kind!r}; a kind is one of {', '.join(KINDS)}"
            )
    columns = []
    for name in map(str, frame.columns):
        values = frame[name]
        if name in drop:
            columns.append(_dropped(values, name, overrides.get(name)))
        elif name in overrides:
            columns.append(_as_told(values, name, overrides[name]))
        else:
            columns.append(_inferred(values, name))
    schema = Schema(tuple(columns))
    if not any(column.used for column in columns):
        raise SchemaError(_nothing_left(schema))
    return schema


def did_you_mean(name: str, names: Sequence[str] | pd.Index) -> str:
    """A hint at the closest name, to end a message with."""
    close = difflib.get_close_matches(name, [str(n) for n in names], n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, list(names)[:10]))
    return f"; there are {shown}{', …' if len(names) > 10 else ''}"


def _nothing_left(schema: Schema) -> str:
    reasons = ", ".join(f"{c.name!r} ({c.reason})" for c in schema.columns[:10])
    return (
        f"no column is left to learn from: {reasons or 'the table has no columns'}; "
        f"set a column's kind, such as numeric or categorical, to use it"
    )


def _dropped(values: pd.Series, name: str, kind: str | None) -> Column:
    """A column that the caller drops; what is in it never stops a training."""
    try:
        column = _inferred(values, name) if kind is None else _as_told(values, name, kind)
    except SchemaError:
        missing = int(values.isna().sum())
        column = Column(name, "categorical", missing=missing, dtype=str(values.dtype))
    return replace(column, used=False, reason="dropped by the user")


# -- as the caller says -----------------------------------------------------------------------
def _as_told(values: pd.Series, name: str, kind: str) -> Column:
    if kind == "numeric":
        return _numeric(values, name)
    if kind == "boolean":
        return _boolean(values, name)
    if kind == "datetime":
        return _datetime(values, name, formats=_formats_told(values, name))
    labels = read_labels(values, name=name)
    column = _labelled(values, name, "text" if kind == "text" else "categorical", labels)
    if kind in ("identifier", "constant"):
        return replace(column, kind=cast(Kind, kind), used=False, reason=f"said to be {kind}")
    return column


def _formats_told(values: pd.Series, name: str) -> tuple[str, ...]:
    """How a column that is said to hold dates writes them."""
    if moments.is_native(values.dtype):
        return ()
    labels = read_labels(values, name=name)
    if numbers.is_native(values.dtype):
        if all(re.fullmatch(r"(19|20)\d{6}", level) for level in labels.levels):
            return ("%Y%m%d",)
        size = float(np.nanmax(np.abs(read_numbers(values, name=name)), initial=0.0))
        return ("epoch s" if size < 1e11 else "epoch ms" if size < 1e14 else "epoch us",)
    formats = find_date_formats(labels.levels)
    if not formats and labels.levels:
        raise SchemaError(
            f"column {name!r} is asked to hold dates, but its values, such as "
            f"{show(labels.levels[0])}, are in no known format; write them as 2026-03-31"
        )
    return formats


# -- as the values say ------------------------------------------------------------------------
def _inferred(values: pd.Series, name: str) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _labelled(values, name, "categorical", read_labels(values, name=name))
    if pd.api.types.is_object_dtype(dtype):
        inner = pd.api.types.infer_dtype(values, skipna=True)
        if inner == "boolean":
            return _boolean(values, name)
        if inner in ("datetime", "datetime64", "date", "period"):
            return _datetime(values, name, formats=())
        if inner in ("integer", "floating", "mixed-integer-float", "decimal", "timedelta"):
            return _numeric(values, name)
    elif pd.api.types.is_bool_dtype(dtype):
        return _boolean(values, name)
    elif numbers.is_native(dtype) and dtype.kind != "c":
        return _numeric(values, name)
    elif moments.is_native(dtype):
        return _datetime(values, name, formats=())
    labels = read_labels(values, name=name)
    return (
        _numbers_as_text(values, name, labels)
        or _dates_as_text(values, name, labels)
        or _labelled(values, name, _kind_of_labels(labels), labels)
    )


def _boolean(values: pd.Series, name: str) -> Column:
    read = read_booleans(values, name=name)
    return _finish(Column(name, "boolean", dtype=str(values.dtype)), read, np.isnan(read))


def _numeric(
    values: pd.Series, name: str, *, formats: tuple[str, ...] = (), words: tuple[str, ...] = ()
) -> Column:
    read = read_numbers(values, name=name, formats=formats, words=words)
    column = Column(name, "numeric", dtype=str(values.dtype), formats=formats, words=words)
    column = _finish(column, read, np.isnan(read))
    if column.used and _is_serial(read, name):
        return replace(column, kind="identifier", used=False, reason="identifier")
    return column


def _datetime(
    values: pd.Series, name: str, *, formats: tuple[str, ...], words: tuple[str, ...] = ()
) -> Column:
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
    if (read != np.round(read)).any() or len(np.unique(read)) < len(read):
        return False
    low, high = read.min(), read.max()
    if _YEARS[0] <= low and high <= _YEARS[1]:
        return False
    counts_rows = bool((np.abs(np.diff(read)) == 1).all())
    dense = high - low < 2 * len(read) and len(read) >= 5 * _FEW_ROWS
    return counts_rows or dense or _ID_NAME.fullmatch(name) is not None


def _labelled(values: pd.Series, name: str, kind: str, labels: Labels) -> Column:
    counts = labels.counts()
    top = sorted(range(len(counts)), key=lambda i: (-counts[i], labels.levels[i]))[:3]
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


def _numbers_as_text(values: pd.Series, name: str, labels: Labels) -> Column | None:
    """A numeric column, if nearly all labels read as numbers and none is a code such as 00123."""
    levels = labels.levels
    if any(_is_code(level) for level in levels):
        return None
    for formats in ((), (DECIMAL_COMMA,)):
        odd = [
            i
            for i, level in enumerate(levels)
            if level.lower() not in NA_WORDS
            and parse_number(level, decimal_comma=bool(formats)) is None
        ]
        if _are_few(odd, labels) and any(
            parse_number(v, decimal_comma=bool(formats)) is not None for v in levels
        ):
            words = tuple(levels[i] for i in odd)
            return _numeric(values, name, formats=formats, words=words)
    return None


def _is_code(level: str) -> bool:
    """Digits whose leading zero would be lost in a number."""
    return len(level) > 1 and level[0] == "0" and level.isdigit()


def _dates_as_text(values: pd.Series, name: str, labels: Labels) -> Column | None:
    levels = [level for level in labels.levels if level.lower() not in NA_WORDS]
    formats = find_date_formats(levels) if levels else ()
    if not formats:
        return None
    parsed = moments.parse_moments(labels.levels, formats=formats)
    odd = [
        i
        for i, level in enumerate(labels.levels)
        if np.isnat(parsed[i]) and level.lower() not in NA_WORDS
    ]
    if not _are_few(odd, labels):
        return None
    return _datetime(values, name, formats=formats, words=tuple(labels.levels[i] for i in odd))


def _are_few(odd: list[int], labels: Labels) -> bool:
    if len(odd) > _ODD_WORDS:
        return False
    counts = labels.counts()
    return bool(counts[odd].sum() <= _ODD_SHARE * counts.sum())


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

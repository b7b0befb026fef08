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
from pellucid.tabular.kinds import (
    boolean_column,
    datetime_column,
    infer_column,
    labelled_column,
    numbers_as_text,
    numeric_column,
)
from pellucid.tabular.reading import moments, numbers
from pellucid.tabular.reading.labels import read_labels
from pellucid.tabular.reading.numbers import read_numbers
from pellucid.tabular.reading.values import show


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
            columns.append(infer_column(values, name))
    schema = Schema(tuple(columns))
    if not any(column.used for column in columns):
        raise SchemaError(_nothing_left(schema, len(frame)))
    return schema


def did_you_mean(name: str, names: Sequence[str] | pd.Index) -> str:
    """A hint at the closest name, to end a message with."""
    close = difflib.get_close_matches(name, [str(n) for n in names], n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(map(repr, list(names)[:10]))
    return f"; there are {shown}{', …' if len(names) > 10 else ''}"


def _nothing_left(schema: Schema, n_rows: int) -> str:
    if not schema.columns:
        return (
            f"the table has no columns, 0 feature(s) (shape=({n_rows}, 0)) while a minimum of 1 is "
            f"required; pass the columns to learn from"
        )
    reasons = ", ".join(f"{c.name!r} ({c.reason})" for c in schema.columns[:10])
    return (
        f"no column is left to learn from: {reasons}; "
        f"set a column's kind, such as numeric or categorical, to use it"
    )


def _dropped(values: pd.Series, name: str, kind: str | None) -> Column:
    """A column that the caller drops; what is in it never stops a training."""
    try:
        column = infer_column(values, name) if kind is None else _as_told(values, name, kind)
    except SchemaError:
        missing = int(values.isna().sum())
        column = Column(name, "categorical", missing=missing, dtype=str(values.dtype))
    return replace(column, used=False, reason="dropped by the user")


# -- as the caller says -----------------------------------------------------------------------
def _as_told(values: pd.Series, name: str, kind: str) -> Column:
    if kind == "numeric":
        return _numeric_told(values, name)
    if kind == "boolean":
        return boolean_column(values, name)
    if kind == "datetime":
        return datetime_column(values, name, formats=_formats_told(values, name))
    labels = read_labels(values, name=name)
    column = labelled_column(values, name, "text" if kind == "text" else "categorical", labels)
    if kind in ("identifier", "constant"):
        return replace(column, kind=cast(Kind, kind), used=False, reason=f"said to be {kind}")
    return column


def _numeric_told(values: pd.Series, name: str) -> Column:
    """Numbers, also of codes such as 00123, which are left as labels otherwise."""
    if not numbers.is_native(values.dtype):
        column = numbers_as_text(values, name, read_labels(values, name=name))
        if column is not None:
            return column
    return numeric_column(values, name)


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

"""Hold a table to a schema: the same columns, in the same order, of the same kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.columns import Column, Schema
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.infer import did_you_mean
from pellucid.tabular.reading import moments, numbers
from pellucid.tabular.reading.booleans import read_booleans
from pellucid.tabular.reading.labels import read_labels, read_texts
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import holds_number, loses_zeros, read_numbers
from pellucid.tabular.reading.values import refuse


def align(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Give the schema's columns of a table, in order, each in one plain type.

    Numbers stay or become numeric, truth values bool (object where some are missing), labels and
    texts str or None, dates datetime64[us] in UTC. Further columns are left out; a column that the
    model does not use may be absent.

    Parameters
    ----------
    frame : DataFrame, (n_rows, any columns)
    schema : Schema

    Returns
    -------
    DataFrame, (n_rows, n_columns), with the index of ``frame``

    Raises
    ------
    SchemaError
        If a needed column is absent, or a cell does not fit its column's kind.

    Examples
    --------
    >>> schema = Schema((Column("age", "numeric"), Column("job", "categorical")))
    >>> align(pd.DataFrame({"job": ["clerk"], "city": ["Rome"], "age": ["41"]}), schema)
        age    job
    0  41.0  clerk
    """
    names = frame.columns.tolist()
    check_present(names, schema)
    given = {name: values for name, values in frame.items() if name in schema.kinds}
    read = {
        column.name: _read(given[column.name], column)
        if column.name in given
        else np.full(len(frame), None, dtype=object)
        for column in schema.columns
    }
    if not all(values is given.get(name) for name, values in read.items()):
        return pd.DataFrame(read, index=frame.index, columns=list(schema.names))
    if names == list(schema.names):  # spares rebuilding it
        return frame.copy(deep=False)
    return frame[list(schema.names)]


def check_present(names: Sequence[str], schema: Schema) -> None:
    """Hold the names of a table's columns to a schema.

    Raises
    ------
    SchemaError
        If a column that the model uses is absent.
    """
    present = set(names)
    missing = [
        column.name for column in schema.columns if column.used and column.name not in present
    ]
    if not missing:
        return
    spare = [str(name) for name in names if name not in schema.kinds]
    listed = ", ".join(map(repr, missing[:20])) + (", …" if len(missing) > 20 else "")
    many = len(missing) > 1
    hint = did_you_mean(missing[0], spare) if spare else ""
    raise SchemaError(
        f"the table lacks {len(missing)} column{'s' * many} that the model needs: {listed}{hint}"
        f"{'' if hint.endswith('?') else ';'} add {'them' if many else 'it'}, empty where values "
        f"are not known"
    )


def _read(values: pd.Series, column: Column) -> Any:
    if not column.used:
        return values
    if column.kind == "numeric":
        return _numbers(values, column)
    if column.kind == "boolean":
        return _truths(values, column)
    if column.kind == "datetime":
        return _moments(values, column)
    if column.kind == "categorical":
        _check_labels(values, column)
    if _is_plain_text(values.dtype):
        return values
    if column.kind == "text":
        return _texts(read_texts(values, name=column.name))
    return _texts(read_labels(values, name=column.name).texts())


def _is_plain_text(dtype: Any) -> bool:
    """Whether a type holds nothing but well-formed text, which then needs no look at its cells."""
    plain = isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"
    return plain and dtype.na_value is np.nan


def _texts(cells: list[str | None]) -> np.ndarray:
    texts = np.empty(len(cells), dtype=object)
    texts[:] = cells
    return texts


def _numbers(values: pd.Series, column: Column) -> Any:
    if moments.is_native(values.dtype) and values.notna().any():
        position = int(np.argmax(values.notna().to_numpy()))
        refuse(values, position, column.name, "numbers")
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return values
    return read_numbers(values, name=column.name, formats=column.formats, words=column.words)


def _truths(values: pd.Series, column: Column) -> Any:
    if values.dtype == np.bool_:
        return values
    read = read_booleans(values, name=column.name)
    missing = np.isnan(read)
    if not missing.any():
        return read.astype(bool)
    truths = read.astype(bool).astype(object)
    truths[missing] = None
    return truths


def _moments(values: pd.Series, column: Column) -> Any:
    if values.dtype == np.dtype("datetime64[us]"):
        return values
    return read_moments(values, name=column.name, formats=column.formats, words=column.words)


def _check_labels(values: pd.Series, column: Column) -> None:
    """Numbers, dates or truths where training had words are a mistake, not a new category."""
    if pd.api.types.is_bool_dtype(values.dtype):
        drifted = holds_words(column) and not holds_truths(column)
    else:
        drifted = numbers.is_native(values.dtype) or moments.is_native(values.dtype)
        drifted = drifted and holds_words(column)
    if drifted:
        present = values.notna().to_numpy()
        if present.any():
            refuse(values, int(np.argmax(present)), column.name, expected_words(column))


def holds_words(column: Column) -> bool:
    """Whether no label of a category that training showed could be a number or a date.

    Where a label begins with zeros, as 00501 does, numbers have lost them: other labels.
    """
    if any(map(loses_zeros, column.examples)):
        return True
    return bool(column.examples) and not any(map(holds_number, column.examples))


def holds_truths(column: Column) -> bool:
    """Whether true or false are among the labels of a category."""
    return not {"True", "False"}.isdisjoint(column.examples)


def expected_words(column: Column) -> str:
    """What a category must hold, for messages."""
    return f"words such as {', '.join(map(repr, column.examples))}"

"""A column's cells, read as its kind is read."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pellucid.tabular.columns import Column
from pellucid.tabular.reading.booleans import read_booleans
from pellucid.tabular.reading.labels import read_labels, read_texts
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import read_numbers


def read_cells(values: pd.Series, column: Column) -> Any:
    """A column's cells as its kind's encoders take them."""
    if column.kind == "numeric":
        return read_numbers(values, name=column.name, formats=column.formats, words=column.words)
    if column.kind == "boolean":
        return read_booleans(values, name=column.name)
    if column.kind == "datetime":
        return read_moments(values, name=column.name, formats=column.formats, words=column.words)
    if column.kind == "text":
        return read_texts(values, name=column.name)
    return read_labels(values, name=column.name)

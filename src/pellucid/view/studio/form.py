"""A row as a form: a control for each column, by its kind, and the cells back as a table."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.schema import Column, Schema

_MOST_CHOICES = 200  # a control that holds more is no help


def form_of(schema: Schema, seen: pd.DataFrame | None) -> list[dict[str, Any]]:
    """What a control must know of each column that the model sees.

    Parameters
    ----------
    schema : Schema
    seen : DataFrame or None
        Rows whose cells are offered: the range of numbers, the levels of categories.

    Examples
    --------
    >>> schema = Schema((Column("age", "numeric"), Column("job", "categorical")))
    >>> form_of(schema, pd.DataFrame({"age": [31.0, 40.0], "job": ["cook", None]}))
    [{'name': 'age', 'control': 'number', 'low': 31.0, 'high': 40.0, 'whole': True},
     {'name': 'job', 'control': 'choice', 'choices': ['cook']}]
    """
    return [
        _field(column, None if seen is None or column.name not in seen else seen[column.name])
        for column in schema.columns
        if column.used and not column.source
    ]


def _field(column: Column, seen: pd.Series | None) -> dict[str, Any]:
    known = None if seen is None else seen.dropna()
    if column.kind == "numeric":
        return {"name": column.name, "control": "number", **_range(known)}
    if column.kind == "boolean":
        return {"name": column.name, "control": "boolean"}
    if column.kind == "datetime":
        return {"name": column.name, "control": "date", "time": _has_time(known)}
    if column.kind == "text":
        return {"name": column.name, "control": "text"}
    cells = {*map(str, column.examples), *(() if known is None else map(str, known))}
    return {"name": column.name, "control": "choice", "choices": sorted(cells)[:_MOST_CHOICES]}


def _range(known: pd.Series | None) -> dict[str, Any]:
    if known is None:
        return {}
    numbers = known.to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) == 0:
        return {}
    return {
        "low": float(numbers.min()),
        "high": float(numbers.max()),
        "whole": bool((numbers == np.round(numbers)).all()),
    }


def _has_time(known: pd.Series | None) -> bool:
    if known is None or len(known) == 0:
        return False
    moments = pd.to_datetime(known)
    return bool((moments != moments.dt.normalize()).any())


def cells_of(schema: Schema, row: pd.Series | None) -> dict[str, Any]:
    """A row's cells as JSON has them; each column's first example where there is no row."""
    cells: dict[str, Any] = {}
    for column in schema.columns:
        if not column.used or column.source:
            continue
        if row is not None and column.name in row.index:
            cells[column.name] = plain_cell(row[column.name])
        else:
            cells[column.name] = column.examples[0] if column.examples else None
    return cells


def plain_cell(cell: Any) -> Any:
    """A cell as JSON has it; None where there is none."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return None
    if isinstance(cell, float):
        if math.isinf(cell):
            return "inf" if cell > 0 else "-inf"
        return None if math.isnan(cell) else cell
    if isinstance(cell, pd.Timestamp):
        return cell.tz_localize(None).isoformat()
    return cell if isinstance(cell, (bool, int, str)) else str(cell)


def row_from(schema: Schema, cells: Mapping[str, Any]) -> pd.DataFrame:
    """A table of one row of the cells that a form gives; columns that are not named are missing.

    Dates are read here, as forms write them in one way whatever the training table did; all other
    cells are read by the schema when the model is asked, so a wrong one is refused there, in words.
    """
    columns = {
        column.name: [_read(cells.get(column.name), column)]
        for column in schema.columns
        if not column.source
    }
    return pd.DataFrame({name: pd.Series(cell, dtype=object) for name, cell in columns.items()})


def _read(cell: Any, column: Column) -> Any:
    if column.kind == "datetime" and isinstance(cell, str):
        try:
            return pd.Timestamp(dt.datetime.fromisoformat(cell))
        except (ValueError, OverflowError):
            return cell
    return cell

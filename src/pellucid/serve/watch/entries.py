"""Rows that were scored as a table whose columns have one type each, whatever form they came in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pellucid.explain.predictor import Predictor
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.scores import Scores

INPUT, IMPORTANCE = "input.", "importance."  # what columns of the log begin with


@dataclass(frozen=True, eq=False)
class Entry:
    """A request that was answered.

    time : when, in UTC
    request : its name, as the answer's x-request-id has it
    """

    served: Served
    asked: Asked
    scores: Scores
    time: datetime
    request: str


def to_table(entries: Sequence[Entry], *, omit: Collection[str] = ()) -> pa.Table:
    """Requests that one model answered as an Arrow table, a row a row.

    ``time``, ``request``, ``row_id``, ``model``, ``version``, ``prediction``, ``margin``; a column
    ``input.<raw>`` of each raw column that the model uses but those of ``omit``, and
    ``importance.<raw>`` of each raw feature, null where a row was not explained. Margins and
    importances of three classes or more are lists, one number a class.
    """
    single = [entry for entry in entries if not isinstance(entry.asked.rows, pd.DataFrame)]
    frames = [entry for entry in entries if isinstance(entry.asked.rows, pd.DataFrame)]
    parts = [_part([entry], omit) for entry in frames]
    if single:
        parts.append(_part(single, omit))
    return pa.concat_tables(parts)


def _part(entries: Sequence[Entry], omit: Collection[str]) -> pa.Table:
    served = entries[0].served
    predictor, sizes = served.scorer.predictor, [len(entry.scores) for entry in entries]
    n_rows = sum(sizes)

    def each(values: Sequence[Any]) -> list[Any]:
        return [value for value, size in zip(values, sizes) for _ in range(size)]

    columns: dict[str, Any] = {
        "time": pa.array(each([entry.time for entry in entries]), pa.timestamp("us", "UTC")),
        "request": pa.array(each([entry.request for entry in entries]), pa.string()),
        "row_id": pa.array([name for entry in entries for name in _ids(entry)], pa.string()),
        "model": pa.array([served.name] * n_rows, pa.string()),
        "version": pa.array([served.version] * n_rows, pa.string()),
        "prediction": _predictions(entries),
        "margin": _numbers(np.concatenate([entry.scores.margins for entry in entries])),
    }
    frame = predictor.frame(_inputs(entries))
    for column in predictor.schema.columns:
        if column.used and column.name not in omit:
            columns[INPUT + column.name] = _cells(frame[column.name], column.kind)
    values = np.concatenate([_importances(entry, predictor) for entry in entries])
    for k, name in enumerate(predictor.names_of("raw")):
        columns[IMPORTANCE + name] = _numbers(values[:, k])
    return pa.table(columns)


def _ids(entry: Entry) -> list[str]:
    """What clients call the rows; the request's name where they did not say."""
    given = entry.asked.row_ids
    if not isinstance(given, range):
        return [str(name) for name in given]
    if len(given) == 1:
        return [entry.request]
    return [f"{entry.request}/{row}" for row in given]


def _inputs(entries: Sequence[Entry]) -> pd.DataFrame:
    given = entries[0].asked.rows
    if isinstance(given, pd.DataFrame):
        return given
    names = entries[0].served.scorer.needed
    rows = [
        row
        for entry in entries
        for row in (entry.asked.rows if isinstance(entry.asked.rows, list) else [entry.asked.rows])
    ]
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object)
                         for name in names})  # fmt: skip


def _predictions(entries: Sequence[Entry]) -> pa.Array:
    found = np.concatenate([entry.scores.predictions for entry in entries])
    if entries[0].served.scorer.predictor.classes is None:
        return pa.array(found.astype(np.float64))
    return pa.array([str(label) for label in found.tolist()], pa.string())


def _importances(entry: Entry, predictor: Predictor) -> np.ndarray:
    """(n_rows, n_features, n_outputs), NaN where a row has none in margin space."""
    found = entry.scores.levels.get("raw")
    n_rows, n_outputs = entry.scores.margins.shape
    if found is None or found.space != "margin":
        return np.full((n_rows, len(predictor.names_of("raw")), n_outputs), np.nan)
    return found.values.reshape(n_rows, -1, n_outputs)


def _numbers(values: np.ndarray) -> pa.Array:
    """(n_rows, n_outputs) as numbers, or as lists of several."""
    if values.shape[1] == 1:
        return pa.array(values[:, 0], pa.float64(), from_pandas=True)
    flat = pa.array(np.ascontiguousarray(values).ravel(), pa.float64(), from_pandas=True)
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _cells(values: pd.Series, kind: str) -> pa.Array:
    if kind == "numeric":
        return pa.array(values.to_numpy(np.float64, na_value=np.nan), from_pandas=True)
    if kind == "datetime":
        return pa.array(values.to_numpy("datetime64[us]"), pa.timestamp("us"))
    present = values.notna().tolist()
    if kind == "boolean":
        truths = [bool(cell) if there else None for cell, there in zip(values, present)]
        return pa.array(truths, pa.bool_())
    texts = [str(cell) if there else None for cell, there in zip(values, present)]
    return pa.array(texts, pa.string())

"""Logged rows of some time, read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import ServeError
from pellucid.serve.watch.entries import IMPORTANCE, INPUT
from pellucid.serve.watch.log import folder_of
from pellucid.tabular.read import parquet_table

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, eq=False)
class Window:
    """Rows that a model scored.

    inputs : raw columns, those that were not kept being empty
    omitted : names of these
    margins : (n_rows, n_outputs)
    importances : (n_explained, n_features, n_outputs), of the rows that were explained
    row_ids : what clients called the rows; times : when they were scored
    others : rows of other versions in that time, which were left out
    """

    inputs: pd.DataFrame
    omitted: tuple[str, ...]
    margins: np.ndarray
    importances: np.ndarray
    row_ids: tuple[str, ...]
    times: pd.Series
    others: int

    def __len__(self) -> int:
        return len(self.margins)


def read_window(
    log: str | Path,
    predictor: Predictor,
    *,
    name: str,
    version: str,
    since: datetime | None = None,
    until: datetime | None = None,
    most_rows: int = 100_000,
) -> Window:
    """Read the rows that a version of a model scored, the newest ``most_rows`` at most.

    Raises
    ------
    ServeError
        If there are none, or files that a service did not write.
    """
    folder = folder_of(Path(log), name)
    parts, n_rows, others = [], 0, 0
    for path in sorted(folder.glob("*.parquet"), reverse=True):
        if n_rows >= most_rows or (since is not None and _written(path) < since):
            break  # a file is written after its rows were scored
        table = _read(path)
        if until is not None:
            table = table.filter(pa.compute.less(table["time"], pa.scalar(until)))
        if since is not None:
            table = table.filter(pa.compute.greater_equal(table["time"], pa.scalar(since)))
        own = table.filter(pa.compute.equal(table["version"], version))
        others += len(table) - len(own)
        n_rows += len(own)
        parts.append(own)
    if not n_rows:
        known = f"; {others} of other versions are" if others else ""
        raise ServeError(
            f"no rows of {name} version {version} are in the log {log} for that time{known}; "
            f"serve it with --log {log}"
        )
    table = pa.concat_tables(parts, promote_options="default")
    return _window(table.sort_by("time").slice(max(0, n_rows - most_rows)), predictor, others)


def _window(table: pa.Table, predictor: Predictor, others: int) -> Window:
    needed = [column.name for column in predictor.schema.columns if column.used]
    omitted = tuple(name for name in needed if INPUT + name not in table.column_names)
    inputs = pd.DataFrame(
        {
            name: pd.Series([None] * len(table), dtype=object)
            if name in omitted
            else table[INPUT + name].to_pandas()
            for name in needed
        }
    )
    names = predictor.names_of("raw")
    lacking = [name for name in names if IMPORTANCE + name not in table.column_names]
    if lacking:
        raise ServeError(f"the log has no importances of {lacking[0]!r}; it is of another model")
    cube = np.stack([_outputs(table[IMPORTANCE + name]) for name in names], axis=1)
    explained = ~np.isnan(cube).any(axis=(1, 2))
    return Window(
        inputs=inputs,
        omitted=omitted,
        margins=_outputs(table["margin"]),
        importances=cube[explained],
        row_ids=tuple(table["row_id"].to_pylist()),
        times=table["time"].to_pandas(),
        others=others,
    )


def _outputs(column: pa.ChunkedArray) -> np.ndarray:
    """(n_rows, n_outputs), NaN for null."""
    array = column.combine_chunks()
    if not pa.types.is_fixed_size_list(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)[:, None]
    flat = array.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float64).reshape(len(array), -1)


def _read(path: Path) -> pa.Table:
    try:
        return parquet_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ServeError(f"the log's file {path} cannot be read: {type(error).__name__}") from error


def _written(path: Path) -> datetime:
    try:
        stamp = datetime.strptime(path.name.partition("-")[0], "%Y%m%dT%H%M%S.%f")
    except ValueError as error:
        raise ServeError(f"{path} is not a file of a service's log; take it away") from error
    return stamp.replace(tzinfo=UTC)


def moment(text: str, *, now: datetime) -> datetime:
    """A time ago, such as "24h" or "7d", or a date and time.

    Raises
    ------
    ServeError

    Examples
    --------
    >>> now = datetime(2026, 3, 2, tzinfo=UTC)
    >>> moment("12h", now=now).isoformat(), moment("2026-03-01", now=now).isoformat()
    ('2026-03-01T12:00:00+00:00', '2026-03-01T00:00:00+00:00')
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if found:
        amount: dict[str, Any] = {_UNITS[found[2]]: int(found[1])}
        return now - timedelta(**amount)
    try:
        told = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ServeError(
            f"{text!r} is no time; give one ago, such as 24h or 7d, or a date such as 2026-03-01"
        ) from None
    return told if told.tzinfo else told.replace(tzinfo=UTC)

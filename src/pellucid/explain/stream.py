"""Explain and predict tables that memory does not hold: Parquet or CSV in, Parquet out.

A file of the source gives a file of the target, written some rows at a time under another name
and renamed when it is whole, so what was cut off goes on after the last whole file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.explain.answered_file import (
    StreamError,
    Work,
    asked_of,
    record_of,
    write,
    write_there,
)
from pellucid.explain.carried import Carried
from pellucid.explain.explanation import Level
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor
from pellucid.explain.spread import write_parts
from pellucid.files import write_file
from pellucid.search.cluster import current_client
from pellucid.tabular.parts import Part, parts_of

ROWS_PER_CHUNK = 20_000
SUMMARY = "_summary.json"  # in the target's folder
Progress = Callable[[int, int | None], None]  # rows done, rows of all files where known


@dataclass(frozen=True)
class Streamed:
    """What was written.

    Attributes
    ----------
    target : Path
        The folder.
    files, resumed : int
        Files in it, and how many of these an earlier call had written.
    rows : int
    additivity_error : float or None
        The most that any row's importances miss its margin by; None for predictions alone.
    importance : mapping of level to mapping of feature to float
        Mean absolute importance over all rows, in descending order.
    """

    target: Path
    files: int
    resumed: int
    rows: int
    additivity_error: float | None
    importance: Mapping[str, Mapping[str, float]]

    def series(self, level: Level = "raw") -> pd.Series:
        """Global importance over one level's features."""
        if level not in self.importance:
            raise StreamError(
                f"there is no {level} importance; explained were {list(self.importance)}"
            )
        return pd.Series(self.importance[level], name="importance").rename_axis("feature")


def explain_parquet(
    model: Predictor,
    source: str | Path,
    target: str | Path,
    *,
    rows_per_chunk: int = ROWS_PER_CHUNK,
    level: Level | Sequence[Level] = "raw",
    predictions: bool = True,
    identity: str | None = None,
    progress: Progress | None = None,
) -> Streamed:
    """Explain every row of a Parquet file, a folder of them, or a CSV file, in constant memory.

    Within `pellucid.cluster` each file is written by a worker, onto a disk that all of them share.

    Parameters
    ----------
    model : Predictor
        ``clf.predictor_`` or ``run.model()``.
    source : path
        A folder's Parquet files may lie in folders such as ``year=2024``, which are columns too.
    target : path
        A folder, made where it is absent. It gets a Parquet file for each of the source's, at the
        same place; the same call again goes on after files that are whole.
    rows_per_chunk : int
        Rows in memory at a time, and in a row group of the target.
    level : "raw", "engineered" or both
        Over which features. With both, names of columns begin with ``raw:`` or ``engineered:``.
    predictions : bool
        Whether predictions, and probabilities for classes, stand beside importances.
    identity : str, optional
        A column that names the rows, kept beside ``row``, the number of the row in its file.
    progress : callable, optional
        Told rows done and rows of all files, or None where a file does not tell.

    Returns
    -------
    Streamed
        The same is in the target's ``_summary.json``; and beside each file ``_<name>.json`` has its
        rows, its additivity error and its sums of absolute importances.

    Raises
    ------
    StreamError
        A model that is no Predictor, a target that holds what another model gave, an unknown
        identity, or less than one row a chunk.
    SchemaError, ReadError
        A file that lacks a column or is damaged; the error names the file.
    """
    levels: tuple[Level, ...] = (level,) if isinstance(level, str) else tuple(level)
    if not levels or len(set(levels)) < len(levels) or set(levels) - {"raw", "engineered"}:
        raise StreamError(f"level is {level!r}; expected 'raw', 'engineered', or both of them")
    work = Work(model, levels, predictions, identity, rows_per_chunk)
    return _stream(work, Path(source), Path(target), progress)


def predict_parquet(
    model: Predictor,
    source: str | Path,
    target: str | Path,
    *,
    rows_per_chunk: int = ROWS_PER_CHUNK,
    identity: str | None = None,
    progress: Progress | None = None,
) -> Streamed:
    """Predict every row, as `explain_parquet` explains it, with a probability for each class."""
    work = Work(model, (), True, identity, rows_per_chunk)
    return _stream(work, Path(source), Path(target), progress)


def _stream(work: Work, source: Path, target: Path, progress: Progress | None) -> Streamed:
    if not isinstance(work.model, Predictor) or isinstance(work.model, ForecastPredictor):
        raise StreamError(
            f"a {type(work.model).__name__} cannot explain in chunks; expected the model of a "
            f"classifier's or a regressor's run"
        )
    if work.rows < 1:
        raise StreamError(f"rows_per_chunk is {work.rows}; expected at least 1")
    if target.exists() and not target.is_dir():
        raise StreamError(f"{target} is a file; name a folder, which may be new")
    if target.resolve().is_relative_to(source.resolve()):  # its files would be read as rows
        raise StreamError(f"{target} lies in {source}, which is read; name another folder")
    parts = [_with_suffix(part) for part in parts_of(source)]
    counts = [part.n_rows() for part in parts]
    known = [count for count in counts if count is not None]
    total = sum(known) if len(known) == len(counts) else None
    carried = Carried.of(work.model)
    asked = asked_of(work, carried.digest)
    records = {
        number: record
        for number, part in enumerate(parts)
        if (record := record_of(part, target, asked)) is not None
    }
    resumed, done = len(records), sum(record["rows"] for record in records.values())

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(done, total)

    tell(0)
    left = {number: part for number, part in enumerate(parts) if number not in records}
    client = current_client()
    if client is None:
        for number, part in left.items():
            records[number] = write(work, part, target, asked, tell)
    elif left:
        numbers = list(left)

        def keep(at: int, record: dict[str, Any]) -> None:
            records[numbers[at]] = record
            tell(record["rows"])

        target.mkdir(parents=True, exist_ok=True)
        there = partial(write_there, work.without_model, target.resolve(), asked)
        absolute = [replace(part, path=part.path.resolve()) for part in left.values()]
        write_parts(client, carried, absolute, target.resolve(), there, keep)
    for part in parts:  # what a killed writer had begun
        for scratch in (target / part.relative).parent.glob(f".{part.relative.name}.*.part"):
            scratch.unlink(missing_ok=True)
    streamed = _reduced(work, target, [records[k] for k in range(len(parts))], resumed)
    summary = {
        "rows": streamed.rows,
        "files": streamed.files,
        "additivity_error": streamed.additivity_error,
        "importance": streamed.importance,
    }
    write_file(target / SUMMARY, json.dumps(summary, indent=1).encode())
    return streamed


def _with_suffix(part: Part) -> Part:
    """A text file's answers lie in a Parquet file too."""
    relative = part.relative
    return part if part.is_parquet else replace(part, relative=Path(f"{relative.name}.parquet"))


def _reduced(work: Work, target: Path, records: list[dict[str, Any]], resumed: int) -> Streamed:
    rows = sum(record["rows"] for record in records)
    importance: dict[str, dict[str, float]] = {}
    for level in work.levels:
        names = work.model.names_of(level)
        totals = [sum(column) for column in zip(*(r["sums"][level] for r in records), strict=True)]
        means = {name: total / max(rows, 1) for name, total in zip(names, totals, strict=True)}
        importance[level] = dict(sorted(means.items(), key=lambda pair: -pair[1]))
    errors = [error for record in records for error in record["additivity_error"].values()]
    return Streamed(
        target=target,
        files=len(records),
        resumed=resumed,
        rows=rows,
        additivity_error=max(errors, default=None),
        importance=importance,
    )

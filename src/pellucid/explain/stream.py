"""Explain and predict tables that memory does not hold: Parquet or CSV in, Parquet out.

A file of the source gives a file of the target, written some rows at a time under another name
and renamed when it is whole, so what was cut off goes on after the last whole file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.answering import answer
from pellucid.explain.explanation import Level
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.persistence import write_file
from pellucid.explain.predictor import Predictor
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.parts import Part, parts_of

ROWS_PER_CHUNK = 20_000
SUMMARY = "_summary.json"  # in the target's folder
Progress = Callable[[int, int | None], None]  # rows done, rows of all files where known


class StreamError(PellucidError, ValueError):
    """A table cannot be explained in chunks as asked."""


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


@dataclass(frozen=True)
class _Work:
    model: Predictor
    levels: tuple[Level, ...]
    predictions: bool
    identity: str | None
    rows: int


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
    work = _Work(model, levels, predictions, identity, rows_per_chunk)
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
    work = _Work(model, (), True, identity, rows_per_chunk)
    return _stream(work, Path(source), Path(target), progress)


def _stream(work: _Work, source: Path, target: Path, progress: Progress | None) -> Streamed:
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
    asked = _asked(work)
    records: list[dict[str, Any]] = []
    done = resumed = 0
    for part in parts:
        record = _record_of(part, target, asked)
        if record is None:
            record = _write(work, part, target, asked, done, total, progress)
        else:
            resumed += 1
        records.append(record)
        done += record["rows"]
        if progress is not None:
            progress(done, total)
    streamed = _reduced(work, target, records, resumed)
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


def _asked(work: _Work) -> dict[str, Any]:
    digest = hashlib.sha256()
    for name, data in sorted(work.model.to_files().items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return {
        "model": digest.hexdigest(),
        "levels": list(work.levels),
        "predictions": work.predictions,
        "identity": work.identity,
    }


def _record_path(part: Part, target: Path) -> Path:
    return target / part.relative.with_name(f"_{part.relative.name}.json")


def _record_of(part: Part, target: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What an earlier call wrote of a whole file; None where there is work to do."""
    path = _record_path(part, target)
    if not (target / part.relative).exists():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StreamError(
            f"{target / part.relative} is there, but {path.name} that tells what made it cannot be "
            f"read; name another folder, or delete the file"
        ) from error
    if record["asked"] != asked:
        raise StreamError(
            f"{target / part.relative} was written by another model or with other options; name "
            f"another folder, or delete this one"
        )
    return record if record["source"] == part.state else None


def _write(
    work: _Work,
    part: Part,
    target: Path,
    asked: dict[str, Any],
    done: int,
    total: int | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Write one file and what is to be known of it; the file appears last, and whole."""
    import pyarrow.parquet as pq

    path = target / part.relative
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.part")
    state, rows = part.state, 0
    sums: dict[Level, Any] = dict.fromkeys(work.levels, 0.0)
    errors: dict[Level, float] = dict.fromkeys(work.levels, 0.0)
    wanted = {column.name for column in work.model.schema.columns}
    wanted |= {work.identity} if work.identity is not None else set()
    writer = None
    try:
        for frame in part.frames(work.rows, wanted=wanted):
            answers = _answer(work, part, frame, rows)
            if writer is None:
                writer = pq.ParquetWriter(scratch, answers.table.schema)
            writer.write_table(answers.table.cast(writer.schema))
            rows += len(frame)
            for level in work.levels:
                sums[level] = sums[level] + answers.totals[level]
                errors[level] = max(errors[level], answers.errors[level])
            if progress is not None:
                progress(done + rows, total)
        assert writer is not None  # a file without rows gives a frame without rows
        writer.close()
        record = {
            "asked": asked,
            "source": state,
            "rows": rows,
            "additivity_error": errors,
            "sums": {level: total.tolist() for level, total in sums.items()},
        }
        write_file(_record_path(part, target), json.dumps(record).encode())
        os.replace(scratch, path)
    except BaseException:
        if writer is not None:
            writer.close()
        scratch.unlink(missing_ok=True)
        raise
    return record


def _answer(work: _Work, part: Part, frame: pd.DataFrame, first: int) -> Any:
    if work.identity is not None and work.identity not in frame.columns:
        raise StreamError(f"{part.path} has no column {work.identity!r} to name the rows by")
    if work.identity is not None and frame[work.identity].isna().any():
        row = first + int(frame[work.identity].isna().to_numpy().argmax())
        raise StreamError(
            f"{part.path} has no {work.identity!r} in row {row}; expected one in each, else leave "
            f"rows to their numbers"
        )
    try:
        return answer(
            work.model,
            frame,
            first=first,
            levels=work.levels,
            predictions=work.predictions,
            identity=work.identity,
        )
    except SchemaError as error:
        where = f"{part.path}, rows {first} to {first + len(frame) - 1}"
        raise SchemaError(f"{where}: {error}") from error


def _reduced(work: _Work, target: Path, records: list[dict[str, Any]], resumed: int) -> Streamed:
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

"""One file of a table answered: a Parquet file that appears whole, and a record of it beside it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.answering import answer
from pellucid.explain.carried import Carried
from pellucid.explain.explanation import Level
from pellucid.explain.predictor import Predictor
from pellucid.files import put_in_place, write_file
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.parts import Part


class StreamError(PellucidError, ValueError):
    """A table cannot be explained in chunks as asked."""


@dataclass(frozen=True)
class Work:
    """What is asked of every file."""

    model: Predictor
    levels: tuple[Level, ...]
    predictions: bool
    identity: str | None
    rows: int

    @property
    def without_model(self) -> tuple[Any, ...]:
        """What goes to a worker beside the model."""
        return self.levels, self.predictions, self.identity, self.rows


def write_there(
    options: tuple[Any, ...], target: Path, asked: dict[str, Any], carried: Carried, part: Part
) -> dict[str, Any]:
    """Write one file at a worker of a cluster."""
    return write(Work(carried.model(), *options), part, target, asked, lambda _: None)


def asked_of(work: Work, digest: str) -> dict[str, Any]:
    """By what an answer is known again: the model's digest, and the options."""
    return {
        "model": digest,
        "levels": list(work.levels),
        "predictions": work.predictions,
        "identity": work.identity,
    }


def record_path(part: Part, target: Path) -> Path:
    """Where lies what is to be known of a file of answers."""
    return target / part.relative.with_name(f"_{part.relative.name}.json")


def record_of(part: Part, target: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """What an earlier call wrote of a whole file; None where there is work to do."""
    path = record_path(part, target)
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


def write(
    work: Work,
    part: Part,
    target: Path,
    asked: dict[str, Any],
    tell: Callable[[int], None],
) -> dict[str, Any]:
    """Write one file and what is to be known of it; the file appears last, and whole."""
    import pyarrow.parquet as pq

    path = target / part.relative
    path.parent.mkdir(parents=True, exist_ok=True)
    # of this writer: a cluster may start a file again while its first writer is not yet dead
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
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
            tell(len(frame))
        assert writer is not None  # a file without rows gives a frame without rows
        writer.close()
        record = {
            "asked": asked,
            "source": state,
            "rows": rows,
            "additivity_error": errors,
            "sums": {level: total.tolist() for level, total in sums.items()},
        }
        write_file(record_path(part, target), json.dumps(record).encode())
        put_in_place(scratch, path)
    except BaseException:
        if writer is not None:
            writer.close()
        scratch.unlink(missing_ok=True)
        raise
    return record


def _answer(work: Work, part: Part, frame: pd.DataFrame, first: int) -> Any:
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

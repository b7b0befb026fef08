"""`pellucid explain` and `pellucid predict` into a folder: in chunks, in constant memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from pellucid.cli.errors import INTERRUPTED
from pellucid.explain.explanation import Level
from pellucid.explain.stream import Progress, Streamed, explain_parquet, predict_parquet
from pellucid.store.runs import load_run

_DRAWN = 0.25  # seconds between two drawings of the line
_WIDTH = 24  # characters of the bar


def is_folder(output: Path) -> bool:
    """Whether an output is a folder by its name: what has no suffix, or is one already."""
    return output.is_dir() or (output.suffix == "" and not output.name.startswith("."))


def run_explain_stream(
    run: str,
    data: Path,
    output: Path,
    *,
    level: Level,
    identity: str | None,
    rows: int,
    store: str | None,
    trust: Path | None = None,
) -> tuple[str, dict[str, Any]]:
    """Explain into a folder; gives words, and plain values."""
    model = load_run(run, store=store, trust=trust).model()
    with _shown() as progress:
        done = explain_parquet(
            model,
            data,
            output,
            level=level,
            identity=identity,
            rows_per_chunk=rows,
            progress=progress,
        )
    return f"{_headline(done, 'explained')}\n{_ranked(done, level)}", _facts(done)


def run_predict_stream(
    run: str,
    data: Path,
    output: Path,
    *,
    identity: str | None,
    rows: int,
    store: str | None,
    trust: Path | None = None,
) -> str:
    """Predict into a folder; gives words."""
    model = load_run(run, store=store, trust=trust).model()
    with _shown() as progress:
        done = predict_parquet(
            model, data, output, identity=identity, rows_per_chunk=rows, progress=progress
        )
    return _headline(done, "predicted")


def _headline(done: Streamed, what: str) -> str:
    words = f"{done.target}: {done.rows} rows {what} in {done.files} file{'s' * (done.files != 1)}"
    if done.resumed:
        words += f", {done.resumed} of them by an earlier call"
    if done.additivity_error is not None:
        words += f"; additivity error {done.additivity_error:.2g} at most"
    return words


def _ranked(done: Streamed, level: Level) -> str:
    top = list(done.importance[level].items())[:10]
    width = max((len(name) for name, _ in top), default=0)
    return "\n".join(f"  {name:<{width}}  {value:.4g}" for name, value in top)


def _facts(done: Streamed) -> dict[str, Any]:
    return {**asdict(done), "target": str(done.target)}


@contextmanager
def _shown() -> Iterator[Progress | None]:
    """A bar on standard error where that is a terminal; Ctrl-C tells how to go on."""
    drawn, began = 0.0, time.monotonic()

    def draw(rows: int, total: int | None) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn < _DRAWN and rows != total:
            return
        drawn = now
        bar = ""
        if total:
            full = _WIDTH * rows // total
            bar = f"{'█' * full}{'░' * (_WIDTH - full)} {100 * rows // total} %  "
        speed = rows / max(now - began, 1e-9)
        sys.stderr.write(f"\r{bar}{rows:,} rows  {speed:,.0f} rows/s\x1b[K")
        sys.stderr.flush()

    live = sys.stderr.isatty()
    try:
        yield draw if live else None
    except KeyboardInterrupt:
        said = "stopped; the same command goes on after the files that are whole"
        typer.echo(f"pellucid: {said}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

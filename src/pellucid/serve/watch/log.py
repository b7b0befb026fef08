"""The log of what a service was asked and said: Parquet files, written behind the answers."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import random
import re
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pellucid.explain.predictor import Predictor
from pellucid.files import write_file
from pellucid.serve.errors import ServeError
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.scores import Scores
from pellucid.serve.settings import Kept
from pellucid.serve.watch.entries import Entry, to_table

_log = logging.getLogger("pellucid.serve")
_WAITING = 50_000  # rows that may wait to be written; more are dropped and counted


def folder_of(log: Path, served_name: str) -> Path:
    """Where a model's rows are kept in a log."""
    return log / re.sub(r"[^A-Za-z0-9._-]", "_", served_name).lstrip(".")


class Log:
    """Writes answered requests in a thread of its own; an answer never waits for it.

    Parameters
    ----------
    kept : Kept
        What is kept, where, and how much of it.

    Attributes
    ----------
    written, dropped : int
        Rows; those are dropped that come faster than they can be written.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pellucid-log", daemon=True)
        self._waiting, self._lock = 0, threading.Lock()
        self._chance = random.SystemRandom()  # which requests are kept is not to be foreseen
        self.written = self.dropped = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join(20)

    def take(self, served: Served, asked: Asked, scores: Scores, *, request: str) -> None:
        """Keep a request, if chance has it."""
        n_rows = len(scores)
        if n_rows == 0 or self._chance.random() >= self._kept.share:
            return
        with self._lock:
            full = self._waiting + n_rows > _WAITING
            if full:
                self.dropped += n_rows
            else:
                self._waiting += n_rows
        if not full:
            self._queue.put(Entry(served, asked, scores, datetime.now(UTC), request))

    def _run(self) -> None:
        entries: list[Entry] = []
        n_rows, due, ended = 0, time.monotonic() + self._kept.seconds, False
        while not ended:
            with contextlib.suppress(queue.Empty):
                entry = self._queue.get(timeout=max(0.01, due - time.monotonic()))
                ended = entry is None
                if entry is not None:
                    entries.append(entry)
                    n_rows += len(entry.scores)
            if ended or n_rows >= self._kept.rows or time.monotonic() >= due:
                self._write(entries)
                entries, n_rows, due = [], 0, time.monotonic() + self._kept.seconds

    def _write(self, entries: list[Entry]) -> None:
        by_model: dict[int, list[Entry]] = {}
        for entry in entries:
            by_model.setdefault(id(entry.served), []).append(entry)
        for group in by_model.values():
            n_rows = sum(len(entry.scores) for entry in group)
            try:
                self._write_file(group)
                self.written += n_rows
            except Exception as error:  # the service goes on without its log; no cell in a message
                self.dropped += n_rows
                _log.error("%d rows could not be logged: %s", n_rows, type(error).__name__)
            with self._lock:
                self._waiting -= n_rows

    def _write_file(self, entries: list[Entry]) -> None:
        folder = folder_of(Path(self._kept.folder), entries[0].served.name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what clients sent
        sink = pa.BufferOutputStream()
        pq.write_table(to_table(entries, omit=self._kept.omit), sink, compression="zstd")
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{os.getpid()}.parquet"
        write_file(folder / name, sink.getvalue().to_pybytes())
        self._rotate(folder)

    def _rotate(self, folder: Path) -> None:
        """Let go of the oldest files, beyond so many bytes."""
        sizes = []
        for path in sorted(folder.glob("*.parquet"), reverse=True):  # of other workers too
            with contextlib.suppress(FileNotFoundError):
                sizes.append((path, path.stat().st_size))
        total = 0
        for path, size in sizes:
            total += size
            if total > self._kept.megabytes * 1e6 and path != sizes[0][0]:
                path.unlink(missing_ok=True)


def open_log(kept: Kept, served: Served) -> Log:
    """The log of a service.

    Raises
    ------
    ServeError
        A folder that cannot be written, a column that the model does not have, or a forecast's
        model, whose rows belong together.
    """
    predictor = served.scorer.predictor
    if type(predictor) is not Predictor:
        raise ServeError("the rows of a forecast cannot be logged; serve it without --log")
    unknown = [name for name in kept.omit if name not in predictor.schema.kinds]
    if unknown:
        raise ServeError(f"the column {unknown[0]!r} of --log-omit is not one of the model's")
    try:
        Path(kept.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServeError(f"the log's folder {kept.folder} cannot be made: {error}") from error
    if not os.access(kept.folder, os.W_OK):
        raise ServeError(f"the log's folder {kept.folder} cannot be written")
    return Log(kept)

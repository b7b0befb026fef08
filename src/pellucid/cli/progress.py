"""What a training shows while it works: one live line on a terminal, short lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from pellucid.search.progress import Progress, ProgressCallback

_STAGES = {
    "featurize": "reading columns",
    "search": "searching",
    "ensemble": "weighing models",
    "refit": "fitting the best on all rows",
    "explain": "explaining",
    "store": "storing",
    "done": "done",
}
_TICK = 0.25  # seconds between two drawings of the live line


class _Shown(Protocol):
    def tell(self, progress: Progress) -> None: ...
    def close(self) -> None: ...


@contextmanager
def show_progress(stream: TextIO | None = None) -> Iterator[ProgressCallback]:
    """A progress callback that writes to ``stream``, standard error by default."""
    stream = sys.stderr if stream is None else stream
    shown: _Shown = _LiveLine(stream) if stream.isatty() else _Lines(stream)
    try:
        yield shown.tell
    finally:
        shown.close()


def describe(progress: Progress, *, elapsed: float) -> str:
    """Where a training stands, in one line.

    Examples
    --------
    >>> from pellucid.search.progress import Progress
    >>> step = Progress("search", 12.0, 60.0, 7, "AUC_weighted", ("lightgbm", 0.94821))
    >>> describe(step, elapsed=12.4)
    '12 / 60 s  searching  7 trials  best AUC_weighted 0.9482 (lightgbm)'
    """
    budget = "" if progress.budget is None else f" / {progress.budget:.0f}"
    parts = [f"{elapsed:.0f}{budget} s", _STAGES[progress.stage]]
    if progress.n_trials:
        parts.append(f"{progress.n_trials} trial{'s' * (progress.n_trials != 1)}")
    if progress.best is not None:
        name, value = progress.best
        parts.append(f"best {progress.metric} {value:.4g} ({name})")
    return "  ".join(parts)


class _Lines:
    """A line when a stage begins, and when a trial is the best so far."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[object, object] = (None, None)

    def tell(self, progress: Progress) -> None:
        now = (progress.stage, progress.best)
        if now != self._last and progress.stage != "done":
            self._last = now
            self._stream.write(describe(progress, elapsed=progress.elapsed) + "\n")
            self._stream.flush()

    def close(self) -> None:
        pass


class _LiveLine:
    """One line that is drawn again four times a second, so that the seconds move."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None
        self._heard = 0.0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._draw_on, daemon=True)
        self._thread.start()

    def tell(self, progress: Progress) -> None:
        self._progress, self._heard = progress, time.monotonic()
        if progress.stage == "done":
            self._closed.set()

    def _draw_on(self) -> None:
        while not self._closed.wait(_TICK):
            progress = self._progress
            if progress is not None:
                elapsed = progress.elapsed + time.monotonic() - self._heard
                width = shutil.get_terminal_size().columns - 1
                line = describe(progress, elapsed=elapsed)
                if progress.stage == "search" and progress.best is not None:
                    line += "  Ctrl-C keeps it"
                line = line[:width]
                self._stream.write(f"\r{line}\x1b[K")
                self._stream.flush()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._stream.write("\r\x1b[K")  # the summary takes the line's place
        self._stream.flush()

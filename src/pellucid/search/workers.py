"""Worker processes: one thread each, apart from the caller and from each other, killable.

One process with one thread per core does about a fifth more work than one process with all
cores, and does not stall when another program is busy (OpenMP threads spin while they wait).
Each worker is a pool of its own: one that dies, or is ended, takes only its own task with it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

from pellucid.models.ensemble import available_cores
from pellucid.quiet import hush

_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}


class Pool(Protocol):
    """Who runs tasks, here or elsewhere."""

    @property
    def n_jobs(self) -> int:
        """Tasks that run side by side."""
        ...

    def are_ready(self, *, within: float | None) -> bool:
        """Whether libraries are loaded; waits for that at most so many seconds."""
        ...

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``function(*args)`` where there is room, or as soon as there is."""
        ...

    def end(self, future: Future[Any]) -> None:
        """End a task, whatever it is doing; its future then holds an error."""
        ...

    def restart(self) -> None:
        """End all tasks."""
        ...

    def memory(self) -> dict[Future[Any], int]:
        """Resident bytes by task, of those that could be ended for want of memory."""
        ...

    def __enter__(self) -> Pool: ...

    def __exit__(self, *exc_info: object) -> None: ...


_LOOK = 1.0  # seconds between looks whether the caller still lives
_KEPT = 20.0  # seconds that an idle worker waits for another search


class Workers:
    """Spawned processes; use it as a context manager."""

    def __init__(self, n_jobs: int | None = None) -> None:
        self.n_jobs = n_jobs or available_cores()
        self._slots = [_SPARE.take() or _Slot() for _ in range(self.n_jobs)]
        # the libraries are imported while the caller prepares the data
        self._prepared = [slot.prepare(load_libraries) for slot in self._slots]

    def are_ready(self, *, within: float | None) -> bool:
        """Whether all have imported their libraries; waits for that at most so many seconds.

        On a busy machine it takes as long as a trial, and would be taken from the first ones.
        """
        return not wait(self._prepared, timeout=within).not_done

    @property
    def n_free(self) -> int:
        """Workers without a task; one that still loads its libraries counts as free."""
        return sum(slot.free for slot in self._slots)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``function(*args)`` in a free worker, or behind the task of the least laden one."""
        return min(self._slots, key=lambda slot: slot.load).submit(function, *args)

    def end(self, future: Future[Any]) -> None:
        """End the worker that runs a task; its future then holds an error."""
        for slot in self._slots:
            if future in slot.tasks:
                slot.restart()

    def restart(self) -> None:
        """End the tasks of all workers, whatever they are doing."""
        for slot in self._slots:
            if slot.load:
                slot.restart()

    def memory(self) -> dict[Future[Any], int]:
        """Resident bytes of each worker that is busy, by its task."""
        return {slot.tasks[0]: slot.resident for slot in self._slots if slot.load}

    def close(self) -> None:
        """End the workers that are busy, and keep the others for a search that comes soon.

        A search of few trials, and the first trials of each, would spend more time on libraries.
        """
        for slot in self._slots:
            if slot.sound:
                _SPARE.keep(slot)
            else:
                slot.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class _Slot:
    """One worker process, started anew when it died."""

    def __init__(self) -> None:
        self._tasks: list[Future[Any]] = []
        self._prepared: Future[Any] | None = None
        self._pool = _start()

    @property
    def tasks(self) -> list[Future[Any]]:
        """Tasks that run or wait here."""
        self._tasks = [task for task in self._tasks if not task.done()]
        return self._tasks

    @property
    def load(self) -> int:
        return len(self.tasks)

    @property
    def free(self) -> bool:
        return self.load == 0

    @property
    def resident(self) -> int:
        """Resident bytes of the process, 0 where they cannot be read."""
        if sys.platform != "linux":
            return 0
        try:
            processes = list(self._pool._processes)
            pages = [
                int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1]) for pid in processes
            ]
        except (OSError, AttributeError, TypeError, ValueError, IndexError):
            return 0
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def sound(self) -> bool:
        """Whether the process is there, and has nothing to do."""
        ready = self._prepared is not None and self._prepared.done()
        return ready and self.free and not self._pool._flags.broken

    def prepare(self, function: Callable[[], Any]) -> Future[Any]:
        """Run what is no task of a search."""
        self._prepared = self._submit(function)
        return self._prepared

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        self._tasks.append(self._submit(function, *args))
        return self._tasks[-1]

    def _submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        try:
            future: Future[Any] = self._pool.submit(function, *args)
        except RuntimeError:  # broken or shut down by a crashed worker
            self._pool = _start()
            future = self._pool.submit(function, *args)
        return future

    def restart(self) -> None:
        self.close()
        self._pool = _start()

    def close(self) -> None:
        # the pool's own thread drops what waits, and would print a KeyError for its number
        numbers = self._pool._work_ids
        with suppress(Empty):
            while True:
                numbers.get_nowait()
        self._pool.shutdown(wait=False, kill_workers=True)
        self._tasks = []


class _Spares:
    """Idle workers of this process, which end when no search takes them for a while."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)  # they are the parent's

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._slots: list[_Slot] = []
        self._timer: threading.Timer | None = None

    def take(self) -> _Slot | None:
        """One of them, if there is any."""
        with self._lock:
            return self._slots.pop() if self._slots else None

    def keep(self, slot: _Slot) -> None:
        """Keep one for a while, if there are not as many as cores."""
        from pellucid.search.trials import forget_rows

        with self._lock:
            if len(self._slots) >= available_cores():
                slot.close()
                return
            forgotten = slot.prepare(forget_rows)
            if sys.platform == "win32":  # where what is mapped cannot be removed
                wait([forgotten], timeout=_LOOK)
            self._slots.append(slot)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(_KEPT, self.end)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """End those that are kept."""
        with self._lock:
            for slot in self._slots:
                slot.close()
            self._slots.clear()


_SPARE = _Spares()
atexit.register(_SPARE.end)


def _start() -> Any:
    hush()
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(
        max_workers=1,
        initializer=_settle,
        initargs=(os.getpid(),),
        env=dict(_ENVIRONMENT),
        timeout=3600,
    )


def _settle(caller: int) -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the caller; end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.name == "posix":  # elsewhere a process keeps the number of a parent that is gone
        threading.Thread(target=_end_with, args=(caller,), daemon=True).start()


def _end_with(caller: int) -> None:
    """End this process once its caller is gone: one that was killed can end nobody."""
    while os.getppid() == caller:
        time.sleep(_LOOK)
    os._exit(1)


def load_libraries() -> None:
    """Import what trials need, so that none of them pays for it."""
    import sklearn.linear_model
    import sklearn.metrics  # noqa: F401

    import pellucid.models.lightgbm
    import pellucid.models.linear
    import pellucid.search.metrics
    import pellucid.search.trials  # noqa: F401

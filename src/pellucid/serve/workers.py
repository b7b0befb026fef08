"""Several processes that answer on one socket, and the one that watches over them.

The model is read and compiled once, then forked: workers have its tables, the libraries and the
kernels' machine code in the same memory, and one that takes a dead one's place answers at once. The
socket's queue outlives each of them, so that a worker that is killed takes with it only those
requests that it had accepted.

uvicorn's own supervisor starts each worker from nothing, and waits for a sign of life of one after
the other: while it waits for one that was killed as it began, it replaces no other.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import mmap
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from pellucid.serve.errors import ServeError
from pellucid.serve.holder import Holder
from pellucid.serve.memory import give_back

_SILENT = 60.0  # seconds without a sign of life, after which a worker hangs
_SHORT = 0.5  # seconds to wait before a worker that lived no longer is replaced
_GENTLE = 25.0  # seconds to answer what was accepted
_QUEUE = 2048  # connections that wait to be accepted
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger("pellucid.serve")

can_fork = sys.platform.startswith("linux")  # elsewhere libraries do not bear it, or there is none


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process, when it began, and the memory in which it says when it was last alive.

    Times are those of `time.monotonic`.
    """

    process: Any
    began: float
    seen: memoryview[float]


class _Server(uvicorn.Server):
    """Gives signs of life, and ends when the process that watches over it is no more."""

    def __init__(self, config: uvicorn.Config, seen: memoryview[float], parent: int) -> None:
        super().__init__(config)
        self._seen, self._parent = seen, parent

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, from the loop that answers."""
        self._seen[0] = time.monotonic()
        if os.getppid() != self._parent:
            self.should_exit = True
        return await super().on_tick(counter)


def run_workers(
    holder: Holder,
    configure: Callable[[], uvicorn.Config],
    listener: socket.socket,
    *,
    n_workers: int,
    look_seconds: float,
) -> None:
    """Serve until a signal ends it; a worker that dies or hangs is replaced.

    Parameters
    ----------
    holder : Holder
        Of the model; not started. Each worker looks for another model itself, and so does this
        process, for the sake of workers to come.
    configure : callable
        What a worker serves, made in that worker.
    listener : socket
        Bound. It listens from when workers begin.
    n_workers : int
    look_seconds : float
        Between looks for another model; 0 for never.

    Raises
    ------
    ServeError
        If a worker cannot start, as the next one could not either.
    """
    give_back()
    listener.listen(_QUEUE)
    looked = time.monotonic()
    with _told_to_end() as (told, woken):
        workers = [_begin(configure, listener) for _ in range(n_workers)]
        try:
            while not told:
                wait([woken, *(each.process.sentinel for each in workers)], timeout=0.5)
                for place, worker in enumerate(workers):
                    if not told and not _is_well(worker):
                        workers[place] = _begin(configure, listener)
                if look_seconds and time.monotonic() - looked > look_seconds:
                    holder.follow()
                    looked = time.monotonic()
        finally:
            listener.close()  # who comes now is refused, and does not wait for nothing
            _end(workers)


def _begin(configure: Callable[[], uvicorn.Config], listener: socket.socket) -> _Worker:
    """Fork a worker."""
    now = time.monotonic()
    seen = memoryview(mmap.mmap(-1, 8)).cast("d")
    seen[0] = now
    process = multiprocessing.get_context("fork").Process(
        target=_work, args=(configure, listener, seen, os.getpid()), name="pellucid-worker"
    )
    gc.freeze()  # a collection would write to each object, and so copy it
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until the worker has handlers of its own
    process.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    gc.unfreeze()
    _log.info("worker %d begins", process.pid)
    return _Worker(process, now, seen)


def _work(
    configure: Callable[[], uvicorn.Config],
    listener: socket.socket,
    seen: memoryview[float],
    parent: int,
) -> None:
    """What a worker does."""
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    _Server(configure(), seen, parent).run([listener])


def _is_well(worker: _Worker) -> bool:
    """Whether a worker lives and answers; one that hangs is killed."""
    process, now = worker.process, time.monotonic()
    if process.is_alive():
        if now - worker.seen[0] < _SILENT:
            return True
        _log.error("worker %d gave no sign of life for %g s", process.pid, _SILENT)
        process.kill()
    process.join()
    if process.exitcode == STARTUP_FAILURE:
        raise ServeError("a worker could not start; the lines above say why")
    _log.error("worker %d ended with %d and is replaced", process.pid, process.exitcode)
    if now - worker.began < _SHORT:
        time.sleep(_SHORT)
    return False


def _end(workers: list[_Worker]) -> None:
    """Have all answer what they accepted, then end."""
    for worker in workers:
        worker.process.terminate()
    deadline = time.monotonic() + _GENTLE
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


@contextlib.contextmanager
def _told_to_end() -> Iterator[tuple[list[int], socket.socket]]:
    """Signals that came, and what wakes from waiting when one does."""
    told: list[int] = []
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    before = {
        number: signal.signal(number, lambda number, _: told.append(number)) for number in _SIGNALS
    }
    fd = signal.set_wakeup_fd(waker.fileno())
    try:
        yield told, woken
    finally:
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        woken.close()
        waker.close()

"""Several processes that answer on one socket, and the one that watches over them.

The model is read and compiled once, then forked: workers have its tables, the libraries and the
kernels' machine code in the same memory, and one that takes a dead one's place answers at once. The
socket's queue outlives each of them, so that a worker that is killed takes with it only those
requests that it had accepted.

Another model is read and compiled by the watching process too. Fresh forks take the workers' places
one by one, so that it is in memory once as the first was; those that leave answer the connections
that they have.

uvicorn's own supervisor starts each worker from nothing, and waits for a sign of life of one after
the other: while it waits for one that was killed as it began, it replaces no other.
"""

from __future__ import annotations

import contextlib
import gc
import logging
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
from pellucid.serve.worker import SIGNALS, Signs, work

_SILENT = 60.0  # seconds without a sign of life, after which a worker hangs, or without its end
_SHORT = 0.5  # seconds to wait before a worker that lived no longer is replaced
_GENTLE = 25.0  # seconds to answer what was accepted
_QUEUE = 2048  # connections that wait to be accepted
_log = logging.getLogger("pellucid.serve")

can_fork = sys.platform.startswith("linux")  # elsewhere libraries do not bear it, or there is none


@dataclass(frozen=True, eq=False)
class _Worker:
    """A process, when it began by `time.monotonic`, and what it tells."""

    process: Any
    began: float
    signs: Signs


class Workers:
    """The processes that answer.

    Parameters
    ----------
    holder : Holder
        Of the model.
    configure : callable
        What a worker serves, made in that worker.
    listener : socket
        That listens.
    n_workers : int
    """

    def __init__(
        self,
        holder: Holder,
        configure: Callable[[], uvicorn.Config],
        listener: socket.socket,
        n_workers: int,
    ) -> None:
        self._holder, self._configure, self._listener = holder, configure, listener
        self._all = [self._begin() for _ in range(n_workers)]
        self._leaving: list[_Worker] = []

    @property
    def ends(self) -> list[int]:
        """What becomes ready when one of them ends."""
        return [each.process.sentinel for each in (*self._all, *self._leaving)]

    def look_after(self) -> None:
        """Replace those that died or hang, and forget those that have left.

        Raises
        ------
        ServeError
            If a worker could not start, as the next one could not either.
        """
        for place, worker in enumerate(self._all):
            worker.signs.failures = self._holder.failures
            if not _is_well(worker):
                self._all[place] = self._begin()
        self._leaving = [worker for worker in self._leaving if not _has_left(worker)]

    def follow(self) -> None:
        """Put workers of the model that the holder has now in the places of all."""
        for place, worker in enumerate(self._all):
            fresh = self._begin()
            if not _answers(fresh):
                _log.error("worker %d does not answer; the others stay", fresh.process.pid)
                self._holder.failures += 1
                _kill(fresh)
                return
            worker.signs.retire()
            self._leaving.append(worker)
            self._all[place] = fresh

    def end(self) -> None:
        """Have all answer what they accepted, then end."""
        workers = [*self._all, *self._leaving]
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + _GENTLE
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                _kill(worker)

    def _begin(self) -> _Worker:
        """Fork a worker."""
        if sys.platform == "win32":
            raise OSError("Windows does not fork")
        signs = Signs()
        signs.failures = self._holder.failures
        process = multiprocessing.get_context("fork").Process(
            target=work,
            args=(self._configure, self._holder, self._listener, signs, os.getpid()),
            name="pellucid-worker",
        )
        began = time.monotonic()
        gc.freeze()  # a collection would write to each object, and so copy it
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until it has handlers of its own
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        gc.unfreeze()
        _log.info("worker %d begins", process.pid)
        return _Worker(process, began, signs)


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
        Of the model; not started, since this process looks for another model itself.
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
        workers = Workers(holder, configure, listener, n_workers)
        try:
            while not told:
                wait([woken, *workers.ends], timeout=0.5)
                if not told:
                    workers.look_after()
                if not told and look_seconds and time.monotonic() - looked > look_seconds:
                    if holder.follow():
                        give_back()  # forks are to have the new model, and nothing of the old
                        workers.follow()
                    looked = time.monotonic()
        finally:
            listener.close()  # who comes now is refused, and does not wait for nothing
            workers.end()


def _is_well(worker: _Worker) -> bool:
    """Whether a worker lives and answers; one that hangs is killed."""
    process, now = worker.process, time.monotonic()
    if process.is_alive():
        if now - (worker.signs.seen or worker.began) < _SILENT:
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


def _answers(worker: _Worker) -> bool:
    """Whether a worker that has begun gets so far as to answer."""
    while worker.process.is_alive() and time.monotonic() - worker.began < _SILENT:
        if worker.signs.seen is not None:
            return True
        time.sleep(0.01)
    return False


def _has_left(worker: _Worker) -> bool:
    """Whether a worker that retired has ended; one that does not is killed."""
    since = time.monotonic() - (worker.signs.retired or 0.0)
    if worker.process.is_alive() and since < _SILENT:
        return False
    _kill(worker)
    return True


def _kill(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()


@contextlib.contextmanager
def _told_to_end() -> Iterator[tuple[list[int], socket.socket]]:
    """Signals that came, and what wakes from waiting when one does."""
    told: list[int] = []
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    before = {
        number: signal.signal(number, lambda number, _: told.append(number)) for number in SIGNALS
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

"""The workers of a Dask cluster, in the place of this machine's own.

Each worker process takes one task at a time, so that one that dies, or has to be ended, takes only
its own with it. A task is bound to its worker: Dask would run it again elsewhere, and a trial that
killed one worker would kill the next.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError, PellucidWarning
from pellucid.search.remote import Order, carry_out, introduce, packed_data, receive
from pellucid.search.trials import DataRef, write_whole_file
from pellucid.search.versions import other_versions, versions

_EMPTY = 60.0  # seconds without any worker after which a cluster is given up
_LOOK = 0.5  # seconds between looks at who is there
_RESTART = 60.0  # seconds that a worker may take to start anew
_SENDINGS = 3  # times that data is sent to a worker before its task is given up


class ClusterError(PellucidError):
    """A cluster cannot be reached, has no worker that fits, or lost one."""


@dataclass(eq=False)
class _Task:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any] = field(default_factory=Future)
    running: Any = None  # Dask's future
    address: str = ""
    sendings: int = 0  # of the data, that failed

    @property
    def data(self) -> DataRef:
        return next(arg for arg in self.args if isinstance(arg, DataRef))


class ClusterWorkers:
    """The worker processes of a cluster, whoever is there; use it as a context manager.

    Raises
    ------
    ClusterError
        No worker comes within a minute, or none has the caller's versions.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._versions = versions()
        self._lock = threading.RLock()
        self._known: set[str] = set()  # addresses that were asked who they are
        self._tasks: dict[str, _Task | None] = {}  # of each worker that fits, what it does
        self._waiting: deque[_Task] = deque()
        self._sent: dict[str, Any] = {}  # by our folder
        self._folders: dict[tuple[str, str], str] = {}  # at a worker, by it and by ours
        self._refused: dict[str, str] = {}
        self._seen, self._lost = time.monotonic(), ""
        self._closed = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="pellucid-cluster").start()
        until = time.monotonic() + _EMPTY
        while not self._tasks and time.monotonic() < until and not self._closed.is_set():
            if self._refused and len(self._refused) == len(self._known):
                break
            time.sleep(0.05)
        if not self._tasks:
            self.close()
            why = "; ".join(self._refused.values()) or f"it has had no worker for {_EMPTY:.0f} s"
            raise ClusterError(f"the cluster cannot be used: {why}")

    @property
    def n_jobs(self) -> int:
        """Workers that are there now, at least one."""
        return max(1, len(self._tasks))

    def are_ready(self, *, within: float | None) -> bool:
        """Whether libraries are loaded, which they are before a worker is used."""
        return True

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run ``function(*args)`` on the next worker that is free; one of ``args`` is the data.

        Raises
        ------
        ClusterError
            The scheduler is gone, or all workers are, for a minute.
        """
        if self._lost:
            raise ClusterError(self._lost)
        task = _Task(function, args)
        with self._lock:
            self._waiting.append(task)
            self._dispatch()
        return task.future

    def end(self, future: Future[Any]) -> None:
        """End the worker that runs a task; its future then holds an error."""
        self._end([task for task in self._all() if task.future is future])

    def restart(self) -> None:
        """End all tasks, whatever the workers are doing."""
        self._end(self._all())

    def memory(self) -> dict[Future[Any], int]:
        """Nothing: a worker's own limits hold its memory."""
        return {}

    def close(self) -> None:
        """End what still runs, and leave the cluster as it is."""
        self._closed.set()
        ending = self._end(self._all())
        if ending is not None:  # the client may be closed next
            ending.join(_RESTART)
        with self._lock:
            self._sent.clear()

    def __enter__(self) -> ClusterWorkers:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- tasks --------------------------------------------------------------------------------
    def _all(self) -> list[_Task]:
        with self._lock:
            return [*filter(None, self._tasks.values()), *self._waiting]

    def _dispatch(self) -> None:
        """Give what waits to who is free; called under the lock."""
        for address, busy in list(self._tasks.items()):
            if busy is None and self._waiting:
                task = self._waiting.popleft()
                task.address = address
                self._tasks[address] = task
                self._start(task)

    def _start(self, task: _Task) -> None:
        """Run a task at its worker, which is sent the data first where it has not got it.

        The folder goes with the task as plain text: Dask gives up whatever depends on data that a
        dead worker held.
        """
        folder = self._folders.get((task.address, task.data.folder))
        call: tuple[Any, ...]
        then: Callable[[_Task, Any], None]
        if folder is None:
            name = f"{Path(task.data.folder).name}-{id(self):x}"
            call, then = (receive, self._sent_out(task.data), name), self._arrived
        else:
            call, then = (carry_out, Order.of(task.function, task.args), folder), self._done
        task.running = self._client.submit(*call, workers=[task.address], pure=False)
        task.running.add_done_callback(lambda running: then(task, running))

    def _sent_out(self, data: DataRef) -> Any:
        """Dask's future of the data, which leaves this machine once; workers pass it on."""
        sent = self._sent.get(data.folder)
        if sent is None or sent.status != "finished":  # who had it has died
            sent = self._client.scatter([packed_data(data)], hash=False)[0]
            self._sent[data.folder] = sent
        return sent

    def _arrived(self, task: _Task, running: Any) -> None:
        """Run a task once its worker has the data; runs in a thread of Dask's."""
        try:
            folder = running.result()
        except Exception as error:
            with self._lock:
                self._sent.pop(task.data.folder, None)
                task.sendings += 1
                if self._tasks.get(task.address) is task and task.sendings < _SENDINGS:
                    self._start(task)
                    return
            self._fail(task, f"the data did not arrive: {type(error).__name__}: {error}")
            self._free(task)
            return
        with self._lock:
            if self._tasks.get(task.address) is task:
                self._folders[task.address, task.data.folder] = folder
                self._start(task)

    def _done(self, task: _Task, running: Any) -> None:
        """Take over what a task gave, and its members; runs in a thread of Dask's."""
        try:
            found, files = running.result()
            for name, content in files.items():
                write_whole_file(Path(task.data.folder) / name, content)
        except Exception as error:
            self._fail(task, f"{type(error).__name__}: {error}")
        else:
            with suppress(InvalidStateError):  # given up in the meantime
                task.future.set_result(found)
        self._free(task)

    def _free(self, task: _Task) -> None:
        with self._lock:
            task.running = None
            if self._tasks.get(task.address) is task:
                self._tasks[task.address] = None
            if not self._closed.is_set():
                self._dispatch()

    def _fail(self, task: _Task, why: str) -> None:
        with self._lock:
            if task in self._waiting:
                self._waiting.remove(task)
        with suppress(InvalidStateError):
            task.future.set_exception(ClusterError(why))

    # -- workers ------------------------------------------------------------------------------
    def _end(self, tasks: list[_Task]) -> threading.Thread | None:
        """Fail tasks, and start anew the workers that run them, in a thread."""
        addresses = []
        for task in tasks:
            self._fail(task, "ended by the search")
            if task.running is not None:
                addresses.append(task.address)
        if not addresses:
            return None
        with self._lock:
            for address in addresses:
                self._forget(address)
        thread = threading.Thread(target=self._restart, args=(addresses,), daemon=True)
        thread.start()
        return thread

    def _restart(self, addresses: list[str]) -> None:
        """Start processes anew; one that no nanny watches is used again when its task ends."""
        with suppress(Exception):
            self._client.restart_workers(addresses, timeout=_RESTART, raise_for_error=False)
        with self._lock:
            self._known -= set(addresses)

    def _forget(self, address: str) -> None:
        self._tasks.pop(address, None)
        self._folders = {key: at for key, at in self._folders.items() if key[0] != address}

    def _watch(self) -> None:
        """Meet workers that come, and fail the tasks of those that went."""
        while not self._closed.wait(_LOOK if self._tasks else 0.05):
            try:
                # not scheduler_info, in whose place Dask itself puts an answer without workers
                there = set(self._client.nthreads())
            except Exception as error:
                self._give_up(f"the scheduler is gone: {type(error).__name__}: {error}")
                return
            with self._lock:
                for address in self._known - there:
                    task = self._tasks.get(address)
                    self._forget(address)
                    self._known.discard(address)
                    if task is not None:
                        self._fail(task, f"worker {address} is gone")
                for address in there - self._known:
                    self._known.add(address)
                    asked = self._client.submit(introduce, workers=[address], pure=False)
                    asked.add_done_callback(lambda asked, at=address: self._meet(at, asked))
            if there:
                self._seen = time.monotonic()
            elif time.monotonic() - self._seen > _EMPTY:
                self._give_up(f"the cluster has had no worker for {_EMPTY:.0f} s")
                return

    def _meet(self, address: str, asked: Any) -> None:
        """Use a worker that has the caller's versions."""
        try:
            theirs = asked.result()
        except Exception as error:
            theirs = {"error": f"{type(error).__name__}: {error}"}
        other = other_versions(theirs, self._versions)
        with self._lock:
            if other:
                why = theirs.get("error") or ", ".join(other)
                self._refused[address] = f"worker {address} has other packages: {why}"
            elif address in self._known and not self._closed.is_set():
                self._tasks.setdefault(address, None)
                self._dispatch()
        if other and not self._closed.is_set():
            warnings.warn(self._refused[address], PellucidWarning, stacklevel=2)

    def _give_up(self, why: str) -> None:
        with self._lock:
            self._lost = why
            for task in self._all():
                self._fail(task, why)
            self._tasks.clear()

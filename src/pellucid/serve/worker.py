"""One of several processes that answer, and what it and the one that watches tell each other."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import uvicorn

from pellucid.serve.holder import Holder
from pellucid.serve.protocol import Impatient

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FAREWELL = 20.0  # seconds for clients of a worker that retires; an idle connection ends in fewer


class Signs:
    """Memory that a worker has in common with the process that watches over it.

    Times are those of `time.monotonic`.
    """

    def __init__(self) -> None:
        self._held = memoryview(mmap.mmap(-1, 24)).cast("d")

    @property
    def seen(self) -> float | None:
        """When the worker last gave a sign of life, or None before it answers."""
        return self._held[0] or None

    def give(self) -> None:
        """Give a sign of life."""
        self._held[0] = time.monotonic()

    @property
    def retired(self) -> float | None:
        """When it was told to take no more connections and to end without them, or None."""
        return self._held[1] or None

    def retire(self) -> None:
        """Have the worker retire."""
        self._held[1] = time.monotonic()

    @property
    def failures(self) -> int:
        """How often the watching process could not read another model."""
        return int(self._held[2])

    @failures.setter
    def failures(self, count: int) -> None:
        self._held[2] = count


class _Server(uvicorn.Server):
    """Gives signs of life, retires, and ends when the process that watches over it is no more."""

    def __init__(self, config: uvicorn.Config, holder: Holder, signs: Signs, parent: int) -> None:
        super().__init__(config)
        self._holder, self._signs, self._parent = holder, signs, parent

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, from the loop that answers."""
        self._signs.give()
        self._holder.failures = self._signs.failures
        if os.getppid() != self._parent:
            self.should_exit = True
        if self._signs.retired is not None:
            self._retire(self._signs.retired + _FAREWELL)
        return await super().on_tick(counter)

    def _retire(self, end: float) -> None:
        """Take no more connections, close those that there are with their next answer, end.

        An idle one ends in its own time, as it always does: a request may be on its way.
        """
        for server in self.servers:
            server.close()
        for connection in self.server_state.connections:
            if isinstance(connection, Impatient):
                connection.retire()
        if not self.server_state.connections or time.monotonic() > end:
            self.should_exit = True


def work(
    configure: Callable[[], uvicorn.Config],
    holder: Holder,
    listener: socket.socket,
    signs: Signs,
    parent: int,
) -> None:
    """Answer until told to end; what a forked process does.

    Parameters
    ----------
    configure : callable
        What is served, made in this process.
    holder : Holder
        Of the model, which does not change here.
    listener : socket
        That listens already.
    signs : Signs
    parent : int
        The process that watches over this one, which does not outlive it.
    """
    if sys.platform == "win32":
        raise OSError("Windows does not fork")
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    _Server(configure(), holder, signs, parent).run([listener])

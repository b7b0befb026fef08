"""HTTP with an end to waiting: a client that sends no whole head does not keep its connection.

Nor does one whose head has no end: uvicorn's own protocol keeps all of it in memory.

It notes when a request came, since one that has waited too long is not worth its answer. Where many
come at once they wait in the system's queues, before they are accepted and before they are read.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pellucid.serve.security import ARRIVED

_UNREAD = 52  # bytes before tcpi_last_data_recv in tcp_info (linux/tcp.h), milliseconds


def seconds_unread(transport: Any) -> float:
    """How long ago the last that was read came, as far as the system tells; else 0."""
    connection = transport.get_extra_info("socket")
    if connection is None or not sys.platform.startswith("linux"):
        return 0.0
    try:
        facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNREAD + 4)
    except OSError:  # not TCP
        return 0.0
    return int.from_bytes(facts[_UNREAD:], sys.byteorder) / 1000.0


class Impatient(HttpToolsProtocol):
    """Closes a connection whose request line and headers take too long, or are too long.

    head_seconds : from the first byte to the last.
    head_bytes : of them; and at most one read from the socket more.
    """

    head_seconds = 10.0
    head_bytes = 65_536
    _held = 0  # bytes of a head that is not whole
    _retired = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Begin to wait for the rest of a request that follows another."""
        idle = self.cycle is None or self.cycle.response_complete
        if self._late is None and idle:
            self._wait()
        self._held += len(data)
        super().data_received(data)
        if self._late is not None and self._held > self.head_bytes:
            self._refuse()

    def on_headers_complete(self) -> None:
        """The head is there; what follows has limits of its own."""
        self._calm()
        if self._held > self.head_bytes:  # it may be the body, which came along
            held = sum(len(name) + len(value) for name, value in self.headers)
            if held + len(self.url) > self.head_bytes:
                raise ValueError("the head is too long")  # answered by 400 and the end
        self._held = 0
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[ARRIVED] = time.perf_counter() - seconds_unread(self.transport)
        super().on_headers_complete()
        if self._retired:
            self.cycle.keep_alive = False

    def retire(self) -> None:
        """Have the next answer say that it is the last; the connection is closed after it."""
        self._retired = True
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        self._calm()
        super().connection_lost(exc)

    def _refuse(self) -> None:
        self._calm()
        if self.transport is not None and not self.transport.is_closing():
            self.send_400_response("the head is too long")

    def _wait(self) -> None:
        self._held = 0
        self._late = self.loop.call_later(self.head_seconds, self._close)

    def _calm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

"""Sums over the processes of which each holds a share of the rows, added up as a tree.

Each process listens for two others and tells a third (Thakur, Rabenseifner and Gropp 2005, binary
tree). What goes over the connections are float64 numbers, to and from who shows the secret that all
were given. Sums are taken in one order, so all processes have the same bits.
"""

from __future__ import annotations

import hmac
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_MEET = 60.0  # seconds until all must have found one another
_AGAIN = 0.05  # seconds between tries to connect
_HELLO = 8  # bytes of a rank


class Reduction(Protocol):
    """How a process learns what all of them have together."""

    @property
    def rank(self) -> int:
        """Of this process; the first one, 0, leads."""
        ...

    def add(self, own: np.ndarray) -> np.ndarray:
        """The sum of what all give, float64 of one shape."""
        ...

    def least(self, own: np.ndarray) -> np.ndarray:
        """The smallest of what all give, float64 of one shape."""
        ...

    def told(self, own: np.ndarray) -> np.ndarray:
        """What the first one gives, float64 of one shape."""
        ...


class _Alone:
    """One process that holds all rows."""

    rank = 0

    def add(self, own: np.ndarray) -> np.ndarray:
        return own

    def least(self, own: np.ndarray) -> np.ndarray:
        return own

    def told(self, own: np.ndarray) -> np.ndarray:
        return own


ALONE: Reduction = _Alone()


@dataclass(frozen=True, eq=False)
class _Tree:
    """The connections of one process: to who tells it, and to those whom it tells."""

    rank: int
    parent: socket.socket | None
    children: tuple[socket.socket, ...]

    def add(self, own: np.ndarray) -> np.ndarray:
        total = np.array(own, dtype=np.float64)
        for child in self.children:
            total += _received(child, total.shape)
        return self._passed(total)

    def least(self, own: np.ndarray) -> np.ndarray:
        total = np.array(own, dtype=np.float64)
        for child in self.children:
            np.minimum(total, _received(child, total.shape), out=total)
        return self._passed(total)

    def told(self, own: np.ndarray) -> np.ndarray:
        found = np.array(own, dtype=np.float64)
        if self.parent is not None:
            found = _received(self.parent, found.shape)
        for child in self.children:
            child.sendall(found.tobytes())
        return found

    def _passed(self, total: np.ndarray) -> np.ndarray:
        """Up to the first one, whose total comes back down."""
        if self.parent is not None:
            self.parent.sendall(total.tobytes())
        return self.told(total)


@contextmanager
def reduction(addresses: tuple[str, ...], rank: int, secret: bytes) -> Iterator[Reduction]:
    """Meet the others, by their addresses "host:port" in the order of ranks.

    Raises
    ------
    OSError
        The others did not come within a minute, or one is lost.
    """
    if len(addresses) == 1:
        yield ALONE
        return
    until = time.monotonic() + _MEET
    children = [child for child in (2 * rank + 1, 2 * rank + 2) if child < len(addresses)]
    with ExitStack() as stack:
        listening = stack.enter_context(_listening(addresses[rank])) if children else None
        parent = None
        if rank:
            parent = stack.enter_context(_connected(addresses[(rank - 1) // 2], until))
            parent.sendall(secret + rank.to_bytes(_HELLO, "big"))
        came: dict[int, socket.socket] = {}
        while listening is not None and len(came) < len(children):
            listening.settimeout(max(_AGAIN, until - time.monotonic()))
            who = stack.enter_context(listening.accept()[0])
            who.settimeout(_MEET)
            shown = _bytes(who, len(secret) + _HELLO)
            child = int.from_bytes(shown[len(secret) :], "big")
            if hmac.compare_digest(shown[: len(secret)], secret) and child in children:
                came[child] = who
            else:
                who.close()
        found = tuple(came[child] for child in children)
        for each in (*found, *([parent] if parent is not None else [])):
            each.settimeout(None)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield _Tree(rank, parent, found)


def _listening(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_server((host, int(port)))


def _connected(address: str, until: float) -> socket.socket:
    """A connection to one who may not listen yet."""
    host, _, port = address.rpartition(":")
    while True:
        try:
            return socket.create_connection((host, int(port)), timeout=_MEET)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(_AGAIN)


def _received(who: socket.socket, shape: tuple[int, ...]) -> np.ndarray:
    size = 8 * int(np.prod(shape))
    return np.frombuffer(_bytes(who, size), dtype=np.float64).reshape(shape).copy()


def _bytes(who: socket.socket, size: int) -> bytes:
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        came = who.recv_into(view[at:])
        if came == 0:
            raise ConnectionError("another process that learns together went away")
        at += came
    return bytes(found)

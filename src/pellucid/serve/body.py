"""A request's body, read within limits of bytes and of time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pellucid.serve.errors import RequestError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
ENCODINGS = (b"identity", b"gzip")
_GZIP = 31  # window bits that make zlib expect a gzip head


async def read_limited(receive: Receive, *, length: str | None, most: int, seconds: float) -> bytes:
    """Read a request's body, no more than ``most`` bytes and no longer than ``seconds``.

    Raises
    ------
    RequestError
        413 for a longer one, 408 for a slower one, 400 for a client that left.
    """
    if length is not None and length.isascii() and length.isdecimal() and int(length[:20]) > most:
        raise _too_long(most)
    chunks, total = [], 0
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestError("the client left", code="left")
                chunks.append(message.get("body", b""))
                total += len(chunks[-1])
                if total > most:
                    raise _too_long(most)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RequestError(
            f"the body did not arrive within {seconds:g} s", code="too_slow", status=408
        ) from None


def unpacked(data: bytes, *, most: int) -> bytes:
    """What gzip packed, no more than ``most`` bytes: a small body may claim to be a large one.

    Raises
    ------
    RequestError
        413 for a longer one, 400 for one that is cut off or no gzip.

    Examples
    --------
    >>> import gzip
    >>> unpacked(gzip.compress(b"[1, 2]"), most=100)
    b'[1, 2]'
    """
    stream = zlib.decompressobj(_GZIP)
    try:
        out = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise RequestError("the body is not gzip, as its head says", code="encoding") from error
    if len(out) > most:
        raise _too_long(most)
    if not stream.eof or stream.unused_data:
        raise RequestError("the body is not one whole gzip member", code="encoding")
    return out


def _too_long(most: int) -> RequestError:
    return RequestError(
        f"the body is longer than {most} bytes; send fewer rows", code="too_long", status=413
    )

"""Runs as they change, for pages that stay open: server-sent events.

What is told comes from the store, so a search in another process is seen as well. The form of an
event is that of the HTML standard, "Server-sent events".
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

from pellucid.view.studio.library import Library

_PAUSE = 1.0  # seconds between looks at the store
_SILENCE = 15.0  # seconds after which a word is said, which finds out who has gone


def events(library: Library, closed: threading.Event) -> Iterator[bytes]:
    """All runs as one event, at once and whenever they are others than before.

    Parameters
    ----------
    library : Library
    closed : threading.Event
        Set when the studio closes; the events end.
    """
    told, since = "", time.monotonic()
    while not closed.is_set():
        now = json.dumps(library.runs(), allow_nan=False)
        if now != told:
            told, since = now, time.monotonic()
            yield f"data: {now}\n\n".encode()
        elif time.monotonic() - since > _SILENCE:
            since = time.monotonic()
            yield b": still here\n\n"
        closed.wait(_PAUSE)

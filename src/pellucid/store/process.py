"""Which process writes a run, so that a run whose process died is not taken for a running one."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from pellucid.store import windows


def own_token() -> str:
    """The host, the process and its start: enough to tell later whether it still lives."""
    return token_of(os.getpid())


def token_of(pid: int) -> str:
    """The same of another process of this host."""
    return f"{socket.gethostname()}/{pid}/{_start(pid)}"


def is_gone(token: str) -> bool:
    """Whether the process is known to have ended; False when that cannot be told from here.

    Examples
    --------
    >>> is_gone(own_token()), is_gone("another-host/1/0")
    (False, False)
    """
    host, _, rest = token.rpartition("/")[0].rpartition("/")
    start = token.rpartition("/")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return False
    if not _lives(int(rest)):
        return True
    return bool(start) and _start(int(rest)) not in ("", start)  # the number was given anew


def _lives(pid: int) -> bool:
    """Whether there is a process of that number, as far as can be told."""
    if sys.platform == "win32":  # where signal 0 would end it
        return windows.look_at(pid).lives
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _stat(pid)[:1] != ["Z"]  # ended, though its parent has not looked yet


def _start(pid: int) -> str:
    """When a process started, in units of the system's; empty where that is not told."""
    if sys.platform == "win32":
        return windows.look_at(pid).began
    facts = _stat(pid)
    return facts[19] if facts else ""


def _stat(pid: int) -> list[str]:
    """What the kernel tells of a process after its name, its state first; empty if nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []

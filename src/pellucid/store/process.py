"""Which process writes a run, so that a run whose process died is not taken for a running one."""

from __future__ import annotations

import os
import socket
from pathlib import Path


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
    if host != socket.gethostname() or not rest.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    if _stat(int(rest))[:1] == ["Z"]:  # ended, though its parent has not looked yet
        return True
    return bool(start) and _start(int(rest)) not in ("", start)  # the number was given anew


def _start(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where that is not told."""
    facts = _stat(pid)
    return facts[19] if facts else ""


def _stat(pid: int) -> list[str]:
    """What the kernel tells of a process after its name, its state first; empty if nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

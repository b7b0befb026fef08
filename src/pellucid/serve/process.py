"""A service's process as seen from outside: started, looked after, ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pellucid.files import write_file
from pellucid.serve.local import FACTS
from pellucid.store.process import is_gone, token_of

LOG = "service.log"
# how to start a process that outlives this one, and its terminal
APART: dict[str, Any] = {}
if sys.platform == "win32":
    APART["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    APART["start_new_session"] = True


def start_process(folder: Path, facts: dict[str, Any]) -> None:
    """Start what a service's facts say, and keep with them which process it is."""
    facts |= {"process": "", "started": datetime.now(UTC).isoformat()}
    write_facts(folder, facts)
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pellucid.serve.local", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **APART,
        )
    facts["process"] = token_of(process.pid)
    write_facts(folder, facts)


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Keep the facts of a service."""
    write_file(folder / FACTS, json.dumps(facts, indent=1).encode())


def end_process(token: str, *, seconds: float = 25.0) -> None:
    """End a service's process and its workers, gently at first."""
    if has_ended(token):
        return
    pid = int(token.split("/")[-2])
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while not has_ended(token):
        if time.monotonic() > deadline:
            _kill(pid)
        time.sleep(0.05)


def _kill(pid: int) -> None:
    """End a process and its workers as they stand."""
    with contextlib.suppress(OSError):  # it has ended meanwhile
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)  # has no gentle way there
        else:
            os.killpg(pid, signal.SIGKILL)


def has_ended(token: str) -> bool:
    """Whether a service's process is known to be no more."""
    if not token:
        return False
    if sys.platform != "win32":
        with contextlib.suppress(ChildProcessError, ValueError):
            os.waitpid(int(token.split("/")[-2]), os.WNOHANG)  # else a child that ended lingers
    return is_gone(token)


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])

"""A service in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def serving(target, *, store=None, options=(), log: Path, env=None):
    port = free_port()
    words = [sys.executable, "-m", "pellucid", "serve", str(target), "--port", str(port)]
    words += ["--max-wait", "30"]  # the tests' machine may be busy
    words += ["--store", str(store)] if store else []
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*words, *map(str, options)], stdout=out, stderr=out, env={**os.environ, **(env or {})}
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    client.process, client.port, client.log = process, port, log
    try:
        for _ in range(900):
            try:
                client.get("/health/ready")
                break
            except httpx.TransportError:
                if process.poll() is not None:
                    raise AssertionError(log.read_text()) from None
                time.sleep(0.1)
        yield client
    finally:
        client.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

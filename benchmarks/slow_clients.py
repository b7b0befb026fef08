"""What 200 clients that never end their requests cost the others of a service.

Sockets are opened to `pellucid serve` that send half a head and no more. One client goes on asking
for single rows meanwhile: the median and the 99th percentile of its answers are told without the
slow ones and with them, and after how many seconds the last of these was closed. Run::

    python benchmarks/slow_clients.py --store FOLDER --json FILE

The store is that of `serve.py --store`. Times mean something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from serve import JSON, ask_for, free_port, read_bank, running

SLOW = 200
MOST = 30.0  # seconds to wait for the last to be closed


def told(times):
    """Milliseconds: median and 99th percentile."""
    return {f"p{q}_ms": round(1e3 * float(np.percentile(times, q)), 2) for q in (50, 99)}


def open_slow(port):
    """Sockets that have sent half a head."""
    slow = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(SLOW)]
    for each in slow:
        each.sendall(b"POST /score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-")
    return slow


def closed(slow):
    """Whether the service has closed each; what it says before that is read."""
    ended = []
    for each in slow:
        each.settimeout(0.0)
        try:
            while each.recv(4096):
                pass
            ended.append(True)
        except BlockingIOError:
            ended.append(False)
        except OSError:
            ended.append(True)
    return all(ended)


def measure(store, home, seconds):
    """Answers without slow clients and with them, and when these were closed."""
    X, _ = read_bank()
    row = json.dumps(json.loads(pd.DataFrame(X[:1]).to_json(orient="records")))
    port = free_port()
    words = [sys.executable, "-m", "pellucid", "serve", "bank@champion"]
    words += ["--port", str(port), "--store", str(store)]
    with running(words, port, "/health/ready", home / "log"):
        ask_for(port, "/score", row, JSON, 1.0)
        without = ask_for(port, "/score", row, JSON, seconds)
        started, slow = time.perf_counter(), open_slow(port)
        beside = ask_for(port, "/score", row, JSON, seconds)
        while not closed(slow) and time.perf_counter() - started < MOST:
            time.sleep(0.1)
        took = time.perf_counter() - started
    return {"alone": told(without), "beside_slow": told(beside), "closed_s": round(took, 1)}


def main():
    """Read the options and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, required=True, help="one that holds bank@champion")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = measure(given.store, Path(home), given.seconds)
    for what, value in found.items():
        print(f"{what:12} {value}")
    if given.json:
        given.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()

"""Send damaged and invented requests to a service and to the studio; count what fails.

    python benchmarks/fuzz_requests.py --requests 5000 --seed 0 --json requests.json

A good request (JSON, CSV, Arrow) is damaged in its bytes or its values, its options, method, path
and headers are changed, and what comes back is held to this: a status below 500, no traceback, and
a good request answered as before every hundred. (An error tells the cell that it is about to who
sent it; logs hold none, which tests/serve/test_service.py sees to.)
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pellucid import AutoMLClassifier
from pellucid.store.artifacts import save_predictor
from pellucid.view.studio.server import Studio

ODD = [None, True, "", "x", -1, 1e308, 2**63, [], {}, [[1]], {"a": 1}, "\0", "NaN", 10**400]
HEADS = ["application/json", "text/csv", "application/vnd.apache.arrow.stream", "text/plain", ""]
PATHS = [
    "/score",
    "/invocations",
    "/v2/models/m/infer",
    "/v2/models/m",
    "/openapi.json",
    "/metrics",
]
OPTIONS = [
    "explain=raw",
    "top=3",
    "top=-1",
    "space=probability",
    "policy=strict",
    "explain=%00",
    "a=b",
]


def bodies(X: pd.DataFrame) -> list[tuple[str, bytes]]:
    """Good requests."""
    rows = json.loads(X.to_json(orient="records", date_format="iso"))
    sink = io.BytesIO()
    table = pa.Table.from_pandas(X, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return [
        (HEADS[0], json.dumps(rows).encode()),
        (HEADS[0], json.dumps({"data": rows}).encode()),
        (HEADS[0], json.dumps({"Inputs": {"data": rows}, "GlobalParameters": 1.0}).encode()),
        (HEADS[1], X.to_csv(index=False).encode()),
        (HEADS[2], sink.getvalue()),
    ]


def changed(kind: str, body: bytes, rng: random.Random) -> bytes:
    """Another value in JSON, or other bytes."""
    if kind == HEADS[0] and rng.random() < 0.6:
        value = json.loads(body)
        at = value
        for _ in range(6):
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(at[key], dict | list) and rng.random() < 0.8:
                at = at[key]
                continue
            at[key] = rng.choice(ODD)
            break
        return json.dumps(value).encode()
    held, at = bytearray(body), rng.randrange(len(body))
    size = 1 << rng.randrange(8)
    held[at : at + size] = rng.choice((b"", rng.randbytes(size), bytes(size), held[at:] * 2))
    return bytes(held)


def send(
    port: int, method: str, path: str, body: bytes, heads: dict[str, str]
) -> tuple[int, bytes]:
    """Status and content; 0 where the connection ended."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, heads)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (http.client.HTTPException, OSError):
        return 0, b""
    finally:
        connection.close()


def fuzz_service(
    port: int, X: pd.DataFrame, times: int, rng: random.Random
) -> tuple[Counter, list]:
    """Statuses, and what was wrong."""
    good, counts, wrong = bodies(X), Counter(), []
    expected = send(port, "POST", "/score", good[0][1], {"Content-Type": HEADS[0]})
    for turn in range(times):
        kind, body = rng.choice(good)
        heads = {"Content-Type": kind if rng.random() < 0.9 else rng.choice(HEADS)}
        if rng.random() < 0.05:
            heads["Content-Encoding"] = rng.choice(["gzip", "br", "identity"])
        path = "/score" if rng.random() < 0.7 else rng.choice(PATHS)
        path += "?" + rng.choice(OPTIONS) if rng.random() < 0.3 else ""
        method = "POST" if rng.random() < 0.9 else rng.choice(["GET", "PUT", "DELETE", "PATCH"])
        status, content = send(port, method, path, changed(kind, body, rng), heads)
        counts[status] += 1
        if status >= 500 or b"Traceback" in content:
            wrong.append((turn, method, path, status, content[:200].decode("latin-1")))
        if turn % 100 == 99:
            again = send(port, "POST", "/score", good[0][1], {"Content-Type": HEADS[0]})
            if again != expected:
                wrong.append((turn, "a good request", again[0]))
    return counts, wrong


def fuzz_studio(studio: Studio, run: str, times: int, rng: random.Random) -> tuple[Counter, list]:
    """The same for the studio's questions."""
    counts, wrong, port = Counter(), [], studio.port
    own = {
        "Host": f"127.0.0.1:{port}",
        "Origin": f"http://127.0.0.1:{port}",
        "Cookie": f"pellucid-studio-{port}={studio.url.partition('token=')[2]}",
        "Content-Type": HEADS[0],
    }
    good = json.dumps({"cells": {"age": 40, "job": "cook"}}).encode()
    paths = [
        f"/api/runs/{run}/{end}" for end in ("explain", "form", "form?row=3", "explanation.csv")
    ]
    paths += ["/api/runs", f"/api/runs/{run}", "/api/compare", f"/runs/{run}/report", "/api/x"]
    for turn in range(times):
        path = paths[0] if rng.random() < 0.7 else rng.choice(paths)
        if rng.random() < 0.1:
            at = rng.randrange(len(path))
            path = path[:at] + rng.choice("/.%?&\\;~") + path[at:]
        method = "POST" if path == paths[0] else rng.choice(["GET", "GET", "POST"])
        body = changed(HEADS[0], good, rng) if method == "POST" else b""
        status, content = send(port, method, path, body, own)
        counts[status] += 1
        if status >= 500 or b"Traceback" in content:
            wrong.append((turn, method, path, status, content[:200].decode("latin-1")))
    return counts, wrong


def main() -> None:
    """Fuzz both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng, chance = random.Random(options.seed), np.random.default_rng(0)
    X = pd.DataFrame(
        {"age": chance.integers(18, 80, 200), "job": chance.choice(["cook", "maid"], 200)}
    )
    y = np.where(X["age"] + 20 * (X["job"] == "cook") > 55, "yes", "no")
    with tempfile.TemporaryDirectory() as home:
        fit = AutoMLClassifier(
            time_budget=None, max_trials=3, n_jobs=1, store=f"{home}/store",
            allowed_families=["linear", "lightgbm"],
        )  # fmt: skip
        clf = fit.fit(X, y)
        save_predictor(clf.predictor_, f"{home}/model")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        words = [
            sys.executable,
            "-m",
            "pellucid",
            "serve",
            f"{home}/model",
            "--port",
            str(port),
        ]
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen([*words, "--name", "m"], stdout=nowhere, stderr=nowhere)
        try:
            while not send(port, "GET", "/health/ready", b"", {})[0] and process.poll() is None:
                time.sleep(0.2)
            served = fuzz_service(port, X.head(3), options.requests, rng)
        finally:
            process.terminate()
            process.wait(30)
        with Studio(f"{home}/store") as studio:
            assert clf.run_ is not None
            looked = fuzz_studio(studio, clf.run_.id, options.requests // 5, rng)
    for name, (counts, wrong) in {"service": served, "studio": looked}.items():
        told = ", ".join(f"{n} x {status}" for status, n in sorted(counts.items()))
        print(f"{name:<8} {sum(counts.values())} requests, {len(wrong)} wrong: {told}")
        for each in wrong[:10]:
            print("  ", each)
    if options.json:
        options.json.write_text(json.dumps({"service": served, "studio": looked}, indent=1))


if __name__ == "__main__":
    main()

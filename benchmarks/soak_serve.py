"""Minutes of mixed load on a service whose model changes and whose worker is killed meanwhile.

Clients ask `pellucid serve` over loopback for one row, for batches in JSON, Arrow and CSV, for
predictions alone, and for what must be refused. Each answer is held, bit for bit, to what the model
version that it names says of these rows. A quarter of the way the alias moves to another version,
half of the way a worker is killed (SIGKILL), after three quarters the alias moves back. Memory and
open files of every worker are looked at each five seconds. Run::

    python benchmarks/soak_serve.py                    # 10 minutes, 100 requests a second
    python benchmarks/soak_serve.py --seconds 60 --store FOLDER --json FILE

The store is that of `serve.py --store`, or is trained first. A request is lost when its connection
ends without an answer; it is then asked again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from serve import ARROW, JSON, arrow_of, free_port, read_bank, running, store_of

N_ROWS = 200  # that are asked for, again and again
BATCH = 100


def expected(model, frame):
    """What a version says of rows: predictions, probabilities and importances of both levels."""
    told = model.explain(frame)
    return {
        "predictions": told.details["predicted"],
        "probabilities": np.array(told.details["probability"]),
        "raw": told.values,
        "engineered": told.engineered.values,
    }


def bodies(frame):
    """The requests of the mix: weight, path, body, headers, rows, status."""
    rows = json.loads(frame.to_json(orient="records"))
    batch, text = slice(0, BATCH), {"Content-Type": "text/csv"}
    bad = [{**rows[0], next(iter(rows[0])): "not a number"}]
    return [
        *((6, "/score", json.dumps(rows[k : k + 1]), JSON, slice(k, k + 1), 200)
          for k in range(N_ROWS)),
        *((2, "/score?explain=none", json.dumps([rows[k]]), JSON, slice(k, k + 1), 200)
          for k in range(N_ROWS)),
        (60, "/score", json.dumps(rows[batch]), JSON, batch, 200),
        (40, "/score?explain=raw", arrow_of(frame[batch]), {"Content-Type": ARROW}, batch, 200),
        (20, "/score?explain=none", frame[batch].to_csv(index=False), text, batch, 200),
        (40, "/score", json.dumps(bad), JSON, None, 422),
        (40, "/score", '[{"a": NaN}]', JSON, None, 400),
    ]  # fmt: skip


def is_right(answer, rows, truth):
    """Whether an answer has the bits of the version that it names."""
    own = truth[answer["model"]["version"]]
    right = answer["predictions"] == own["predictions"][rows]
    right &= np.array_equal(answer["probabilities"], own["probabilities"][rows])
    for level in ("raw", "engineered"):
        key = f"{level}_local_importance_values"
        if key in answer:
            right &= np.array_equal(answer[key], own[level][rows])
    return bool(right)


def client(port, frame, truth, rate, until, seed):
    """Ask at a rate until a time; counts, and the times of answers to one row."""
    counts, times, rng = Counter(), [], random.Random(seed)
    mix = bodies(frame)
    weights = [weight for weight, *_ in mix]
    connection, due = None, time.monotonic()
    while time.monotonic() < until:
        due += rng.expovariate(rate)
        time.sleep(max(0.0, due - time.monotonic()))
        _, path, body, headers, rows, status = rng.choices(mix, weights)[0]
        for _ in range(20):
            connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            started = time.perf_counter()
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException):
                counts["lost and asked again"] += 1
                connection.close()
                connection = None
                time.sleep(0.05)
                continue
            if rows is not None and rows.stop - rows.start == 1:
                times.append(1e3 * (time.perf_counter() - started))
            counts[f"status {answer.status}"] += 1
            if answer.status == 503:  # refused, not accepted
                time.sleep(1)
                continue
            if answer.status != status:
                counts["unexpected status"] += 1
            elif status == 200:
                told = json.loads(data)
                counts[f"version {told['model']['version']}"] += 1
                counts["wrong"] += not is_right(told, rows, truth)
            break
    return counts, times


def workers_of(pid):
    """Process ids of a service's workers."""
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def look(pid):
    """Resident megabytes, and open files."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def watch(process, registry, seconds, log):
    """Move the alias, kill a worker, and look at memory meanwhile; what was seen."""
    events = {
        0.25: ("alias moves", lambda: registry.promote("bank/2", alias="soak")),
        0.5: ("worker killed", lambda: os.kill(workers_of(process.pid)[0], signal.SIGKILL)),
        0.75: ("alias moves back", lambda: registry.promote("bank/1", alias="soak")),
    }
    started, seen, told = time.monotonic(), [], []
    while (now := time.monotonic() - started) < seconds:
        for share in [share for share in events if now >= share * seconds]:
            name, act = events.pop(share)
            act()
            told.append((round(now), name))
            log(f"{now:5.0f} s  {name}")
        for pid in workers_of(process.pid):
            try:
                seen.append((now, pid, *look(pid)))
            except (OSError, StopIteration):
                continue
        time.sleep(5)
    return told, pd.DataFrame(seen, columns=["second", "pid", "mb", "files"])


def main():
    """Serve, load, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--store", type=Path, help="one that holds bank/1")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    import pellucid
    from pellucid.store.registry import Registry

    X, y = read_bank()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = store_of(options.store, home, X, y)
        registry = Registry(store)
        run = pellucid.load_run(registry.get("bank/1").run_id, store=store)
        if len(registry.versions("bank")) < 2:
            registry.register(run, "bank", iteration=2)
        registry.promote("bank/1", alias="soak")
        frame = X.sample(N_ROWS, random_state=0).reset_index(drop=True)
        truth = {str(v): expected(pellucid.load(f"bank/{v}", store=store), frame) for v in (1, 2)}
        port = free_port()
        words = [sys.executable, "-m", "pellucid", "serve", "bank@soak", "--store", str(store),
                 "--port", str(port), "--workers", "2", "--log", str(home / "log")]  # fmt: skip
        with running(words, port, "/health/ready", home / "serve.log") as (_, process):
            time.sleep(3)  # both workers
            until = time.monotonic() + options.seconds
            rate = options.rate / options.clients
            with multiprocessing.get_context("fork").Pool(options.clients) as pool:
                work = [(port, frame, truth, rate, until, k) for k in range(options.clients)]
                asked = pool.starmap_async(client, work)
                told, seen = watch(process, registry, options.seconds, print)
                parts = asked.get(120)
        logged = sum(len(pd.read_parquet(path)) for path in (home / "log").rglob("*.parquet"))
    counts = sum((part for part, _ in parts), Counter())
    times = np.concatenate([part for _, part in parts])
    facts = {
        "seconds": options.seconds,
        **dict(sorted(counts.items())),
        "one row, p50 ms": float(np.percentile(times, 50)),
        "one row, p99 ms": float(np.percentile(times, 99)),
        "one row, longest ms": float(times.max()),
        "rows logged": logged,
        "events": told,
        "workers": {
            str(pid): {
                "MB after a minute, at the middle, at the end": [
                    round(float(mb), 1) for mb in (
                        part["mb"][part["second"] >= part["second"].min() + 60].head(1).sum(),
                        part["mb"].iloc[len(part) // 2], part["mb"].iloc[-1],
                    )
                ],
                "most": round(float(part["mb"].max()), 1),
                "files": [int(part["files"].min()), int(part["files"].max())],
            }
            for pid, part in seen.groupby("pid")
        },
    }  # fmt: skip
    for name, value in facts.items():
        print(f"{name:<26}{value}")
    if options.json:
        Path(options.json).write_text(json.dumps(facts, indent=1))
    sys.exit(bool(counts["wrong"] or counts["unexpected status"]))


if __name__ == "__main__":
    main()

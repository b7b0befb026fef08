"""Minutes of training, explaining, serving and the studio together, under a limit of memory.

One store. A service answers from it and a studio shows it, while turn after turn a model is
trained, a table is explained by a run and a version is registered, which moves the alias that is
served. Every prediction is held to what the model version that it names says of the row; every
command must end well and show no traceback; pages of the studio must come. Each process may have
only so much memory. What service and studio hold is looked at each turn. Run::

    python benchmarks/soak.py                       # 30 minutes
    python benchmarks/soak.py --quick --json FILE   # 1 minute
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from serve import free_port, memory_mb, running

COLUMNS, ASKED = 6, 20
CLI = [sys.executable, "-W", "ignore", "-m", "pellucid"]


def table(n, seed):
    """Rows of numbers and words whose answer depends on both."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(COLUMNS)})
    X["town"] = rng.choice(["Łódź", "Rome", "Oslo"], n)
    kept = X["x0"] + X["x1"] * (X["town"] == "Rome") > 0
    return X.assign(y=np.where(kept, "stays", "goes"))


def command(*words):
    """Run a command of Pellucid's; "" when it ended well, else what it said."""
    done = subprocess.run([*CLI, *map(str, words)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return "" if done.returncode == 0 and "Traceback" not in said else said[-500:]


def train(home, turn):
    """Train, explain and register once; what went wrong, by command."""
    store, why = ("--store", home / "store"), home / f"why{turn}.parquet"
    wanted = ("--target", "y", "--trials", 3, "--seed", turn)
    yield "train", command("train", home / "t.csv", *wanted, *store)
    yield "explain", command("explain", "latest", home / "t.csv", "-o", why, *store)
    why.unlink(missing_ok=True)
    yield "register", command("register", "latest", "m", "--alias", "champion", *store)


def ask(port, rows, truths, store):
    """Ask for each row; answers that are not those of the version that they name."""
    from pellucid.store.registry import load

    wrong = 0
    for i, row in enumerate(rows):
        body = json.dumps([row]).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/score", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.loads(answer.read())
        version = told["model"]["version"]
        if version not in truths:
            truths[version] = load(f"m/{version}", store=store).predict(pd.DataFrame(rows)).tolist()
        wrong += told["predictions"][0] != truths[version][i]
    return wrong


def look(opener, address, runs):
    """Open pages of the studio as a browser does; those that did not come."""
    pages = ["/api/runs", *(f"/runs/{run}/report" for run in runs)]
    wrong = 0
    for page in pages:
        with opener.open(address + page, timeout=60) as answer:
            wrong += answer.status != 200 or b"Traceback" in answer.read()
    return len(pages), wrong


def held(pid):
    """Megabytes and open files of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    files = sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in (pid, *children))
    return round(memory_mb(pid), 1), files


def soak(home, seconds):
    """The whole; counts of what was done and of what went wrong, and what was held each turn."""
    from pellucid.store.runs import Store

    frame = table(600, 0)
    frame.to_csv(home / "t.csv", index=False)
    rows = json.loads(frame.drop(columns="y")[:ASKED].to_json(orient="records"))
    store, counts, wrong, truths, memory = home / "store", Counter(), [], {}, []
    for what, error in train(home, 0):
        if error:
            sys.exit(f"{what}: {error}")
    port, studio_port = free_port(), free_port()
    serving = [*CLI, "serve", "m@champion", "--port", str(port), "--store", str(store)]
    studio = subprocess.Popen(
        [*CLI, "studio", "--no-browser", "--port", str(studio_port), "--store", str(store)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = None
        while address is None:
            address = re.search(r"(http://\S+?)/\?token=\S+", studio.stdout.readline())
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        opener.open(address[0], timeout=60).read()
        with running(serving, port, "/health/ready", home / "log") as (_, process):
            until, turn = time.monotonic() + seconds, 0
            while time.monotonic() < until:
                turn += 1
                for what, error in train(home, turn):
                    counts[what] += 1
                    wrong += [f"{what}: {error}"] * bool(error)
                    n_wrong = ask(port, rows, truths, store)
                    counts["answers"] += len(rows)
                    wrong += ["an answer of another model"] * n_wrong
                    runs = [run.id for run in Store(store).runs() if run.status == "FINISHED"]
                    n_pages, n_wrong = look(opener, address[1], runs[:2])
                    counts["pages"] += n_pages
                    wrong += ["a page of the studio"] * n_wrong
                memory.append({"service": held(process.pid), "studio": held(studio.pid)})
                print(turn, dict(counts), memory[-1], flush=True)
        wrong += ["a traceback in the log"] * ("Traceback" in (home / "log").read_text())
    finally:
        studio.terminate()
        studio.wait(30)
    return counts, wrong, memory


def main():
    """Read the options, set the limit, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--quick", action="store_true", help="one minute")
    parser.add_argument("--memory-gb", type=float, default=2.0, help="of data, each process")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    limit = int(given.memory_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    os.environ["PELLUCID_STORE"] = ""
    with tempfile.TemporaryDirectory() as home:
        counts, wrong, memory = soak(Path(home), 60 if given.quick else 60 * given.minutes)
    for what, number in counts.items():
        print(f"{what:10} {number:8}")
    for who in ("service", "studio"):
        first, last = memory[min(1, len(memory) - 1)][who], memory[-1][who]
        print(f"{who}: {first[0]} to {last[0]} MB, {first[1]} to {last[1]} open files")
    print(f"{len(wrong)} wrong", *wrong[:5], sep="\n")
    if given.json:
        facts = {"counts": counts, "wrong": wrong, "memory": memory}
        given.json.write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()

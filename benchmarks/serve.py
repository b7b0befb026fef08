"""The service, measured from outside: one row, many requests, large batches, over loopback.

A model of Bank Marketing is trained for a minute and registered; `pellucid serve` runs it in
processes of its own, and clients of Python's own ``http.client`` ask for the prediction and both
importances. They share the machine with the service, as nothing here is measured across a network.
The first answer is held against `clf.explain`, bit for bit. Beside it, in the same run, MLflow's
``mlflow models serve`` answers with LightGBM (200 trees, fewer than ours) and shap's values of one
row a request. Run::

    python benchmarks/serve.py                  # a minute of training, two of measuring
    python benchmarks/serve.py --quick          # 15 s of training, no peer, under a minute
    python benchmarks/serve.py --store FOLDER   # of an earlier run, whose bank@champion is served
    python benchmarks/serve.py --json FILE

Other programs on the machine lengthen the times; ``cpu ms``, the service's own processor time for a
request, stays.

The frame is that of ``../shared/data/bank_additional`` beside the repository; where it is absent, a
made one of the same shape takes its place.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "bank_additional"
JSON = {"Content-Type": "application/json"}
ARROW = "application/vnd.apache.arrow.stream"


def read_bank():
    """Bank Marketing, or a table of its shape: (rows, labels)."""
    if SHARED.is_dir():
        frame = pd.read_parquet(next(SHARED.glob("*.parquet")))
        return frame.drop(columns="y"), frame["y"]
    print("bank_additional is not beside the repository; a made table takes its place")
    rng = np.random.default_rng(0)
    n = 40_000
    frame = pd.DataFrame({f"n{i}": rng.normal(size=n).round(3) for i in range(10)})
    frame = frame.assign(**{f"c{i}": rng.choice(list("abcdefgh"), n) for i in range(10)})
    margin = frame["n0"] * frame["n1"] + (frame["c0"] == "a") - (frame["c1"] < "d") - 1.5
    return frame, pd.Series(np.where(rng.random(n) < 1 / (1 + np.exp(-margin)), "yes", "no"))


def store_of(given, home, X, y, *, seconds=60):
    """A store that holds bank@champion: the given one, or one below ``home`` after a search."""
    if given is not None:
        return given
    import pellucid

    clf = pellucid.AutoMLClassifier(time_budget=seconds, store=home / "store").fit(X, y)
    clf.run_.register("bank", alias="champion")
    return home / "store"


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(words, port, health, log):
    """A server as a process; gives seconds until it answered, and its process."""
    started = time.perf_counter()
    with Path(log).open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)
    try:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", health)
                if connection.getresponse().status == 200:
                    break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(Path(log).read_text()) from None
            time.sleep(0.05)
        yield time.perf_counter() - started, process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def memory_mb(pid):
    """Megabytes of a process and its children; what several have counts in parts in each (PSS)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0.0
    for each in (pid, *children):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total


def cpu_seconds(pid):
    """Processor time of a process and its children."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            facts = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == pid or int(facts[1]) == pid:
            total += int(facts[11]) + int(facts[12])
    return total / os.sysconf("SC_CLK_TCK")


def measured(pid, port, path, body, headers, seconds):
    """Times of answers over one connection, and what each cost the service in processor time."""
    before = cpu_seconds(pid)
    times = ask_for(port, path, body, headers, seconds)
    return {**told(times), "cpu_ms": 1e3 * (cpu_seconds(pid) - before) / len(times)}


def ask_for(port, path, body, headers, seconds):
    """Ask over one connection for some seconds; the time of each answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times, deadline = [], time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(times) < 3:
        started = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        times.append(time.perf_counter() - started)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {data[:500]!r}")
    return times


def load(port, path, body, seconds, connections, headers=JSON):
    """Ask over several connections, each in a process: times of all, and requests a second."""
    with multiprocessing.get_context("fork").Pool(connections) as pool:
        started = time.perf_counter()
        work = (port, path, body, headers, seconds)
        times = [t for part in pool.starmap(ask_for, [work] * connections) for t in part]
        return times, len(times) / (time.perf_counter() - started)


def told(times):
    """Median and 99th percentile in milliseconds."""
    return {"p50_ms": 1e3 * float(np.percentile(times, 50)),
            "p99_ms": 1e3 * float(np.percentile(times, 99))}  # fmt: skip


def arrow_of(frame):
    """A frame as an Arrow stream."""
    import pyarrow as pa

    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def check(port, body, explanation):
    """Hold one answer to what the model itself explains."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/score", body, JSON)
    answer = json.loads(connection.getresponse().read())
    for level, own in (("raw", explanation), ("engineered", explanation.engineered)):
        if not np.array_equal(answer[f"{level}_local_importance_values"], own.values):
            raise SystemExit(f"the service's {level} importances are not those of explain")


def measure_ours(home, store, rows, explanation, seconds):
    """Every figure of our own service."""
    row = rows[:1].to_json(orient="records").encode()
    batch = rows.to_json(orient="records").encode()
    arrow = (arrow_of(rows), {"Content-Type": ARROW})
    batches = {"JSON": (batch, JSON), "Arrow": arrow}
    figures = {}
    for workers in (1, 2):
        port = free_port()
        words = [sys.executable, "-m", "pellucid", "serve", "bank@champion", "--store",
                 str(store), "--port", str(port), "--workers", str(workers)]  # fmt: skip
        with running(words, port, "/health/ready", home / "serve.log") as (ready, process):
            check(port, row, explanation)
            ask_for(port, "/score", row, JSON, 0.5)
            if workers == 1:
                figures["seconds until ready"] = {"value": ready}
                figures["one row, both importances"] = measured(
                    process.pid, port, "/score", row, JSON, seconds
                )
                figures["one row, raw importances"] = measured(
                    process.pid, port, "/score?explain=raw", row, JSON, seconds
                )
                figures["one row, prediction alone"] = measured(
                    process.pid, port, "/score?explain=none", row, JSON, seconds
                )
            for name, (body, kind) in batches.items():  # as many clients as workers
                before = cpu_seconds(process.pid)
                times, rate = load(port, "/score", body, seconds, workers, kind)
                spent = (cpu_seconds(process.pid) - before) / len(times)
                figures[f"{len(rows)} rows in {name}, both, {workers} at once"] = {
                    "rows_a_second": len(rows) * rate,
                    "best": workers * len(rows) / min(times),
                    "rows_a_cpu_second": len(rows) / spent,
                }
            for connections in (1, 4) if workers == 1 else (4, 8):
                times, rate = load(port, "/score", row, seconds, connections)
                name = f"{workers} worker{'s' * (workers > 1)}, {connections} connections"
                figures[name] = {"requests_a_second": rate, **told(times)}
            name = f"MB after that, {workers} worker{'s' * (workers > 1)}"
            figures[name] = {"value": memory_mb(process.pid)}
    return figures


PEER = """
import lightgbm, pandas as pd, shap

class Model:
    def __init__(self, path):
        self.booster = lightgbm.Booster(model_file=path)
        self.explainer = shap.TreeExplainer(self.booster)
        self.levels = self.booster.pandas_categorical

    def predict(self, rows, params=None):
        words = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
        rows = rows.copy()
        for name, levels in zip(words, self.levels):
            rows[name] = pd.Categorical(rows[name], categories=levels)
        out = pd.DataFrame(self.explainer.shap_values(rows), columns=rows.columns)
        out.insert(0, "prediction", self.booster.predict(rows))
        return out

def _load_pyfunc(path):
    return Model(path)
"""


def measure_mlflow(home, X, y, rows, seconds):
    """MLflow's scoring server with shap inside, one row a request."""
    import lightgbm

    folder = home / "peer"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "peer_loader.py").write_text(PEER)
    words = [name for name in X if not pd.api.types.is_numeric_dtype(X[name])]
    X = X.assign(**{name: X[name].astype("category") for name in words})
    model = lightgbm.LGBMClassifier(n_estimators=200, verbose=-1, n_jobs=1).fit(X, y)
    model.booster_.save_model(folder / "model.txt")
    flavor = {"loader_module": "peer_loader", "data": "model.txt", "code": "code"}
    (folder / "MLmodel").write_text(json.dumps({"flavors": {"python_function": flavor}}))
    port = free_port()
    body = json.dumps(
        {"dataframe_split": json.loads(rows[:1].to_json(orient="split", index=False))}
    )
    words = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder), "--env-manager",
             "local", "--port", str(port), "--workers", "1"]  # fmt: skip
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it calls uvicorn
    with running(words, port, "/ping", home / "peer.log") as (ready, process):
        path = "/invocations"
        ask_for(port, path, body, JSON, 0.5)
        times, rate = load(port, path, body, seconds, 4)
        return {
            "seconds until ready": {"value": ready},
            "one row, prediction and shap": measured(process.pid, port, path, body, JSON, seconds),
            "1 worker, 4 connections": {"requests_a_second": rate, **told(times)},
            "MB after that": {"value": memory_mb(process.pid)},
        }


def show(title, figures):
    """Print figures as a table."""
    print(f"\n{title}")
    for name, values in figures.items():
        cells = "  ".join(f"{key.replace('_', ' ')} {value:,.2f}" for key, value in values.items())
        print(f"  {name:<34}{cells.replace('value ', '')}")


def main():
    """Train, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--store", type=Path, help="one that holds bank@champion: no training")
    options = parser.parse_args()
    import pellucid

    X, y = read_bank()
    seconds = 2.0 if options.quick else 8.0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = store_of(options.store, home, X, y, seconds=15 if options.quick else 60)
        model = pellucid.load("bank@champion", store=store)
        print(f"model: {', '.join(model.ensemble.names)}")
        rows = X.sample(1000, random_state=0)
        results = {"pellucid": measure_ours(home, store, rows, model.explain(rows[:1]), seconds)}
        show("pellucid serve", results["pellucid"])
        if not options.quick:
            results["mlflow"] = measure_mlflow(home, X, y, rows, seconds)
            show("mlflow models serve, LightGBM of 200 trees and shap", results["mlflow"])
    if options.json:
        facts = {"model": list(model.ensemble.names), "cores": os.cpu_count()}
        Path(options.json).write_text(json.dumps({**facts, "figures": results}, indent=1))


if __name__ == "__main__":
    main()

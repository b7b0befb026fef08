"""Exact Shapley values: rows per second, one row, memory, compile time, against named peers.

All in one run on one thread, in CPU time, 50 columns, 100 background rows. Peers that are not
installed are named and skipped; slow ones explain fewer rows, and say how many. "tables" are the
bytes of ours, "peak" is what the process grew by at most while it compiled and explained (Linux
only). Run::

    python benchmarks/shapley.py            # all sizes, a few minutes
    python benchmarks/shapley.py --quick    # the smallest size, under a minute
    python benchmarks/shapley.py --trees 500 --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import lightgbm as lgb
import numpy as np

from pellucid import shapley

N_COLUMNS, N_BACKGROUND = 50, 100
# what a call costs beyond its rows, or a block of rows beyond one, needs all of them to be fair
WHOLE = ("woodelf", "pellucid")
LIBRARIES = ("LightGBM", "XGBoost", "CatBoost")
SIZES = ((100, 31), (500, 63), (300, 255))


def rows(n, seed):
    """Standard normal columns."""
    return np.random.default_rng(seed).normal(size=(n, N_COLUMNS)).astype(np.float32)


def target(X, seed=1):
    """Additive and interacting effects of thirty columns, and noise."""
    noise = np.random.default_rng(seed).normal(size=len(X))
    return (
        X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3:10].sum(axis=1)
        + X[:, 10] * X[:, 11] * (X[:, 12] > 0) + 0.3 * np.abs(X[:, 13:30]).sum(axis=1) + noise
    )  # fmt: skip


def seconds(task, repeats=3):
    """CPU time, the best of a few runs: the others measure the neighbours."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def one_row(task, X, repeats=400, budget=5.0):
    """Median and 99th percentile of explaining one row, warm, over different rows."""
    times, end = [], time.perf_counter() + budget
    for i in range(repeats):
        times.append(seconds(lambda i=i: task(X[i : i + 1]), 1))
        if time.perf_counter() > end:
            break
    return float(np.median(times)), float(np.quantile(times, 0.99))


def n_bytes(item):
    """Bytes of all arrays in a tree of dataclasses."""
    if isinstance(item, np.ndarray):
        return item.nbytes
    if isinstance(item, tuple):
        return sum(map(n_bytes, item))
    return sum(n_bytes(getattr(item, f.name)) for f in fields(item)) if is_dataclass(item) else 0


def memory_now():
    """Bytes of this process, its peak being counted anew from here; None where none can say."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def measure(name, setup, X, budget):
    """Time one explainer: how long it takes to make, and how many rows it does in ``budget``."""
    before = memory_now()
    start = time.process_time()
    task = setup()
    made = time.process_time() - start
    n = 10
    task(X[:n])  # loads and compiles
    pace = seconds(lambda: task(X[:n]), 1) / n
    n = int(np.clip(budget / max(pace, 1e-9), 10, len(X)))
    if name.startswith(WHOLE):
        n = len(X)
    took = seconds(lambda: task(X[:n]), 1)
    grown = None if before is None else max(0, _status("VmHWM") - before)
    if took < 2 * budget:
        took = min(took, seconds(lambda: task(X[:n]), 2))
    median, p99 = one_row(task, X, budget=budget)
    tables = getattr(task, "__self__", None)
    return {
        "explainer": name, "rows": n, "rows_per_second": n / took, "compile_seconds": made,
        "one_row_ms": 1e3 * median, "one_row_p99_ms": 1e3 * p99, "peak_bytes": grown,
        "table_bytes": n_bytes(tables) if is_dataclass(tables) else None,
    }  # fmt: skip


def train(size, X, y):
    """One model of each library that is installed, of as many trees and about as many leaves."""
    n_trees, n_leaves = size
    params = {"num_leaves": n_leaves, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1}
    models = {"LightGBM": lgb.train(params, lgb.Dataset(X, y), n_trees)}
    with suppress(ImportError):
        import xgboost

        params = {
            "max_leaves": n_leaves, "max_depth": 0, "tree_method": "hist", "eta": 0.05,
            "grow_policy": "lossguide", "nthread": 1,
        }  # fmt: skip
        models["XGBoost"] = xgboost.train(params, xgboost.DMatrix(X, y, nthread=1), n_trees)
    with suppress(ImportError):
        import catboost

        models["CatBoost"] = catboost.CatBoostRegressor(
            iterations=n_trees, depth=int(np.log2(n_leaves + 1)), verbose=False, thread_count=1,
            allow_writing_files=False,
        ).fit(X, y)  # fmt: skip
    return models


def own(model, background):
    """Setups of the two games."""
    return [
        ("pellucid interventional", lambda: shapley.compile(model, background=background).values),
        ("pellucid path-dependent", lambda: shapley.compile(model).values),
    ]


def of_library(library, model):
    """The library's own explainer of its own model."""
    if library == "LightGBM":
        return (
            "LightGBM pred_contrib",
            lambda: lambda rows: model.predict(rows, pred_contrib=True, num_threads=1),
        )
    if library == "XGBoost":
        from xgboost import DMatrix

        return (
            "XGBoost pred_contribs",
            lambda: lambda rows: model.predict(DMatrix(rows, nthread=1), pred_contribs=True),
        )
    from catboost import Pool

    return (
        "CatBoost ShapValues",
        lambda: (
            lambda rows: model.get_feature_importance(Pool(rows), type="ShapValues", thread_count=1)
        ),
    )


def others(model, background):
    """Setups of explainers of LightGBM models; a missing package raises when it is set up."""

    def by_shap(rows=None):
        import shap

        game = "tree_path_dependent" if rows is None else "interventional"
        explainer = shap.TreeExplainer(model, rows, feature_perturbation=game)
        return lambda rows: explainer.shap_values(rows, check_additivity=False)

    def woodelf():
        import pandas as pd
        from woodelf import WoodelfExplainer

        names = [f"Column_{i}" for i in range(N_COLUMNS)]
        explainer = WoodelfExplainer(model, pd.DataFrame(background, columns=names))
        return lambda rows: explainer.shap_values(pd.DataFrame(rows, columns=names))

    def fasttreeshap():
        import fasttreeshap

        explainer = fasttreeshap.TreeExplainer(model, algorithm="auto", n_jobs=1)
        return lambda rows: explainer.shap_values(rows, check_additivity=False)

    return [
        ("shap interventional", lambda: by_shap(background)),
        ("shap path-dependent", by_shap),
        ("woodelf, background", woodelf),
        ("fasttreeshap", fasttreeshap),
    ]


def run(size, n_rows, budget):
    """All explainers on one size of model."""
    X_train = rows(10_000, 0)
    models = train(size, X_train, target(X_train))
    background, X = rows(N_BACKGROUND, 2), rows(n_rows, 3)
    results = []
    for library in LIBRARIES:
        if library not in models:
            record = {"explainer": library, "skipped": "not installed"}
            results.append(report(record, size, library))
            continue
        model = models[library]
        everyone = [*own(model, background), of_library(library, model)]
        everyone += others(model, background) if library == "LightGBM" else []
        for name, setup in everyone:
            try:
                record = measure(name, setup, X, budget)
            except ImportError as error:
                record = {"explainer": name, "skipped": f"not installed: {error.name}"}
            except Exception as error:
                reason = f"{type(error).__name__}: {str(error)[:80]}"
                record = {"explainer": name, "skipped": f"failed: {reason}"}
            results.append(report(record, size, library))
    return results


def report(record, size, library):
    """Print a row of the table, and give its record."""
    n_trees, n_leaves = size
    record = {"model": f"{library}, {n_trees} x {n_leaves}", **record}
    print(line(record), flush=True)
    return record


def line(record):
    """One row of the table."""
    head = f"| {record['model']} | {record['explainer']} "
    if "skipped" in record:
        return head + f"| {record['skipped']} | | | | | | |"
    tables, peak = (
        "" if record[key] is None else f"{record[key] / 2**20:,.0f}"
        for key in ("table_bytes", "peak_bytes")
    )
    return head + (
        f"| {record['rows_per_second']:,.0f} | {record['rows']:,} | {record['one_row_ms']:.3f} "
        f"| {record['one_row_p99_ms']:.3f} | {record['compile_seconds']:.2f} | {tables} | {peak} |"
    )


def versions():
    """What was measured."""
    found = {}
    for name in (
        "lightgbm", "numba", "xgboost", "xgboost-cpu", "catboost", "shap", "woodelf-explainer",
        "fasttreeshap",
    ):  # fmt: skip
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main():
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the smallest model, fewer rows")
    parser.add_argument("--trees", type=int, help="only the model with so many trees")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    shapley.warmup()
    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    print(
        "| model | explainer | rows/s | rows | one row ms | p99 ms | compile s | tables MiB "
        "| peak MiB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    results = []
    for size in SIZES[:1] if options.quick else SIZES:
        if options.trees not in (None, size[0]):
            continue
        results += run(size, 10_000, 0.5 if options.quick else 4.0)
    if options.json:
        document = {"versions": versions(), "results": results}
        Path(options.json).write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

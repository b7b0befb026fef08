"""Exact Shapley values: rows per second, one row, compile time, against named peers in one run.

One thread, 50 columns, 100 background rows. Peers that are not installed are named and skipped;
peers that are slow explain fewer rows, and say how many. Run::

    python benchmarks/shapley.py            # all sizes, a few minutes
    python benchmarks/shapley.py --quick    # the smallest size, under a minute
    python benchmarks/shapley.py --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import time
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
WHOLE = ("woodelf, background", "pellucid interventional", "pellucid path-dependent")
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
    """Best of a few runs: the others measure the neighbours."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def one_row(task, X, repeats=200, budget=5.0):
    """Median and 99th percentile of explaining one row, warm, over different rows."""
    times, end = [], time.perf_counter() + budget
    for i in range(repeats):
        start = time.perf_counter()
        task(X[i : i + 1])
        times.append(time.perf_counter() - start)
        if time.perf_counter() > end:
            break
    return float(np.median(times)), float(np.quantile(times, 0.99))


def measure(name, setup, X, budget):
    """Time one explainer: how long it takes to make, and how many rows it does in ``budget``."""
    start = time.perf_counter()
    task = setup()
    made = time.perf_counter() - start
    n = 10
    task(X[:n])  # loads and compiles
    pace = seconds(lambda: task(X[:n]), 1) / n
    n = int(np.clip(budget / max(pace, 1e-9), 10, len(X)))
    if name in WHOLE:
        n = len(X)
    took = seconds(lambda: task(X[:n]), 1)
    if took < 2 * budget:
        took = min(took, seconds(lambda: task(X[:n]), 2))
    median, p99 = one_row(task, X, budget=budget)
    return {
        "explainer": name, "rows": n, "rows_per_second": n / took, "compile_seconds": made,
        "one_row_ms": 1e3 * median, "one_row_p99_ms": 1e3 * p99,
    }  # fmt: skip


def own(model, background):
    """Setups of the two games."""

    def interventional():
        return shapley.compile(model, background=background).values

    def path_dependent():
        return shapley.compile(model).values

    return [
        ("pellucid interventional", interventional),
        ("pellucid path-dependent", path_dependent),
    ]


def peers(model, background, size, X, y):
    """Setups of the peers; a missing package raises ImportError when it is set up."""
    n_trees, n_leaves = size

    def lightgbm():
        return lambda rows: model.predict(rows, pred_contrib=True, num_threads=1)

    def xgboost():
        import xgboost

        params = {
            "max_leaves": n_leaves, "max_depth": 0, "tree_method": "hist", "eta": 0.05,
            "grow_policy": "lossguide", "nthread": 1,
        }  # fmt: skip
        booster = xgboost.train(params, xgboost.DMatrix(X, y, nthread=1), n_trees)
        return lambda rows: booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)

    def catboost():
        from catboost import CatBoostRegressor, Pool

        depth = int(np.log2(n_leaves + 1))
        fitted = CatBoostRegressor(
            iterations=n_trees,
            depth=depth,
            verbose=False,
            thread_count=1,
            allow_writing_files=False,
        ).fit(X, y)
        return lambda rows: fitted.get_feature_importance(
            Pool(rows), type="ShapValues", thread_count=1
        )

    def shap_interventional():
        import shap

        explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")
        return lambda rows: explainer.shap_values(rows, check_additivity=False)

    def shap_path_dependent():
        import shap

        explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
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
        ("LightGBM pred_contrib", lightgbm),
        ("XGBoost pred_contribs (own model)", xgboost),
        ("CatBoost ShapValues (own model)", catboost),
        ("shap interventional", shap_interventional),
        ("shap path-dependent", shap_path_dependent),
        ("woodelf, background", woodelf),
        ("fasttreeshap", fasttreeshap),
    ]


def run(size, n_rows, budget):
    """All explainers on one size of model."""
    n_trees, n_leaves = size
    X_train = rows(10_000, 0)
    y = target(X_train)
    params = {"num_leaves": n_leaves, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1}
    model = lgb.train(params, lgb.Dataset(X_train, y), n_trees)
    background, X = rows(N_BACKGROUND, 2), rows(n_rows, 3)
    results = []
    everyone = own(model, background) + peers(model, background, size, X_train, y)
    for name, setup in everyone:
        record = {"model": f"{n_trees} x {n_leaves}", "explainer": name}
        try:
            record |= measure(name, setup, X, budget)
        except ImportError as error:
            record["skipped"] = f"skipped, not installed: {error.name}"
        except Exception as error:
            record["skipped"] = f"failed: {type(error).__name__}: {str(error)[:80]}"
        results.append(record)
        print(line(record), flush=True)
    return results


def line(record):
    """One row of the table."""
    head = f"| {record['model']} | {record['explainer']} "
    if "skipped" in record:
        return head + f"| {record['skipped']} | | | | |"
    return head + (
        f"| {record['rows_per_second']:,.0f} | {record['rows']:,} | {record['one_row_ms']:.3f} "
        f"| {record['one_row_p99_ms']:.3f} | {record['compile_seconds']:.2f} |"
    )


def versions():
    """What was measured."""
    found = {}
    for name in ("lightgbm", "numba", "xgboost", "catboost", "shap", "woodelf-explainer",
                 "fasttreeshap"):  # fmt: skip
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
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
    print("| model | explainer | rows/s | rows | one row ms | p99 ms | compile s |")
    print("|---|---|---|---|---|---|---|")
    results = []
    for size in SIZES[:1] if options.quick else SIZES:
        if options.trees not in (None, size[0]):
            continue
        results += run(size, 10_000, 1.0 if options.quick else 4.0)
    if options.json:
        document = {"versions": versions(), "results": results}
        Path(options.json).write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

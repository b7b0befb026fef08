"""Shapley values of a black box: evaluations and CPU time that an error takes, against shap's.

The black box is a LightGBM model of 20 columns, of which explainers see the predictions only; its
exact values are known from tables. Each explainer's budget grows by the square root of two until
the root mean square error over rows and columns is at most the target; what it took is printed.
Run::

    python benchmarks/sampling.py            # a few minutes
    python benchmarks/sampling.py --quick    # the easier target, fewer rows
    python benchmarks/sampling.py --json FILE
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
import warnings
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from operator import itemgetter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import lightgbm as lgb
import numpy as np

from pellucid import shapley

N_COLUMNS = 20
BACKGROUNDS = (100, 1)
TARGETS = (0.005, 0.0025)  # of the predictions' standard deviation
CAP = 400_000  # evaluations per row, beyond which an explainer is given up


def table(n, seed):
    """Rows and a target with effects of one, two and three columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_COLUMNS))
    y = (
        X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + X[:, 3:10].sum(axis=1)
        + X[:, 10] * X[:, 11] * (X[:, 12] > 0) + 0.3 * np.abs(X[:, 13:]).sum(axis=1)
    )  # fmt: skip
    return X, y + 0.5 * rng.normal(size=n)


class Counted:
    """A model's predictions, counting the rows asked for."""

    def __init__(self, model):
        self.model, self.rows, self.calls = model, 0, 0

    def __call__(self, rows):
        """Predict."""
        self.rows += len(rows)
        self.calls += 1
        return self.model.predict(rows, num_threads=1)


def own(predict, X, background, budget, method):
    """Ours, with a budget of so many coalitions, each of all background rows."""
    most = budget * len(background)
    return shapley.sample(predict, X, background=background, method=method, max_evals=most).values


def shap_permutation(predict, X, background, budget):
    """Shap's antithetic permutations; each coalition is averaged over all background rows."""
    import shap

    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.PermutationExplainer(predict, masker, seed=0)
    return explainer(X, max_evals=budget, silent=True).values


def shap_kernel(predict, X, background, budget):
    """Shap's KernelSHAP, without its selection of columns."""
    import shap

    explainer = shap.KernelExplainer(predict, background)
    np.random.seed(0)  # noqa: NPY002 - the generator that shap draws from
    return explainer.shap_values(X, nsamples=budget, l1_reg=False, silent=True)


EXPLAINERS = {
    "pellucid permutation": partial(own, method="permutation"),
    "pellucid kernel": partial(own, method="kernel"),
    "shap PermutationExplainer": shap_permutation,
    "shap KernelExplainer": shap_kernel,
}


def attempt(explain, model, X, truth):
    """What one explanation of X took, and how far off it is."""
    predict = Counted(model)
    start = time.process_time()
    values = explain(predict, X)
    took = time.process_time() - start
    return {
        "evals_per_row": predict.rows / len(X), "calls_per_row": predict.calls / len(X),
        "ms_per_row": 1e3 * took / len(X), "rmse": float(np.sqrt(np.mean((values - truth) ** 2))),
    }  # fmt: skip


def quickest(explain, model, X, truth):
    """Best time of three: the others measure the neighbours."""
    return min((attempt(explain, model, X, truth) for _ in range(3)), key=itemgetter("ms_per_row"))


def smallest(explain, model, X, background, truth, target):
    """Raise the budget until the error is at most the target."""
    for step in count():
        budget = int(2 * (2 * N_COLUMNS + 1) * 2 ** (step / 2))
        if budget * len(background) > CAP:
            return {"skipped": f"not within {CAP:,} evaluations a row"}
        once = partial(explain, background=background, budget=budget)
        try:
            record = attempt(once, model, X, truth)
        except shapley.ShapleyError:  # fewer than a first estimate takes
            continue
        if record["rmse"] <= target:
            return quickest(once, model, X, truth)


def stopped(model, X, background, truth, target):
    """Ours when asked for the target as a precision: it stops by itself."""

    def explain(predict, rows):
        return shapley.sample(predict, rows, background=background, precision=target).values

    return quickest(explain, model, X, truth)


def line(record):
    """One row of the table."""
    head = f"| {record['background']} | {record['target']:.2%} | {record['explainer']} "
    if "skipped" in record:
        return head + f"| {record['skipped']} | | | |"
    return head + (
        f"| {record['evals_per_row']:,.0f} | {record['calls_per_row']:,.0f} "
        f"| {record['ms_per_row']:,.1f} | {record['rmse_share']:.2%} |"
    )


def run(n_rows, targets):
    """All explainers on all backgrounds and targets."""
    X_train, y = table(5000, 0)
    params = {"num_leaves": 31, "learning_rate": 0.1, "verbosity": -1, "num_threads": 1}
    model = lgb.train(params, lgb.Dataset(X_train, y), 100)
    spread = float(model.predict(X_train).std())
    X = table(n_rows, 1)[0]
    results = []
    for n_background in BACKGROUNDS:
        background = table(n_background, 2)[0]
        truth = shapley.compile(model, background=background).values(X)
        for target in targets:
            tasks = {name: partial(smallest, explain) for name, explain in EXPLAINERS.items()}
            for name, task in (tasks | {"pellucid, precision=target": stopped}).items():
                record = {"background": n_background, "target": target, "explainer": name}
                try:
                    record |= task(model, X, background, truth, target * spread)
                except ImportError as error:
                    record["skipped"] = f"skipped, not installed: {error.name}"
                if "rmse" in record:
                    record["rmse_share"] = record["rmse"] / spread
                results.append(record)
                print(line(record), flush=True)
    return results


def versions():
    """What was measured."""
    found = {}
    for name in ("lightgbm", "numpy", "shap"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def main():
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the easier target, fewer rows")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    logging.getLogger("shap").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    shapley.warmup()
    print(", ".join(f"{name} {number}" for name, number in versions().items()))
    print("| background | target | explainer | evaluations/row | calls/row | CPU ms/row | error |")
    print("|---|---|---|---|---|---|---|")
    results = run(5, TARGETS[:1]) if options.quick else run(20, TARGETS)
    if options.json:
        document = {"versions": versions(), "results": results}
        Path(options.json).write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()

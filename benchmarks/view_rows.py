"""A run with a million explained rows in the studio: what a look costs, and two cohorts of it.

Values are made, not explained: what is measured is reading the run, adding up all rows and making
the page's payload, in a process of its own. CPU seconds, memory and bytes; no wall times. Run::

    python benchmarks/view_rows.py                 # 1,000,000 rows x 10 columns, 20 s of CPU
    python benchmarks/view_rows.py --rows 100000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Explanation
from pellucid.explain.persistence import explanation_to_bytes
from pellucid.store.runs import Store
from pellucid.store.writer import RESULTS, write_folders
from pellucid.view.studio.cohorts import told_cohort
from pellucid.view.studio.library import Library


def made(n: int) -> Explanation:
    """A binary classifier's explanation of ten columns of three kinds."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(7)})
    data["job"] = rng.choice(["clerk", "cook", "maid"], n)
    data["joined"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")
    data["visits"] = rng.poisson(3, n)
    values = rng.normal(size=(n, 10)) * np.linspace(1, 0.1, 10)
    p = 1 / (1 + np.exp(-values.sum(axis=1)))
    details = {
        "probability": np.column_stack([1 - p, p]).tolist(),
        "predicted": np.where(p > 0.5, "yes", "no").tolist(),
        "y_true": np.where(rng.random(n) < p, "yes", "no").tolist(),
    }
    return Explanation(
        values=values,
        base_values=np.zeros(1),
        feature_names=tuple(data.columns),
        data=data,
        classes=("no", "yes"),
        background_size=100,
        details=details,
    )


def store_run(folder: str, n: int) -> None:
    """A finished run that holds such an explanation."""
    store = Store(folder)
    writer = store.begin(name="rows", params={"task": "binary", "target": "y", "n_rows": n})
    packed = explanation_to_bytes(made(n))
    print(f"{n} rows x 10 columns; explanation.zip {len(packed) / 1e6:.0f} MB")
    training = json.dumps({"task": "binary", "target": "y"}).encode()
    files = {"training.json": training, "explanation.zip": packed}
    write_folders(store.tracking, writer.id, {RESULTS: files})
    store.tracking.end(writer.id, "FINISHED")


def look(folder: str) -> None:
    """The first look at the run's page, and the second."""
    library = Library(Store(folder))
    for which in ("first", "second"):
        before = time.process_time()
        payload = json.dumps(library.page(library.run("latest")))
        cpu = time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{which} look: {cpu:.2f} s of CPU, peak {peak:.0f} MB, {len(payload) / 1e3:.0f} KB")
    before = time.process_time()
    for others in (False, True):
        asked = {"cohort": "error:wrong", "output": 0, "others": others}
        told_cohort(library, library.run("latest"), asked)
    cpu = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"two cohorts: {cpu:.2f} s of CPU, peak {peak:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for target, args in ((store_run, (folder, rows)), (look, (folder,))):
            process = context.Process(target=target, args=args)
            process.start()
            process.join()


if __name__ == "__main__":
    main()

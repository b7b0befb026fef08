"""What grows with rows, columns, trees, classes and background; and what a second worker brings.

Rows are drawn with replacement from Bank Marketing (20 columns), each number moved by a hundredth
of its spread, and written as a Parquet folder. Three claims are measured in the same run:

- memory: training from the folder, then explaining it into another at both levels, each in a
  process of its own whose memory, with that of its workers, is looked at ten times a second;
- workers: a Dask cluster of one process against one of two: trials in a budget, explained rows a
  second, and both again with a worker killed in the middle;
- growth: one LightGBM member, its processor seconds to learn, to compile and to explain.

Run::

    python benchmarks/scale.py                              # 1 and 10 million rows: an hour
    python benchmarks/scale.py --only memory --sample 20000 --explained 30000000
    python benchmarks/scale.py --quick                      # small sizes, under a CPU minute
    python benchmarks/scale.py --only growth --json FILE

Processor seconds are of all processes of a step; wall seconds beside them are longer where the
machine is shared. The frame is that of ``../shared/data/bank_additional`` beside the repository;
where it is absent, a made one of the same shape takes its place.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
from growth import GROWN, SMALL, SMALL_GROWN, USUAL, draw_figures, growth, night

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "bank_additional"
PIECE = 500_000  # rows of a file
LARGEST = 10_000_000  # rows that are drawn; more are the same files again
TARGET = "y"


# -- rows -----------------------------------------------------------------------------------------
def bank():
    """Bank Marketing without the length of the call, which leaks; or a table of its shape."""
    if SHARED.is_dir():
        return pd.read_parquet(next(SHARED.glob("*.parquet"))).drop(columns="duration")
    print("bank_additional is not beside the repository; a made table takes its place")
    rng = np.random.default_rng(0)
    n = 40_000
    frame = pd.DataFrame({f"n{i}": rng.normal(size=n).round(3) for i in range(9)})
    frame = frame.assign(**{f"c{i}": rng.choice(list("abcdefgh"), n) for i in range(10)})
    margin = frame["n0"] * frame["n1"] + (frame["c0"] == "a") - 1.5
    return frame.assign(y=np.where(rng.random(n) < 1 / (1 + np.exp(-margin)), "yes", "no"))


def write_rows(folder, n, *, piece=PIECE):
    """A Parquet folder of so many rows; further columns keep it at 20."""
    if folder.exists():
        return
    if n > LARGEST:
        write_rows(folder.with_name(f"rows-{LARGEST}"), LARGEST, piece=piece)
        folder.mkdir()
        files = sorted(folder.with_name(f"rows-{LARGEST}").glob("*.parquet"))
        for k in range(n // piece):
            os.link(files[k % len(files)], folder / f"{k:04}.parquet")
        return
    source = bank()
    numbers = source.select_dtypes("number").columns
    spread = source[numbers].std() / 100
    folder.mkdir(parents=True)
    for k, start in enumerate(range(0, n, piece)):
        rng = np.random.default_rng(k)
        size = min(piece, n - start)
        rows = source.iloc[rng.integers(0, len(source), size)].reset_index(drop=True)
        rows[numbers] = rows[numbers] + rng.normal(size=(size, len(numbers))) * spread.to_numpy()
        rows["noise"] = rng.normal(size=size)
        rows.to_parquet(folder / f"{k:04}.parquet", index=False)


# -- a step in a process of its own ---------------------------------------------------------------
TRAIN = """
import sys, pellucid
clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=3, sample_rows=int(sys.argv[3]),
    allowed_families=["lightgbm"], model_explainability=False, store=False)
clf.fit(sys.argv[1], "y")
print(clf.training_["whole"], [part.rounds for part in clf.plan_.members])
from pellucid.files import write_file
import pathlib
for name, data in clf.predictor_.to_files().items():
    path = pathlib.Path(sys.argv[2]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
"""
EXPLAIN = """
import sys, pathlib
from pellucid.explain.predictor import Predictor
from pellucid.explain.stream import explain_parquet
home = pathlib.Path(sys.argv[1])
files = {p.relative_to(home).as_posix(): p.read_bytes() for p in home.rglob("*") if p.is_file()}
done = explain_parquet(Predictor.from_files(files), sys.argv[2], sys.argv[3],
    level=["raw", "engineered"])
print(done.rows, done.additivity_error)
"""


def measured(code, *arguments):
    """Wall and processor seconds, and most memory, of a Python process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    most = [0]
    ended = threading.Event()

    def look():
        while not ended.wait(0.1):
            most[0] = max(most[0], sum(anonymous(pid) for pid in family(process.pid)))

    looking = threading.Thread(target=look)
    looking.start()
    said, _ = process.communicate()
    ended.set()
    looking.join()
    if process.returncode:
        raise SystemExit(f"a step failed with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "wall_s": round(time.monotonic() - started, 1),
        "cpu_s": round(cpu, 1),
        "memory_mb": round(most[0] / 2**20),
        "said": said.strip(),
    }


def family(pid):
    """A process and all that it started."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*"):
            try:
                found += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return found


def anonymous(pid):
    """Bytes that a process holds for itself, without what the system can drop."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def memory(sizes, *, explained_only, sample, home):
    """Training and explaining as the rows grow, and explaining of still more."""
    table = []
    for n in (*sizes, *explained_only):
        rows, model, why = home / f"rows-{n}", home / f"model-{n}", home / f"why-{n}"
        write_rows(rows, n, piece=min(PIECE, max(1, n // 2)))
        if n in sizes:
            step = measured(TRAIN, rows, model, sample)
            table.append({"step": "train", "rows": n, **step})
            show(table[-1:])
        # one model explains all sizes, or the number of trees would be compared
        step = measured(EXPLAIN, home / f"model-{sizes[0]}", rows, why)
        written = sum(path.stat().st_size for path in why.glob("*.parquet"))
        table.append(
            {
                "step": "explain raw and engineered",
                "rows": n,
                **step,
                "us_per_row": round(1e6 * step["cpu_s"] / n, 1),
                "bytes_per_row": round(written / n),
            }
        )
        show(table[-1:])
        shutil.rmtree(why)
    return table


# -- workers --------------------------------------------------------------------------------------
def workers(cases, *, budget, rows, home, table_rows):
    """One process against two, and a killed one."""
    import logging

    import distributed

    import pellucid
    from pellucid.explain.stream import explain_parquet

    source = bank().sample(table_rows, random_state=0)
    X, y = source.drop(columns=TARGET), source[TARGET]
    folder = home / "spread"
    write_rows(folder, rows, piece=max(1, rows // 16))
    model = pellucid.AutoMLClassifier(
        time_budget=None, max_trials=3, store=False, model_explainability=False
    ).fit(X, y)
    found = []
    here = explained(explain_parquet, model.predictor_, folder, home / "here")
    found.append({"workers": "this process", **here})
    show(found[-1:])
    for n, kill in cases:
        with (
            distributed.LocalCluster(
                n_workers=n, threads_per_worker=1, dashboard_address=None, host="127.0.0.1",
                silence_logs=logging.CRITICAL,
            ) as local,
            distributed.Client(local) as client,
            pellucid.cluster(client),
        ):  # fmt: skip
            records = []

            def tell(progress, records=records, client=client, kill=kill):
                if progress.record is not None:
                    records.append(progress.record)
                    if kill and len(records) == 4:
                        end_one(client)

            pellucid.AutoMLClassifier(
                time_budget=budget, store=False, model_explainability=False, progress=tell
            ).fit(X, y)
            lost = sum(record.status == "failed" for record in records)
            client.wait_for_workers(n, timeout=60)
            killed = [not kill]

            def half(done, total, client=client, killed=killed):
                if not killed[0] and total / 4 < done < total:
                    killed[0] = True
                    end_one(client)

            target = home / f"there-{n}-{kill}"
            step = explained(explain_parquet, model.predictor_, folder, target, progress=half)
            same = pd.read_parquet(target).equals(pd.read_parquet(home / "here"))
            found.append(
                {
                    "workers": f"{n}, one killed" if kill else n,
                    "trials": len(records),
                    "lost_trials": lost,
                    **step,
                    "same_values": same,
                }
            )
            show(found[-1:])
    return found


def end_one(client):
    """Kill a worker process, as the system does when memory is short."""
    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)


def explained(explain_parquet, model, source, target, **options):
    """Rows a second, the model's compilation included."""
    started = time.monotonic()
    done = explain_parquet(model, source, target, **options)
    seconds = time.monotonic() - started
    return {
        "rows": done.rows,
        "wall_s": round(seconds, 1),
        "rows_per_s": round(done.rows / seconds),
    }


# -- all ------------------------------------------------------------------------------------------
def show(rows):
    """Lines of name=value, as they come."""
    for row in rows:
        print("  ".join(f"{name}={value}" for name, value in row.items()), flush=True)


def main():
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["memory", "workers", "growth"])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument(
        "--explained", type=int, nargs="*", default=[], help="rows, without training"
    )
    parser.add_argument("--sample", type=int, default=200_000, help="rows that are searched on")
    parser.add_argument("--home", type=Path, help="folder for rows, which are kept there")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plots", type=Path, help="folder for the plots of growth")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        if options.only in (None, "memory"):
            found["memory"] = memory(
                [5_000, 20_000] if options.quick else options.rows,
                explained_only=options.explained,
                sample=4_000 if options.quick else options.sample,
                home=home,
            )
        if options.only in (None, "workers"):
            cases = [(1, False), (2, False), (2, True)]  # processes, and whether one is killed
            found["workers"] = workers(
                cases[::2] if options.quick else cases,
                budget=3 if options.quick else 30,
                rows=16_000 if options.quick else 800_000,
                table_rows=2_000 if options.quick else 20_000,
                home=home,
            )
        if options.only in (None, "growth"):
            sizes = (SMALL, SMALL_GROWN) if options.quick else (USUAL, GROWN)
            found["growth"] = growth(*sizes, repeats=1 if options.quick else 3, show=show)
            found["night"] = night(found["growth"])
            show([found["night"]])
            if options.plots:
                draw_figures(found["growth"], options.plots)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

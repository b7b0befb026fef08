"""The raw game against the engineered one: one model, two sets of players.

A frame of one-hot, date and text columns becomes many engineered ones, and each raw column can play
for all that is made of it. Such a game has fewer players on a path, so it should cost no more. The
last column says how far the raw values are from the sums of the engineered ones, which are not the
same game: mean absolute difference over mean absolute value.

The frames are those of ``../shared/data`` beside the repository; absent ones are named and skipped.
"joined" has a hotel booking and a review of food in each row, and the sum of both targets: dates,
one-hot columns and text at once. Run::

    python benchmarks/shapley_raw.py            # 200 trees x 31 leaves, under a minute
    python benchmarks/shapley_raw.py --quick    # the joined frame, fewer rows
    python benchmarks/shapley_raw.py --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm as lgb
import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import infer_schema

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FRAMES = ("hotel_rates", "fine_foods", "titanic", "bike_hourly", "joined")
N_BACKGROUND = 100


def read(name):
    """A frame without its target, and the target as numbers."""
    if name == "joined":
        (hotels, price), (foods, score) = read("hotel_rates"), read("fine_foods")
        n = min(len(hotels), len(foods))
        parts = [hotels[:n].reset_index(drop=True), foods[:n].reset_index(drop=True)]
        return pd.concat(parts, axis=1), price[:n] / price.std() + score[:n] / score.std()
    folder = SHARED / name
    target = json.loads((folder / "card.json").read_text())["target"]
    frame = pd.read_parquet(folder / f"{name}.parquet")
    y = frame.pop(target)
    numbers = y if pd.api.types.is_numeric_dtype(y) else pd.factorize(y, sort=True)[0]
    return frame, np.asarray(numbers, dtype=np.float64)


def cpu_seconds(task, repeats):
    """The least of a few runs, in seconds of this process's processor."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def measure(matrix, model, players):
    """What one game costs, and its values."""
    background, one = matrix[:N_BACKGROUND], matrix[:1]

    def make():
        return shapley.compile(model, background=background, players=players)

    tables = make()
    values = tables.values(matrix)
    tables.verify(values, tables.margins(matrix))
    return values, {
        "players": int(players.max()) + 1,
        "players_on_a_path": float(np.diff(tables.paths.slot_start).mean()),
        "table_bytes": tables.groups.table.nbytes,
        "compile_seconds": cpu_seconds(make, 3),
        "rows_per_second": len(matrix) / cpu_seconds(lambda: tables.values(matrix), 5),
        "one_row_ms": 1e3 * cpu_seconds(lambda: [tables.values(one) for _ in range(200)], 5) / 200,
    }


def run(name, n_rows):
    """Both games on one frame."""
    frame, y = read(name)
    featurizer = Featurizer.fit(frame, infer_schema(frame))
    matrix = featurizer.transform(frame)
    params = {"num_leaves": 31, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1, "seed": 0}
    model = lgb.train(params, lgb.Dataset(matrix, y), 200)
    rows = matrix[np.random.default_rng(0).integers(len(matrix), size=n_rows)]
    players = featurizer.feature_map.players("raw")
    fine, engineered = measure(rows, model, np.arange(matrix.shape[1]))
    coarse, raw = measure(rows, model, players)
    summed = np.zeros_like(coarse)
    np.add.at(summed.T, players, fine.T)
    raw["off_from_sums"] = float(np.abs(summed - coarse).mean() / np.abs(coarse).mean())
    return [
        {"frame": name, "game": "engineered", **engineered},
        {"frame": name, "game": "raw", **raw},
    ]


def line(record):
    """One row of the table."""
    off = f"{record['off_from_sums']:.1%}" if "off_from_sums" in record else ""
    return (
        f"| {record['frame']} | {record['game']} | {record['players']} "
        f"| {record['players_on_a_path']:.1f} | {record['rows_per_second']:,.0f} "
        f"| {record['one_row_ms']:.3f} | {record['compile_seconds']:.2f} "
        f"| {record['table_bytes'] / 2**20:.0f} | {off} |"
    )


def main():
    """Measure, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the joined frame, 2,000 rows")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    shapley.warmup()
    print(
        "| frame | game | players | on a path | rows/s | one row ms | compile s | tables MiB "
        "| off from sums |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    results = []
    for name in FRAMES[-1:] if options.quick else FRAMES:
        try:
            records = run(name, 2_000 if options.quick else 10_000)
        except FileNotFoundError as error:
            print(f"| {name} | skipped: {error.filename} is absent | | | | | | | |")
            continue
        for record in records:
            print(line(record), flush=True)
        results += records
    if options.json:
        Path(options.json).write_text(json.dumps({"results": results}, indent=1))


if __name__ == "__main__":
    main()

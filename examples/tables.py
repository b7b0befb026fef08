"""Tables for the notebooks: real ones where they are at hand, else made-up ones with their columns.

A real table is looked for as ``<name>/<name>.parquet`` or ``<name>.csv`` in the folder that
PELLUCID_DATA names, then in ``shared/data`` beside the repository. Notebooks run on made-up rows
too, so that they can be tried and tested anywhere; what their text says is of the real ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
from stand_ins import STAND_INS

SOURCES = {
    "bank_additional": "UCI Machine Learning Repository, Bank Marketing (Moro et al. 2014)",
    "california_housing": "1990 census, StatLib (Pace and Barry 1997)",
    "german_credit": "UCI Machine Learning Repository, Statlog German Credit",
    "fine_foods": "Amazon fine foods, McAuley and Leskovec 2013; R package modeldata",
    "hotel_rates": "Antonio et al. 2019, hotel bookings; R package modeldata",
    "orange_juice_azure": "Dominick's orange juice sales, as in Azure's forecasting samples",
}
_TRIALS = "PELLUCID_EXAMPLE_TRIALS"  # so many trials and few rows, for tests
_FEW = 1500


def table(name: str) -> pd.DataFrame:
    """A table by its name; says in one line where it comes from."""
    found = next((each for each in _places(name) if each.is_file()), None)
    if found is not None:
        frame = pd.read_parquet(found) if found.suffix == ".parquet" else pd.read_csv(found)
        print(f"{name}: {len(frame):,} rows. {SOURCES[name]}")
    else:
        frame = STAND_INS[name](_FEW)
        print(
            f"{name}: {len(frame):,} MADE-UP rows, as the table is not at hand; what follows is "
            f"not about the world.\nFor the real one put {name}.csv into a folder that "
            f"PELLUCID_DATA names. It is from: {SOURCES[name]}"
        )
    if os.environ.get(_TRIALS) and len(frame) > _FEW:
        frame = frame.sample(_FEW, random_state=0).sort_index().reset_index(drop=True)
    return frame


def budget(seconds: float = 60) -> dict[str, Any]:
    """What a training may cost: seconds, or the trials that the environment allows."""
    trials = os.environ.get(_TRIALS)
    return {"time_budget": None, "max_trials": int(trials)} if trials else {"time_budget": seconds}


def _places(name: str) -> list[Path]:
    folders = [Path(__file__).resolve().parents[2] / "shared" / "data"]
    if os.environ.get("PELLUCID_DATA"):
        folders.insert(0, Path(os.environ["PELLUCID_DATA"]))
    files = [
        f"{folder}{name}.{suffix}" for suffix in ("parquet", "csv") for folder in (f"{name}/", "")
    ]
    return [folder / each for folder in folders for each in files]

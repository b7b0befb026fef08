"""A store with real trainings, to look at in the studio."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from tests.view.conftest import table

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.store.runs import Store
from pellucid.store.writer import RunWriter

HOSTILE = (
    "<script>window.hacked=1</script>",
    "\"'`><img src=x onerror=window.hacked=1>",
    "\u202eRTL \u05d0\u05d1\u05d2",
    "long " * 40,
)


def filled_once(root: Path) -> tuple[Path, dict[str, str]]:
    """The store below a folder and its runs, which the first process that asks makes for all."""
    folder, known, failed = (root / name for name in ("stored", "stored.json", "stored.failed"))
    try:
        folder.mkdir()
    except FileExistsError:
        while not known.exists():
            assert not failed.exists(), "the process that trains the runs failed"
            time.sleep(0.1)
    else:
        try:
            draft = root / "stored.tmp"
            draft.write_text(json.dumps(fill_store(folder)), "utf-8")
            draft.replace(known)
        except BaseException:
            failed.touch()
            raise
    return folder, json.loads(known.read_text("utf-8"))


def fill_store(folder: Path) -> dict[str, str]:
    """Train a few small models there; name of each run -> its id."""
    binary = table("binary", 240)
    binary["member"] = binary["visits"] > 2
    odd = binary.rename(columns=dict(zip(["age", "job", "visits", "income"], HOSTILE)))
    odd[HOSTILE[1]] = np.where(odd["y"] == "yes", HOSTILE[0], HOSTILE[2])
    odd.loc[::3, HOSTILE[1]] = "plain"
    odd["y"] = odd["y"].map({"yes": "<b>yes</b>", "no": HOSTILE[1]})
    trained = {
        "binary": (AutoMLClassifier, binary, 0),
        "other": (AutoMLClassifier, binary.drop(columns="job"), 1),
        "multiclass": (AutoMLClassifier, table("multiclass", 240), 0),
        "regression": (AutoMLRegressor, table("regression", 240), 0),
        HOSTILE[0]: (AutoMLClassifier, odd, 0),
    }
    plain = AutoMLClassifier(
        max_trials=2, time_budget=None, model_explainability=False, store=folder,
        allowed_families=["lightgbm"], name="unexplained",
    )  # fmt: skip
    plain.fit(binary.drop(columns="y"), binary["y"])
    return {"unexplained": plain.run_.id} | {
        name: _train(kind, frame, seed, name, folder)
        for name, (kind, frame, seed) in trained.items()
    }


def _train(kind: type, frame: pd.DataFrame, seed: int, name: str, folder: Path) -> str:
    model = kind(
        max_trials=2, time_budget=None, seed=seed, store=folder,
        allowed_families=["lightgbm", "linear"], name=name,
    )  # fmt: skip
    return model.fit(frame.drop(columns="y"), frame["y"]).run_.id


def begin_one(folder: Path) -> RunWriter:
    """A run that is under way."""
    return Store(folder).begin(
        name="under way", params={"task": "binary", "target": "y", "time_budget": 60}
    )

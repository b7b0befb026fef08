"""One model of people that the tests of serving share, with every kind of column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pellucid.automl.estimators import AutoMLClassifier


def make_people(n: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(10, 1, n)),
            "job": rng.choice(["cook", "clerk", "admin."], n),
            "member": rng.random(n) < 0.5,
            "loan": rng.choice(["yes", "no"], n),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
        }
    )
    late = (
        (frame["age"] > 45) ^ (frame["job"] == "cook") ^ (frame["member"] & (rng.random(n) < 0.3))
    )
    return frame, late.map({True: "yes", False: "no"}).rename("buys")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    return make_people(40, seed=1)[0]


@pytest.fixture(scope="session")
def clf(home: Path) -> AutoMLClassifier:
    X, y = make_people(400)
    return AutoMLClassifier(
        time_budget=None, max_trials=3, n_jobs=1, store=str(home / "store")
    ).fit(X, y)


@pytest.fixture(autouse=True)
def _no_outside_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PELLUCID_STORE", raising=False)
    monkeypatch.chdir(tmp_path)

"""One small training that the store's tests share: a real model and its explanation."""

from __future__ import annotations

from collections.abc import Callable
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
        }
    )
    late = (frame["age"] > 45) ^ (frame["job"] == "cook")
    return frame, late.map({True: "yes", False: "no"}).rename("buys")


@pytest.fixture(scope="session")
def trained() -> AutoMLClassifier:
    X, y = make_people(300)
    return AutoMLClassifier(time_budget=None, max_trials=2, store=False).fit(X, y)


@pytest.fixture
def people() -> Callable[..., tuple[pd.DataFrame, pd.Series]]:
    return make_people


@pytest.fixture(autouse=True)
def _no_outside_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PELLUCID_STORE", raising=False)
    monkeypatch.chdir(tmp_path)

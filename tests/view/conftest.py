from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.view.trained import TrainedRun, trained_run

_CHROMIUM = Path("/usr/bin/chromium")


def table(task: str, n: int = 600) -> pd.DataFrame:
    """A table with numbers, categories, missing cells and times, and a target that follows them."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "income": rng.lognormal(10, 0.6, n),
            "job": rng.choice(["admin.", "maid", "clerk", "cook"], n),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "visits": rng.poisson(3, n).astype(float),
        }
    )
    frame.loc[::9, "income"] = np.nan
    signal = (frame["age"] - 45) / 12 + (frame["job"] == "maid") * frame["visits"] / 2
    signal = signal + rng.normal(0, 0.5, n)
    if task == "regression":
        frame["y"] = signal
    elif task == "binary":
        frame["y"] = np.where(signal > 0.5, "yes", "no")
    else:
        frame["y"] = pd.cut(signal, [-np.inf, -1, 0.5, 2, np.inf], labels=list("ABCD")).astype(str)
    return frame


@pytest.fixture(scope="session")
def runs() -> dict[str, TrainedRun]:
    """One run of each task."""
    return {
        task: trained_run(table(task), "y", task, trees=20)
        for task in ("binary", "multiclass", "regression")
    }


@pytest.fixture(scope="session")
def browser():
    """System Chromium, headless."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not _CHROMIUM.exists():
        pytest.skip(f"there is no Chromium at {_CHROMIUM}")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(_CHROMIUM))
        yield browser
        browser.close()

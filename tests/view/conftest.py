import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.view.trained import TrainedRun, trained_run

from pellucid.view.report import write_report

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
def stored(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A store of a few small runs, and the id of each by name; leave it as it is."""
    from tests.view.stored import filled_once

    own = tmp_path_factory.getbasetemp()
    return filled_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


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


class Page:
    """An open report, and what went wrong in it."""

    def __init__(self, browser, path, *, width=1280, height=900, **options):
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on(
            "console",
            lambda m: self.problems.append(m.text) if m.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda e: self.problems.append(str(e)))
        self.page.on(
            "request",
            lambda r: None if r.url.startswith("file:") else self.problems.append(r.url),
        )
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.blockedURI))"
        )
        self.page.set_default_timeout(8000)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def overflow(self):
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def close(self):
        self.context.close()
        assert self.problems == []


@pytest.fixture
def show(browser, tmp_path):
    """Open the report of a run; at the end there must have been no error and no request."""
    opened = []

    def open_report(run, what_if=True, **options):
        path = write_report(run, tmp_path / f"report{len(opened)}.html", what_if=what_if)
        opened.append(Page(browser, path, **options))
        return opened[-1].page

    yield open_report
    for page in opened:
        page.close()

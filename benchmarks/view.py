"""The page in a real browser: how soon it shows a chart, how smoothly it follows, how large it is.

Importances are made, not trained: what is measured is the page. Headless Chromium opens it from a
file with the network off. A page holds at most 1,000 rows, evenly chosen, and less when features
are many; the benchmark prints how many of those given it held. Run::

    python benchmarks/view.py             # 5 loads, 180 frames an action; half a minute
    python benchmarks/view.py --quick     # 2 loads, 60 frames
    python benchmarks/view.py --json FILE

``first chart`` is from the start of the navigation to the frame after the first chart was drawn.
A frame time is between two of the browser's frames while the pointer moves or the page scrolls;
16.7 ms is 60 a second. A switch is from the event to the second frame after it, which shows the
result. Headless Chromium here paints without a GPU, and other programs on the machine lengthen
every time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.curves import curves
from pellucid.explain.explanation import Explanation
from pellucid.models.problem import Problem
from pellucid.view.payload import shown_positions
from pellucid.view.report import write_report

CHROMIUM = "/usr/bin/chromium"
PROBE = """
new MutationObserver((_, seen) => {
  if (!document.documentElement.dataset.ready) return;
  seen.disconnect();
  const look = () => (document.querySelector("canvas.swarm")?.width > 0
    && document.querySelector(".chart canvas")?.width > 0
    ? requestAnimationFrame(() => { window.firstChart = performance.now(); })
    : requestAnimationFrame(look));
  requestAnimationFrame(look);
}).observe(document, {attributes: true, subtree: true});
"""
# Moves are made in the page, one a frame, so that the driver's round trips are not measured.
HOVER = """(n) => new Promise((done, fail) => {
  const node = document.querySelector(%r);
  node.scrollIntoView({block: "center", behavior: "instant"});
  const box = node.getBoundingClientRect();
  const times = []; let k = 0, tips = 0;
  const step = (at) => {
    times.push(at);
    if (k === n) return tips > n / 20 ? done(times) : fail(new Error("no tooltip came"));
    const x = box.left + box.width * ((k * 37 %% 101) / 101);
    const y = box.top + box.height * ((k * 17 %% 53) / 53);
    const told = {bubbles: true, clientX: x, clientY: y, pointerType: "mouse"};
    node.dispatchEvent(new PointerEvent("pointermove", told));
    tips += document.querySelector(".tip.on") !== null;
    k += 1;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
SCROLL = """(n) => new Promise((done) => {
  scrollTo({top: 0, behavior: "instant"});
  const by = (document.documentElement.scrollHeight - innerHeight) / n;
  const times = []; let k = 0;
  const step = (at) => {
    times.push(at);
    if (k === n) return done(times);
    k += 1;
    scrollTo({top: by * k, behavior: "instant"});
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
SWITCH = """([what, n]) => new Promise((done) => {
  const times = []; let k = 0;
  const act = {
    level: () => document.querySelector(`[data-level=${k % 2 ? "raw" : "engineered"}]`).click(),
    feature: () => document.querySelectorAll("button.imp-name")[k % 8].click(),
  }[what];
  const step = () => {
    if (k === n) return done(times);
    const from = performance.now();
    act();
    k += 1;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      times.push(performance.now() - from);
      setTimeout(step, 20);
    }));
  };
  step();
})"""


@dataclass(frozen=True)
class MadeRun:
    """What a report needs of a run, made of an explanation."""

    training: dict[str, Any]
    told: Explanation
    id: str = "0000000000000000"
    name: str = "made"
    status: str = "FINISHED"
    started: str = "2026-01-01T00:00:00"

    def explanation(self, raw: bool = True) -> Explanation:
        """The explanation over either kind of features."""
        assert self.told.engineered is not None
        return self.told if raw else self.told.engineered


def made_run(n_rows: int, n_columns: int) -> MadeRun:
    """A binary classifier's run: two thirds numbers, one third categories of three columns each."""
    rng = np.random.default_rng(0)
    numbers = n_columns * 2 // 3
    cells, effects, made, engineered_cells = {}, [], [], {}
    for i in range(n_columns):
        weight = rng.exponential() / (1 + i / 5)
        if i < numbers:
            x = rng.normal(size=n_rows)
            cells[f"number {i}"] = x
            effects.append(weight * np.tanh(x) + 0.1 * rng.normal(size=n_rows))
            made.append(effects[-1][:, None])
            engineered_cells[f"number {i}"] = x
        else:
            codes = rng.integers(0, 3, n_rows)
            cells[f"category {i}"] = np.array(["red", "green", "blue"])[codes]
            effects.append(weight * (codes - 1) + 0.1 * rng.normal(size=n_rows))
            made.append(effects[-1][:, None] * np.array([0.5, 0.3, 0.2]))
            for k, color in enumerate(("red", "green", "blue")):
                engineered_cells[f"category {i}={color}"] = (codes == k).astype(float)
    values = np.stack(effects, axis=1)
    margins = values.sum(axis=1, keepdims=True) + 0.25
    problem = Problem("binary", 2)
    p = problem.probabilities(margins)
    codes = (rng.random(n_rows) < p[:, 1]).astype(int)
    classes = np.array(["no", "yes"])
    common: dict[str, Any] = {
        "base_values": np.array([0.25]),
        "classes": ("no", "yes"),
        "rows_from": "test",
        "details": {
            "predicted": classes[p.argmax(axis=1)].tolist(),
            "probability": p.tolist(),
            "y_true": classes[codes].tolist(),
        },
    }
    engineered = Explanation(
        values=np.hstack(made),
        feature_names=tuple(engineered_cells),
        data=pd.DataFrame(engineered_cells),
        level="engineered",
        **common,
    )
    told = Explanation(
        values=values,
        feature_names=tuple(cells),
        data=pd.DataFrame(cells),
        engineered=engineered,
        **common,
    )
    training = {
        "task": "binary",
        "target": "outcome",
        "classes": ["no", "yes"],
        "n_rows": n_rows,
        "n_columns": n_columns,
        "columns": [
            {
                "name": name,
                "kind": "numeric" if i < numbers else "categorical",
                "used": True,
                "n_engineered": 1 if i < numbers else 3,
            }
            for i, name in enumerate(cells)
        ],
        "curves": curves(codes, margins, problem, classes),
        "curves_from": "test",
    }
    return MadeRun(training, told)


def summary(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and greatest of milliseconds."""
    return {
        "median": float(np.median(times)),
        "p95": float(np.quantile(times, 0.95)),
        "most": float(np.max(times)),
    }


def measure(browser: Any, file: Path, loads: int, n_frames: int) -> dict[str, Any]:
    """Times of one page, in milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_offline(True)
    context.add_init_script(PROBE)
    first, problems = [], []
    for _ in range(loads):
        page = context.new_page()
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.goto(file.as_uri())
        page.wait_for_function("window.firstChart")
        first.append(page.evaluate("window.firstChart"))
        if len(first) < loads:
            page.close()
    page.wait_for_timeout(300)
    told = {
        "first chart": summary(first),
        "hover over a swarm": frames(page, HOVER % "canvas.swarm", n_frames),
        "hover over the scatter": frames(page, HOVER % "#dependence .chart", n_frames),
        "scroll the page": frames(page, SCROLL, n_frames),
    }
    for what, label in (("feature", "choose a feature"), ("level", "raw to engineered")):
        told[label] = summary(page.evaluate(SWITCH, [what, max(8, n_frames // 8)]))
    context.close()
    if problems:
        raise SystemExit(f"the page failed: {problems[0]}")
    return told


def frames(page: Any, script: str, n: int) -> dict[str, float]:
    """Times between frames while the page is worked by a script."""
    page.wait_for_timeout(100)
    return summary(np.diff(page.evaluate(script, n)).tolist())


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    started = time.perf_counter()
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for n_rows, n_columns in ((143, 30), (10_000, 100)):
            run = made_run(n_rows, n_columns)
            file = write_report(run, Path(folder) / f"{n_rows}.html", what_if=False)
            held, size = len(shown_positions(run.told)), file.stat().st_size
            times = measure(browser, file, *((2, 60) if asked.quick else (5, 180)))
            name = f"{n_rows:,} rows x {n_columns} columns"
            told[name] = {"rows held": held, "bytes": size, "ms": times}
            print(f"\n{name}: {held:,} rows in the page, {size / 1e6:.2f} MB")
            print(f"{'':26}{'median ms':>10}{'p95':>8}{'most':>8}")
            for label, each in times.items():
                print(f"{label:26}{each['median']:10.1f}{each['p95']:8.1f}{each['most']:8.1f}")
        told["browser"] = f"Chromium {browser.version}"
        browser.close()
    told["seconds"] = round(time.perf_counter() - started, 1)
    print(f"\n{told['browser']}, {told['seconds']} s")
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

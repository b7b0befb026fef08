"""Every Python block of the README and the pages runs, in order, page by page.

Blocks of a page share their names, as they would for somebody who pastes them one after the other.
What a page speaks of without making it ("a model that you have") is given below. Budgets are cut to
two trials. A block that begins with ``# needs ...`` says to the reader what it cannot do without,
and is left out here; what it shows has tests of its own.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import pellucid

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {"responses.md"}  # run by tests/explain/test_responses_page.py
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)


def blocks_of(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def needs(block: str) -> str | None:
    """What a block cannot do without, or None for one that runs."""
    found = re.match(r"# needs (.+)\n", block)
    return found[1] if found else None


def quick(block: str) -> str:
    """The block with two trials instead of a time to wait."""
    return re.sub(r"time_budget=\d+", "time_budget=None, max_trials=2", block)


WITH_BLOCKS = [page for page in PAGES if page.name not in ELSEWHERE and blocks_of(page)]


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """What pages take for granted: rows, a model of ours in a store, models of others."""
    import lightgbm

    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 80, 300),
            "income": rng.lognormal(10, 1, 300),
            "job": rng.choice(["cook", "clerk", "admin."], 300),
        }
    )
    y = pd.Series(np.where((X["age"] > 45) ^ (X["job"] == "cook"), "yes", "no"), name="buys")
    home = tmp_path_factory.mktemp("pages")
    store = home / "store"
    clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=2, store=str(store)).fit(X, y)
    numbers, code = X[["age", "income"]], (y == "yes").astype(int)
    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(numbers, code), 20)
    one_hot = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    pipeline = make_pipeline(one_hot, lightgbm.LGBMClassifier(n_estimators=20, verbose=-1))
    pipeline.fit(X, y)
    return {
        "store": store,
        "home": home,
        "pellucid": pellucid,
        "X": X,
        "y": y,
        "rows": X[:20],
        "X_train": X[:200],
        "y_train": y[:200],
        "X_test": X[200:],
        "X_background": X[:50],
        "background": X[:50],
        "clf": clf,
        "run": clf.run_,
        "model": pipeline,
        "pipeline": pipeline,
        "booster": booster,
        "predict": lambda rows: pipeline.predict_proba(rows)[:, 1],
        "numbers": numbers,
    }


def of_page(name: str, given: dict, folder: Path) -> dict:
    """What one page takes for granted, beside or instead of what all do."""
    numbers = given["numbers"]
    if name == "shapley.md":
        return {
            "model": given["booster"],
            "X_background": numbers[:50],
            "X": numbers[:20],
            "coef": [[2.0, -1.0]],
            "intercept": [0.5],
        }
    if name == "sampling.md":
        predictor = given["clf"].predictor_
        return {
            "X": given["X"][:5],
            "featurizer": predictor.featurizer,
            "model": predictor.ensemble.margins,
            "age_cuts": np.array([30.0, 60.0]),
            "age_scores": np.array([0.0, 1.0, 2.0, 0.5]),
            "intercept": 0.5,
        }
    if name == "serving.md":
        return {"lightgbm_model": given["booster"], "background": numbers[:50]}
    if name == "explaining.md":
        (folder / "rows").mkdir()
        whole = given["X"].assign(customer=np.arange(300))
        whole.to_parquet(folder / "rows" / "part.parquet")
    if name == "cluster.md":
        (folder / "sales").mkdir()
        table = given["X"].assign(bought=given["y"], counts=1)
        table.to_parquet(folder / "sales" / "part.parquet")
    return {}


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    trains = any("fit(" in block for block in blocks_of(page))  # and so has other latest runs
    store = given["home"] / "other" if trains else given["store"]
    monkeypatch.setenv("PELLUCID_STORE", str(store))
    names = {**given, **of_page(page.name, given, tmp_path)}
    for block in blocks_of(page):
        if needs(block) is None:
            exec(compile(quick(block), str(page), "exec"), names)


def test_few_blocks_need_what_is_not_here():
    blocks = [block for page in WITH_BLOCKS for block in blocks_of(page)]
    assert sum(needs(block) is not None for block in blocks) <= len(blocks) // 6

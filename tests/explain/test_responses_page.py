"""The examples of docs/responses.md run, and a real table goes the whole way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier, explain

PAGE = Path(__file__).parents[2] / "docs" / "responses.md"
CREDIT = Path("/work/shared/data/german_credit/german_credit.parquet")


def test_the_examples_of_the_page_run():
    pytest.importorskip("lightgbm")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    assert len(blocks) > 8
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["found"].fewest is True
    assert names["change"].facts["rank_correlation"] > 0
    assert {"income", "debt", "job"} <= set(names["both"].shares.index)
    assert names["reasons"][0]


@pytest.mark.slow
@pytest.mark.skipif(not CREDIT.is_file(), reason="german_credit is not on this machine")
def test_an_ensemble_of_credit_risks_goes_the_whole_way():
    target = json.loads(CREDIT.with_name("card.json").read_text())["target"]
    table = pd.read_parquet(CREDIT)
    X, y = table.drop(columns=target), table[target]
    clf = AutoMLClassifier(time_budget=None, max_trials=4, store=False).fit(X[:600], y[:600])
    rest, truth = X[600:], y[600:]
    bad = clf.classes_[0]
    chance = clf.predict_proba(rest)[:, 0]

    curve = explain.partial_dependence(clf, rest, "amount", label=bad, max_rows=100)
    assert set(curve.grid) <= set(rest["amount"])
    assert ((curve.low <= curve.mean) & (curve.mean <= curve.high)).all()
    effects = explain.accumulated_effects(clf, rest, "duration", label=bad)
    assert np.isfinite(effects.mean).all()

    explained = explain(clf, rest, y=truth)
    cohorts = explain.compare_cohorts(
        explained, {"long": "duration > 24", **explain.by_score(explained, n=2)}
    )
    mask = (rest["duration"] > 24).to_numpy()
    assert cohorts.summary.loc["long", "mean answer"] == pytest.approx(1 - chance[mask].mean())

    reasons = explain.reason_codes(clf, rest[:10], outcome=bad, copies=5)
    assert all(reason.push > 0 for row in reasons.rows for reason in row)
    pairs = explain.interactions(clf, rest[:10])
    lines = pairs.values[..., 0].sum(axis=2)
    np.testing.assert_allclose(lines, explained.values[:10], atol=1e-8)
    shuffled = explain.permutation_importance(clf, rest, truth, repeats=3)
    assert set(shuffled.table.index) == set(explained.feature_names)
    tree = explain.error_tree(clf, rest, truth)
    assert tree.table["rows"].sum() == len(rest)
    moved = explain.what_if(clf, rest.iloc[[0]], {"duration": 6}).moved(bad)
    assert moved["new"]["duration"] == 6

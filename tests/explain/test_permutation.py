"""Permutation importance is the rise of the loss; noise that a model learned shows as such."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeRegressor

from pellucid.explain.asking import AskError
from pellucid.explain.permutation import permutation_importance


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "noise"])


def test_of_a_sum_it_is_twice_the_variance_of_the_part(rows):
    y = 3 * rows["a"] + rows["b"]
    found = permutation_importance(lambda r: 3 * r["a"] + r["b"], rows, y, repeats=30)
    assert found.loss == pytest.approx(0, abs=1e-12)
    table = found.table
    assert list(table.index) == ["a", "b", "noise"]
    for name, weight in {"a": 3, "b": 1, "noise": 0}.items():
        expected = 2 * weight**2 * rows[name].var(ddof=0)
        assert table.loc[name, "importance"] == pytest.approx(expected, rel=0.08)
        assert table.loc[name, "low"] <= expected <= table.loc[name, "high"]
    assert found.correlation == 1
    assert not table["disagree"].any()


def test_the_loss_of_classes_is_scikit_learns(rows):
    y = np.where(rows["a"] + rows["b"] > 0, "yes", "no")
    model = LogisticRegression().fit(rows, y)
    found = permutation_importance(model, rows, y)
    assert found.loss == pytest.approx(log_loss(y, model.predict_proba(rows)))
    assert found.table.loc["noise", "high"] < found.table.loc["b", "low"]
    assert (found.table["sd"] > 0).sum() >= 2


def test_what_moves_answers_and_does_not_help_is_named(rows):
    y = 2 * rows["a"] + np.random.default_rng(1).normal(0, 2, len(rows))
    tree = DecisionTreeRegressor(random_state=0).fit(rows[:200], y[:200])  # learns noise by heart
    found = permutation_importance(tree, rows[200:], y[200:])
    said = found.table["disagree"].to_dict()
    assert any("moves answers" in said[name] for name in ("b", "noise"))
    assert said["a"] == ""


def test_same_seed_same_numbers(rows):
    y = rows["a"]
    once, again = (permutation_importance(lambda r: r["a"], rows, y) for _ in range(2))
    pd.testing.assert_frame_equal(once.table, again.table)


def test_what_cannot_be_asked_is_said(rows):
    y = np.where(rows["a"] > 0, "yes", "no")
    model = LogisticRegression().fit(rows, y)
    with pytest.raises(AskError, match=r"y has shape \(399,\)"):
        permutation_importance(model, rows, y[1:])
    with pytest.raises(AskError, match="no class 'maybe'"):
        permutation_importance(model, rows, np.where(y == "no", "maybe", y))
    with pytest.raises(AskError, match="repeats is 1"):
        permutation_importance(model, rows, y, repeats=1)
    with pytest.raises(AskError, match="nothing can be shuffled"):
        permutation_importance(model, rows[:1], y[:1])


def test_its_interval_holds_what_is_true_as_often_as_it_says():
    """Twice the variance; rows count as who receives a cell and as who gives it."""
    held = 0
    for seed in range(60):
        X = pd.DataFrame(np.random.default_rng(seed).normal(size=(100, 2)), columns=["a", "b"])
        found = permutation_importance(
            lambda r: r["a"], X, X["a"],
            background=X[:5], repeats=5, confidence=0.9, random_state=seed,
        )  # fmt: skip
        held += found.table.loc["a", "low"] <= 2 <= found.table.loc["a", "high"]
    assert 0.78 <= held / 60 <= 0.99

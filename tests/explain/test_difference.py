"""What changed between models is what was changed, and its parts add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor

import pellucid
from pellucid import AutoMLClassifier
from pellucid.explain.agreement import agree, leaders
from pellucid.explain.asking import AskError
from pellucid.explain.difference import FACTS, diff, diff_explanations, diff_periods


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(250, 4)), columns=list("abcd"))


def linear(rows, weights, shift=0.0):
    target = rows.to_numpy() @ np.asarray(weights) + shift
    return LinearRegression().fit(rows, target)


def test_the_parts_of_a_change_add_up_to_the_change_of_the_mean(rows):
    background = rows[:60]
    a, b = linear(rows, [3, 2, 1, 0.5]), linear(rows, [3, -2, 1, 4], 0.7)
    found = diff(a, b, rows, background=background)
    change = b.predict(rows).mean() - a.predict(rows).mean()
    assert found.facts["mean_change"] == pytest.approx(change)
    total = found.table["drive"].sum() + found.facts["base_change"]
    assert total == pytest.approx(change)
    away = rows.mean() - background.mean()
    assert found.table.loc["d", "drive"] == pytest.approx(3.5 * away["d"])
    assert found.table.loc["d", "move"] == 3
    assert found.table.loc["b", "flips"] == 1
    assert found.table.loc["a", "flips"] == 0
    assert found.facts["max_rank_move"] == 3
    assert found.facts["top_changed"] is True
    assert found.facts["predictions_changed"] == 1
    assert set(found.facts) == set(FACTS)


def test_a_model_does_not_differ_from_itself(rows):
    model = linear(rows, [3, 2, 1, 0.5])
    found = diff(model, model, rows)
    facts = dict(found.facts)
    assert facts.pop("n_rows") == 250
    assert facts.pop("rank_correlation") == pytest.approx(1)
    assert facts.pop("top_overlap") == 1
    assert not any(facts.values())
    assert "rank_correlation: 1" in str(found)


def test_columns_that_one_model_has_not_count_nothing_there(rows):
    a = linear(rows, [3, 2, 1, 0.5])
    b = LinearRegression().fit(rows[["a", "b"]], rows["b"])
    found = diff(a, b, rows)
    assert found.table.loc["c", "b"] == 0
    assert (found.facts["lost_features"], found.facts["new_features"]) == (2, 0)


def test_different_links_are_compared_in_what_is_predicted(rows):
    counts = np.random.default_rng(0).poisson(np.exp(rows["a"]))
    log, line = PoissonRegressor().fit(rows, counts), LinearRegression().fit(rows, counts)
    found = diff(log, line, rows[:40])
    assert found.a.space == "response"
    expected = line.predict(rows[:40]).mean() - log.predict(rows[:40]).mean()
    assert found.facts["mean_change"] == pytest.approx(expected)
    assert diff(log, log, rows[:40]).a.space == "margin"


def test_periods_of_one_model_differ_by_their_rows(rows):
    model = linear(rows, [3, 2, 1, 0.5])
    later = rows[:100].assign(a=rows["a"][:100] + 2).set_axis(range(1000, 1100))
    found = diff_periods(model, rows, later)
    assert found.table.index[0] == "a"
    shift = later["a"].mean() - rows["a"].mean()
    assert found.table.loc["a", "drive"] == pytest.approx(3 * shift)
    assert found.facts["base_change"] == pytest.approx(0)
    assert np.isnan(found.facts["sign_flips"])
    assert np.isnan(found.facts["predictions_changed"])


def test_classes_can_be_looked_at_from_either_side(rows):
    y = np.where(rows["a"] + rows["b"] > 0, "yes", "no")
    a = LogisticRegression().fit(rows, y)
    b = LogisticRegression().fit(rows, np.where(rows["a"] > 0, "yes", "no"))
    yes, no = (diff(a, b, rows, label=label) for label in ("yes", "no"))
    assert yes.facts["mean_change"] == pytest.approx(-no.facts["mean_change"])
    assert yes.facts["predictions_changed"] == np.mean(a.predict(rows) != b.predict(rows))


def test_what_cannot_be_compared_is_refused(rows):
    y = np.where(rows["a"] > 0, "yes", "no")
    a = LogisticRegression().fit(rows, y)
    b = LogisticRegression().fit(rows, np.where(y == "yes", "on", "off"))
    with pytest.raises(AskError, match="different classes"):
        diff(a, b, rows)
    with pytest.raises(AskError, match="at least two"):
        diff(a, a, rows[:1], background=rows)
    margin = pellucid.explain(a, rows[:9], background=rows[:9])
    chance = pellucid.explain(a, rows[:9], background=rows[:9], space="probability")
    with pytest.raises(AskError, match="in margin space, the other in probability"):
        diff_explanations(margin, chance)


def test_models_agree_on_what_matters_or_are_shown_to_differ(rows):
    models = {
        "a first": linear(rows, [9, 3, 0, 0]),
        "the same": linear(rows, [10, 3.2, 0.01, 0]),
        "d first": linear(rows, [0, 3, 0, 9]),
    }
    found = agree(models, rows, top=1)
    assert found.correlation.loc["a first", "the same"] > 0.7
    assert found.correlation.loc["a first", "d first"] < 0.5
    assert set(found.contested) == {"a", "d"}
    np.testing.assert_allclose(found.shares.sum(), 1)
    assert found.ranks.loc["a", "a first"] == 1
    assert "contested: " in str(found)
    with pytest.raises(AskError, match="at least two"):
        agree({"one": models["a first"]}, rows)


def test_the_best_of_a_leaderboard_side_by_side(people, tmp_path):
    frame, y = people
    clf = AutoMLClassifier(time_budget=None, max_trials=3, store=str(tmp_path)).fit(frame, y)
    best = leaders(clf.run_, top=3)
    assert len(best) == 3
    found = agree(best, frame[:80])
    assert set(found.shares.columns) == set(best)
    assert sorted(found.shares.index) == sorted(frame.columns)
    changed = diff(*list(best.values())[:2], frame[:80])
    total = changed.table["drive"].sum() + changed.facts["base_change"]
    assert total == pytest.approx(changed.facts["mean_change"])
    with pytest.raises(AskError, match="has no leaderboard"):
        leaders(clf.predictor_)

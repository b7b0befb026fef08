"""Intervals hold the score of endless rows as often as they say, and agree with a bootstrap."""

import numpy as np
import pytest

from pellucid.automl.score_intervals import score_intervals
from pellucid.models.problem import Problem
from pellucid.search.metrics import score

BINARY = Problem("binary", 2)
METRICS = {
    "binary": ("accuracy", "log_loss", "AUC_weighted"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("root_mean_squared_error", "mean_absolute_error"),
}


def drawn(task, n, rng):
    if task == "regression":
        y = rng.normal(size=n)
        return y, (y + 0.5 * rng.normal(size=n))[:, None], Problem("regression")
    if task == "binary":
        y = (rng.random(n) < 0.3).astype(int)
        return y, (2 * y - 1.5 + rng.normal(size=n)).round(2)[:, None], BINARY
    y = rng.integers(0, 3, n)
    return y, 1.5 * np.eye(3)[y] + rng.normal(size=(n, 3)), Problem("multiclass", 3)


@pytest.mark.parametrize("task", list(METRICS))
def test_they_agree_with_a_bootstrap(task):
    rng = np.random.default_rng(1)
    y, margins, problem = drawn(task, 400, rng)
    found = score_intervals(y, margins, problem)
    assert set(found) == set(METRICS[task])
    again = []
    for _ in range(150):
        rows = rng.integers(0, 400, 400)
        scores = score(y[rows], margins[rows], problem)
        again.append([scores[metric] for metric in METRICS[task]])
    spread = np.std(again, axis=0)
    told = score(y, margins, problem)
    for metric, deviation in zip(METRICS[task], spread, strict=True):
        low, high = found[metric]
        assert low < told[metric] < high
        assert high - low == pytest.approx(2 * 1.96 * deviation, rel=0.25)


@pytest.mark.parametrize("task", list(METRICS))
def test_they_hold_the_truth_about_as_often_as_they_say(task):
    rng = np.random.default_rng(2)
    y, margins, problem = drawn(task, 200_000, rng)
    truth = score(y, margins, problem)
    held = dict.fromkeys(METRICS[task], 0)
    for rows in np.arange(200_000).reshape(500, 400):
        for metric, (low, high) in score_intervals(y[rows], margins[rows], problem).items():
            held[metric] += low <= truth[metric] <= high
    for metric, times in held.items():
        assert 0.92 <= times / 500 <= 0.98, metric


def test_few_rows_and_one_class_have_none():
    assert score_intervals(np.zeros(19, int), np.zeros((19, 1)), BINARY) == {}
    found = score_intervals(np.zeros(50, int), np.linspace(-3, 1, 50)[:, None], BINARY)
    assert set(found) == {"accuracy", "log_loss"}


def test_what_is_right_throughout_is_not_told_to_be_certain():
    y = np.arange(60) % 2
    found = score_intervals(y, np.where(y == 1, 4.0, -4.0)[:, None], BINARY)
    assert set(found) == {"accuracy"}  # whose lower end is below 1
    assert found["accuracy"][0] == pytest.approx(60 / (60 + 1.959964**2))

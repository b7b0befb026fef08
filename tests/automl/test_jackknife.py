"""Intervals of scores hold what they claim."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from pellucid.automl.jackknife import jackknife_intervals
from pellucid.models.problem import Problem


def test_of_a_mean_it_is_the_interval_of_the_means_of_parts():
    rng = np.random.default_rng(0)
    y, part = rng.normal(size=200), np.repeat(np.arange(20), 10)
    margins = y[:, None] + rng.normal(size=(200, 1))
    low, high = jackknife_intervals(
        y, margins, Problem("regression"), ["mean_absolute_error"], part=part
    )["mean_absolute_error"]
    errors = np.abs(margins[:, 0] - y)
    means = errors.reshape(20, 10).mean(axis=1)
    half = t.ppf(0.975, 19) * means.std(ddof=1) / np.sqrt(20)
    assert (low, high) == pytest.approx((errors.mean() - half, errors.mean() + half))


def test_ninety_five_of_a_hundred_hold_the_true_auc():
    rng, truth, held = np.random.default_rng(1), norm.cdf(1 / np.sqrt(2)), 0
    for seed in range(60):
        y = rng.integers(0, 2, 150)
        margins = (y + rng.normal(size=150))[:, None]
        found = jackknife_intervals(y, margins, Problem("binary", 2), ["AUC_weighted"], seed=seed)
        low, high = found["AUC_weighted"]
        held += low <= truth <= high
    assert 0.86 <= held / 60 <= 0.99


def test_more_rows_than_are_scored_have_a_narrower_interval():
    rng = np.random.default_rng(2)
    y = rng.normal(size=60_000)
    margins = y[:, None] + rng.normal(size=(60_000, 1))
    widths = []
    for n in (20_000, 60_000):
        low, high = jackknife_intervals(y[:n], margins[:n], Problem("regression"), ["r2_score"])[
            "r2_score"
        ]
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(3), rel=0.5)


def test_what_cannot_be_told_is_left_out():
    y, right = np.arange(40) % 2, np.where(np.arange(40) % 2, 9.0, -9.0)[:, None]
    problem = Problem("binary", 2)
    assert jackknife_intervals(y, right, problem, ["accuracy"]) == {}  # no row is wrong
    assert jackknife_intervals(y, right, problem, ["log_loss"], part=np.arange(40) % 2) == {}
    assert jackknife_intervals(y[:1], right[:1], problem, ["log_loss"]) == {}


def test_an_interval_ends_where_the_score_does():
    y = np.arange(60) % 2
    margins = np.where(y == 1, 3.0, -3.0)[:, None]
    margins[0] = 3.0
    low, high = jackknife_intervals(y, margins, Problem("binary", 2), ["accuracy"])["accuracy"]
    assert low < 1 - 1 / 60 < high == 1.0

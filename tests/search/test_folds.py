"""Folds: even, alike, and never both learned from and judged by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.models.problem import Problem
from pellucid.search.folds import (
    FoldError,
    fixed_fold,
    group_folds,
    holdout,
    origin_folds,
    random_folds,
    time_folds,
)


@pytest.mark.parametrize(
    ("y", "problem"),
    [
        (np.repeat([0, 1], [190, 10]), Problem("binary", 2)),
        (np.repeat([0, 1, 2], [5, 100, 95]), Problem("multiclass", 3)),
        (np.random.default_rng(0).gamma(1.0, size=200), Problem("regression")),
    ],
)
def test_random_folds_are_even_and_alike(y, problem):
    folds = random_folds(y, problem, n_folds=5, seed=3)
    sizes = np.bincount(folds.of_row)
    assert sizes.max() - sizes.min() <= 1
    for k in range(len(sizes)):
        if problem.is_classification:
            for c in np.unique(y):
                held_out = (y[folds.of_row == k] == c).sum()
                assert abs(held_out - (y == c).sum() / len(sizes)) <= 1
        else:
            assert abs(y[folds.of_row == k].mean() - y.mean()) < 0.1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=60), st.integers(2, 6), st.integers(0, 99))
def test_a_group_is_on_one_side_of_every_fold(groups, n_folds, seed):
    if len(set(groups)) < 2:
        with pytest.raises(FoldError, match="at least two"):
            group_folds(groups, n_folds=n_folds, seed=seed)
        return
    folds = group_folds(groups, n_folds=n_folds, seed=seed)
    assert folds.scored.all()
    for k in range(folds.n):
        learned, held_out = folds.split(k)
        assert not set(np.array(groups)[learned]) & set(np.array(groups)[held_out])
        assert held_out.any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=60), st.integers(1, 6))
def test_a_model_is_judged_by_rows_after_those_it_learned_from(moments, n_folds):
    moments = np.array(moments)
    if len(set(moments.tolist())) < 2:
        with pytest.raises(FoldError, match="one moment"):
            time_folds(moments, n_folds=n_folds)
        return
    folds = time_folds(moments, n_folds=n_folds)
    assert folds.n >= 1
    for k in range(folds.n):
        learned, held_out = folds.split(k)
        assert learned.any()
        assert held_out.any()
        assert moments[learned].max() < moments[held_out].min()


def test_a_validation_set_is_never_learned_from():
    folds = fixed_fold(6, 3)
    learned, held_out = folds.split(0)
    assert learned.sum() == 6
    assert np.flatnonzero(held_out).tolist() == [6, 7, 8]
    assert np.array_equal(folds.learned, learned)
    assert folds.redrawn(np.zeros(9), Problem("regression"), repeat=2) is folds


def test_another_draw_is_another_division_of_the_same_size():
    y = np.random.default_rng(0).normal(size=300)
    problem = Problem("regression")
    for first in (
        random_folds(y, problem, n_folds=4, seed=1),
        holdout(y, problem, share=0.2, seed=1),
    ):
        again = first.redrawn(y, problem, repeat=1)
        assert again.n == first.n
        assert again.scored.sum() == pytest.approx(first.scored.sum(), abs=1)
        assert not np.array_equal(again.of_row, first.of_row)
        assert np.array_equal(again.of_row, first.redrawn(y, problem, repeat=1).of_row)


@given(
    seed=st.integers(0, 10_000),
    horizon=st.integers(1, 12),
    n_folds=st.integers(1, 6),
    n_steps=st.integers(30, 120),
)
def test_no_fold_learns_from_what_its_forecasts_could_not_know(seed, horizon, n_folds, n_steps):
    rng = np.random.default_rng(seed)
    target = rng.integers(1, n_steps, 800)
    origin = target - rng.integers(1, horizon + 1, 800)
    folds = origin_folds(origin, target, n_folds=n_folds, horizon=horizon)
    assert 1 <= folds.n <= n_folds
    earlier = np.zeros(800, dtype=bool)
    for fold in range(folds.n):
        learned, held_out = folds.split(fold)
        assert learned.sum() > 1
        assert held_out.any()
        assert target[learned].max() <= origin[held_out].min()
        assert not (earlier & ~learned).any()  # later folds learn from all that earlier ones did
        earlier = learned
    assert folds.learned.all()


def test_a_history_too_short_for_its_horizon_is_refused():
    origin = np.arange(6)
    with pytest.raises(FoldError, match="too few to judge forecasts of 8"):
        origin_folds(origin, origin + 1, n_folds=3, horizon=8)

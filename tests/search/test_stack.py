"""The stack weighs margins: never worse than its best member, never negative."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from pellucid.models.problem import Problem
from pellucid.search.metrics import get_metric
from pellucid.search.stack import _loss, fit_stack


def members(task, *, n_rows=800, seed=0):
    rng = np.random.default_rng(seed)
    n_outputs = 3 if task == "multiclass" else 1
    truth = 1.5 * rng.normal(size=(n_rows, n_outputs))
    noisy = [truth + noise * rng.normal(size=truth.shape) for noise in (0.7, 0.8, 3.0)]
    if task == "regression":
        return noisy, truth[:, 0] + 0.1 * rng.normal(size=n_rows), Problem("regression")
    if task == "binary":
        y = (rng.random(n_rows) < 1 / (1 + np.exp(-truth[:, 0]))).astype(int)
        return noisy, y, Problem("binary", 2)
    y = (truth + rng.gumbel(size=truth.shape)).argmax(axis=1)
    return noisy, y, Problem("multiclass", 3)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_ensemble_is_at_least_as_good_as_each_member(task):
    margins, y, problem = members(task)
    stack = fit_stack(margins, y, problem)
    metric = get_metric("log_loss" if problem.is_classification else "r2_score", problem)

    def loss(m):
        return metric.loss(metric.compute(y, problem.response(m)))

    assert (stack.weights >= 0).all()
    assert loss(stack.margins(margins)) <= min(loss(m) for m in margins) + 1e-3


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_slope_is_the_derivative_of_the_loss(task):
    margins, y, problem = members(task, n_rows=12)
    shape = margins[0].shape

    def value(flat):
        return _loss(flat.reshape(shape), y, problem)[0]

    def slope(flat):
        return _loss(flat.reshape(shape), y, problem)[1].ravel()

    assert check_grad(value, slope, margins[0].ravel()) < 1e-5


def test_noise_gets_no_weight_and_few_members_stay():
    rng = np.random.default_rng(1)
    y = rng.normal(size=500)
    good = [(y + 0.5 * rng.normal(size=500))[:, None] for _ in range(12)]
    noise = [rng.normal(size=(500, 1)) for _ in range(3)]
    stack = fit_stack(good + noise, y, Problem("regression"), max_members=5)
    assert (stack.weights > 0).sum() <= 5
    assert (stack.weights[12:] == 0).all()


def test_equal_members_share_the_weight():
    margins, y, problem = members("binary")
    stack = fit_stack([margins[0], margins[0]], y, problem)
    assert stack.weights[0] == pytest.approx(stack.weights[1], rel=1e-3)

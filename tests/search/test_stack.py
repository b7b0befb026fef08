"""The stack weighs margins: never worse than its best member, never negative."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from pellucid.models.problem import Problem
from pellucid.search.metrics import get_metric
from pellucid.search.stack import _loss, _quadratic, fit_stack


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
        return metric.loss(metric.compute(y, problem.response(m), None))

    assert (stack.weights >= 0).all()
    assert loss(stack.margins(margins)) <= min(loss(m) for m in margins) + 1e-3


@pytest.mark.parametrize("link", ["identity", "log"])
def test_an_average_keeps_the_level_of_its_members(link):
    rng = np.random.default_rng(0)
    truth = 2.0 + 0.5 * rng.normal(size=(500, 1))
    low = [truth - 0.3 + noise * rng.normal(size=truth.shape) for noise in (0.1, 0.12, 1.0)]
    problem = Problem("regression", link=link)
    y = problem.response(truth)
    stack = fit_stack(low, y, problem, average=True)
    assert stack.weights.sum() == pytest.approx(1.0)
    assert (stack.weights >= 0).all()
    assert (stack.intercept == 0).all()

    def loss(margins):
        return np.mean((problem.response(margins) - y) ** 2)

    assert loss(stack.margins(low)) <= min(loss(member) for member in low)
    free = fit_stack(low, y, problem)
    assert loss(free.margins(low)) < loss(stack.margins(low))


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_quadratic_has_the_slope_and_curvature_of_the_loss(task, link):
    margins, y, problem = members(task, n_rows=40)
    if task == "regression":
        # where the response equals y the curvature of Gauss and Newton is exact
        problem = Problem("regression", link=link)
        y = np.abs(y)
    elif link == "log":
        pytest.skip("classes have one link")
    stacked = np.stack(margins, axis=2)
    share = np.random.default_rng(2).random(len(y))
    share /= share.sum()
    n = stacked.shape[2]
    theta = np.concatenate([np.full(n, 0.2), np.full(stacked.shape[1], 0.1)])
    if task == "regression":
        y = problem.response(stacked @ theta[:n] + theta[n:])

    def loss(at):
        return _loss(stacked @ at[:n] + at[n:], y, share, problem, 2.0)

    slope, bend = _quadratic(stacked, stacked @ theta[:n] + theta[n:], y, share, problem, 2.0)
    np.testing.assert_allclose(slope, approx_fprime(theta, loss, 1e-7), atol=1e-5)

    def slope_at(at):
        return _quadratic(stacked, stacked @ at[:n] + at[n:], y, share, problem, 2.0)[0]

    numeric = np.array([(slope_at(theta + 1e-6 * e) - slope) / 1e-6 for e in np.eye(len(theta))])
    np.testing.assert_allclose(bend, numeric, atol=1e-3 * np.abs(numeric).max())


@pytest.mark.parametrize("link", ["identity", "log"])
def test_weights_are_those_of_a_general_optimiser(link):
    rng = np.random.default_rng(3)
    truth = rng.normal(size=(400, 1))
    margins = [truth + noise * rng.normal(size=truth.shape) for noise in (0.3, 0.5, 0.4)]
    problem = Problem("regression", link=link)
    y = problem.response(truth) * rng.uniform(0.9, 1.1, size=400)
    stack = fit_stack(margins, y, problem, worth=[0.0] * 3)
    ridge, scale = max(1e-3, 3.0 / 400), y.std()

    def objective(theta):
        error = (problem.response(np.hstack(margins) @ theta[:3, None] + theta[3]) - y) / scale
        return (error**2).mean() + ridge * ((theta[:3] - 1 / 3) ** 2).sum()

    if link == "identity":  # margins and y are on the scale of y there
        margins_scaled = [m / scale for m in margins]

        def objective(theta):
            error = np.hstack(margins_scaled) @ theta[:3] + theta[3] / scale - y / scale
            return (error**2).mean() + ridge * ((theta[:3] - 1 / 3) ** 2).sum()

    found = minimize(objective, [0.3, 0.3, 0.3, 0.0], bounds=[(0, None)] * 3 + [(None, None)])
    ours = np.append(stack.weights, stack.intercept)
    assert objective(ours) <= found.fun + 1e-6


def test_rows_of_no_weight_do_not_matter():
    margins, y, problem = members("binary")
    weight = np.repeat([1.0, 0.0], [500, 300])
    whole = fit_stack(margins, y, problem, weight=weight)
    part = fit_stack([m[:500] for m in margins], y[:500], problem)
    np.testing.assert_allclose(whole.weights, part.weights, atol=1e-6)


def test_a_costly_member_must_be_worth_it():
    margins, y, problem = members("binary")
    both = fit_stack(margins[:2], y, problem)
    assert (both.weights > 0).all()
    assert fit_stack(margins[:2], y, problem, worth=[2e-4, 0.5]).weights[1] == 0.0


def test_noise_gets_no_weight_and_few_members_stay():
    rng = np.random.default_rng(1)
    y = rng.normal(size=500)
    good = [(y + 0.5 * rng.normal(size=500))[:, None] for _ in range(12)]
    noise = [rng.normal(size=(500, 1)) for _ in range(3)]
    stack = fit_stack(good + noise, y, Problem("regression"), max_members=5)
    assert (stack.weights > 0).sum() <= 5
    assert (stack.weights[12:] == 0).all()


def test_equal_members_share_the_weight_unless_one_is_enough():
    margins, y, problem = members("binary")
    shared = fit_stack([margins[0], margins[0]], y, problem, worth=[-1.0, -1.0])
    assert shared.weights[0] == pytest.approx(shared.weights[1], rel=1e-3)
    enough = fit_stack([margins[0], margins[0]], y, problem)
    assert sorted(enough.weights > 0) == [False, True]

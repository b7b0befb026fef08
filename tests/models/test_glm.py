"""The linear solvers: the optimum that scikit-learn finds, and an end in time."""

import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from pellucid.models.family import Rows, get_family
from pellucid.models.glm import MOST_STEPS, fit_likelihood, fit_squares
from pellucid.models.problem import Problem

BINARY, THREE = Problem("binary", 2), Problem("multiclass", 3)
RATE = Problem("regression", link="log")


def table(n_rows=400, n_columns=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    signal = X @ rng.normal(size=n_columns) + rng.normal(size=n_rows)
    return X - X.mean(axis=0), signal, rng.uniform(0.5, 2.0, n_rows)


def classes(signal, problem):
    return np.digitize(signal, [-0.7, 0.7] if problem is THREE else [0.2])


def marks(y, problem):
    return (y[:, None] == np.arange(problem.n_classes)[-problem.n_outputs :]).astype(float)


@pytest.mark.parametrize("strength", [0.05, 3.0])
@pytest.mark.parametrize("problem", [BINARY, THREE])
def test_classes_have_the_coefficients_that_scikit_learn_finds(problem, strength):
    X, signal, weight = table()
    y = classes(signal, problem)
    theirs = LogisticRegression(C=strength, tol=1e-9, max_iter=5000)
    theirs.fit(X, y, sample_weight=weight)
    found = fit_likelihood(
        X, marks(y, problem), weight, problem, strength=strength, start=np.zeros(problem.n_outputs)
    )
    scale = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(found.coef, theirs.coef_, atol=0.02 * scale)
    shift = (found.intercept - theirs.intercept_)[0] if problem is THREE else 0.0
    np.testing.assert_allclose(found.intercept - shift, theirs.intercept_, atol=0.02)


def test_ratios_have_the_coefficients_that_scikit_learn_finds():
    X, signal, weight = table()
    y = np.exp(0.4 * signal)
    y /= np.average(y, weights=weight)
    theirs = PoissonRegressor(alpha=1.0 / weight.sum(), tol=1e-9, max_iter=5000)
    theirs.fit(X, y, sample_weight=weight)
    found = fit_likelihood(X, y[:, None], weight, RATE, strength=1.0, start=np.zeros(1))
    np.testing.assert_allclose(found.coef[0], theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(found.intercept[0], theirs.intercept_, atol=2e-3)


@pytest.mark.parametrize("n_rows", [50, 25_000])  # at once, and in parts
def test_squares_have_the_coefficients_that_scikit_learn_finds(n_rows):
    n_columns = 6 if n_rows == 50 else 300
    X, y, weight = table(n_rows, n_columns)
    X -= np.average(X, axis=0, weights=weight)
    theirs = Ridge(alpha=1 / 0.3).fit(X, y, sample_weight=weight)
    found = fit_squares(X, y, weight, strength=0.3)
    np.testing.assert_allclose(found.coef[0], theirs.coef_, atol=1e-9)
    np.testing.assert_allclose(found.intercept[0], theirs.intercept_, atol=1e-9)
    assert found.steps == MOST_STEPS


@pytest.mark.parametrize(
    ("problem", "n_rows", "n_columns"),
    [(BINARY, 400, 6), (THREE, 400, 6), (RATE, 400, 6), (Problem("regression"), 25_000, 300)],
)
def test_a_fit_that_is_out_of_time_ends_and_can_be_had_again(problem, n_rows, n_columns):
    X, signal, _ = table(n_rows, n_columns)
    y = classes(signal, problem) if problem.is_classification else np.exp(0.4 * signal)
    rows, linear = Rows(X.astype(np.float32), y), get_family("linear")

    def fit(**options):
        return linear.fit(rows, problem, {"strength": 1.0}, seed=0, **options)

    whole, hurried = fit(), fit(deadline=time.monotonic())
    assert (whole.rounds, hurried.rounds) == (MOST_STEPS, 1)
    assert not np.allclose(hurried.coef, whole.coef, atol=1e-4)
    for member in (whole, hurried):
        again = fit(rounds=member.rounds)
        assert np.array_equal(again.margins(rows.X), member.margins(rows.X))
        assert again.rounds == member.rounds


def test_separable_classes_have_finite_margins():
    X = np.repeat([[-1.0], [1.0]], 50, axis=0)
    y = np.repeat([0, 1], 50)
    found = fit_likelihood(
        X, marks(y, BINARY), np.ones(100), BINARY, strength=1e8, start=np.zeros(1)
    )
    assert 5.0 < found.coef[0, 0] < 1e4


def test_words_keep_their_proportions():
    """A word of twice the weights has the effect of one that is penalised four times less."""
    rng = np.random.default_rng(0)
    X = (rng.random((500, 2)) < 0.3) * rng.random((500, 2))
    y = X[:, 0] + X[:, 1] + 0.1 * rng.normal(size=500)
    X[:, 1] /= 10.0
    linear, problem = get_family("linear"), Problem("regression")
    rows = Rows(X.astype(np.float32), y, words=(0, 1))
    held = linear.fit(rows, problem, {"strength": 0.1}, seed=0).coef[0] * [1.0, 0.1]
    alike = linear.fit(Rows(rows.X, y), problem, {"strength": 0.1}, seed=0).coef[0] * [1.0, 0.1]
    assert held[1] < 0.2 * held[0]
    assert alike[1] == pytest.approx(alike[0], rel=0.2)
    ridge = Ridge(alpha=10.0).fit(rows.X, y)
    np.testing.assert_allclose(held, ridge.coef_ * [1.0, 0.1], rtol=1e-4)

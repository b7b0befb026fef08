import numpy as np
import pytest

from pellucid import shapley

from .oracle import brute_force


def example(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 4)), rng.normal(size=2), rng.normal(size=(12, 4))


def test_values_equal_their_definition():
    coef, intercept, X = example()
    players = np.array([0, 1, 0, 2])
    tables = shapley.linear(coef, intercept, background=X[5:], players=players)
    expected = brute_force(lambda rows: rows @ coef.T + intercept, X[:5], X[5:], players)
    np.testing.assert_allclose(tables.values(X[:5]), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tables.margins(X), X @ coef.T + intercept, rtol=1e-12)
    total = tables.values(X).sum(axis=1) + tables.base_values
    np.testing.assert_allclose(total, tables.margins(X), rtol=1e-12)


def test_missing_values_take_the_fill():
    coef, intercept, X = example()
    hole = X.copy()
    hole[0, 1] = np.nan
    tables = shapley.linear(coef, intercept, background=X, fill=[1.0, 2.0, 3.0, 4.0])
    X[0, 1] = 2.0
    np.testing.assert_allclose(tables.values(hole), tables.values(X), rtol=1e-12)
    by_mean = shapley.linear(coef, intercept, background=X)
    np.testing.assert_allclose(by_mean.values(hole)[0, 1], 0.0, atol=1e-15)


def test_a_row_has_the_same_bits_alone_and_in_a_batch():
    coef, intercept, X = example()
    tables = shapley.linear(coef, intercept, background=X)
    assert np.array_equal(tables.values(X)[3], tables.values(X[3:4])[0])
    assert np.array_equal(tables.margins(X)[3], tables.margins(X[3:4])[0])
    assert tables.values(X[:0]).shape == (0, 4, 2)
    joined = shapley.linear(coef, intercept, background=X, players=[0, 1, 0, 1])
    many = np.tile(X, (20, 1))
    assert np.array_equal(joined.values(many)[: len(X)], joined.values(X))


def test_shapes_that_do_not_fit_are_named():
    coef, intercept, X = example()
    with pytest.raises(shapley.ShapleyError, match="intercept has shape"):
        shapley.linear(coef, [1.0], background=X)
    with pytest.raises(shapley.ShapleyError, match="background has shape"):
        shapley.linear(coef, intercept, background=X[:, :2])

"""Closed forms of additive margins against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley

from .functions import random_rows
from .oracle import brute_force

PLAYERS = [np.arange(4), np.array([0, 1, 0, 1]), np.array([1, 0, 2, 2]), np.zeros(4, int)]


def random_term(rng, columns, n_outputs):
    """A binned table, or a function, of the columns."""
    if rng.random() < 0.6:
        cuts = tuple(np.sort(rng.choice([-1.0, 0.0, 0.2, 1.0], 2, replace=False)) for _ in columns)
        tail = () if n_outputs == 1 else (n_outputs,)
        table = shapley.BinnedTable(cuts, rng.normal(size=(*(4 for _ in columns), *tail)))
        return shapley.Term(columns, table)
    scale = rng.normal(size=n_outputs)

    def bend(*values):
        first, last = (np.where(np.isnan(v), 0.3, v + 0.5) for v in (values[0], values[-1]))
        return (np.sin(first * last) + first * np.cos(last))[:, None] * scale

    return shapley.Term(columns, bend)


def random_terms(seed, n_outputs):
    rng = np.random.default_rng(seed)
    pairs = [tuple(map(int, rng.choice(4, 2, replace=False))) for _ in range(3)]
    singles = [(int(column),) for column in rng.integers(4, size=3)]
    return [random_term(rng, columns, n_outputs) for columns in pairs + singles]


def margin(terms, intercept):
    def predict(rows):
        return intercept + sum(
            np.reshape(term.function(*(rows[:, c] for c in term.columns)), (len(rows), -1))
            for term in terms
        )

    return predict


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 12), st.sampled_from(PLAYERS),
    st.booleans(),
)  # fmt: skip
def test_values_equal_their_definition(seed, n_outputs, n_background, players, weighted):
    terms, intercept = random_terms(seed, n_outputs), np.arange(n_outputs) + 0.5
    X, background = random_rows(seed, 5, 4), random_rows(seed + 1, n_background, 4)
    shares = np.random.default_rng(seed).random(n_background) + 0.1 if weighted else None
    tables = shapley.additive(
        terms, intercept, background=background, players=players, weights=shares
    )
    predict = margin(terms, intercept)
    weights = None if shares is None else shares / shares.sum()
    expected = brute_force(predict, X, background, players, weights)
    values = tables.values(X).reshape(expected.shape)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tables.margins(X), predict(X), rtol=1e-12)
    np.testing.assert_allclose(values.sum(axis=1) + tables.base_values, predict(X), atol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_row_has_the_same_bits_alone_and_in_a_batch(n_outputs):
    terms, X = random_terms(0, n_outputs), random_rows(0, 30, 4)
    tables = shapley.additive(terms, np.zeros(n_outputs), background=random_rows(1, 70, 4))
    assert any(isinstance(term.function, shapley.BinnedTable) for term in terms)
    assert not all(isinstance(term.function, shapley.BinnedTable) for term in terms)
    for row in range(len(X)):
        assert np.array_equal(tables.values(X)[row], tables.values(X[row : row + 1])[0])
        assert np.array_equal(tables.margins(X)[row], tables.margins(X[row : row + 1])[0])
    assert tables.values(X[:0]).shape[:2] == (0, 4)


def test_linear_terms_are_a_linear_model():
    rng = np.random.default_rng(2)
    coef, X = rng.normal(size=4), rng.normal(size=(9, 4))
    terms = [shapley.Term((j,), lambda values, j=j: coef[j] * values) for j in range(4)]
    tables = shapley.additive(terms, 0.5, background=X, players=PLAYERS[1])
    linear = shapley.linear(coef, 0.5, background=X, players=PLAYERS[1])
    np.testing.assert_allclose(tables.values(X), linear.values(X), atol=1e-12)


def test_values_that_meet_a_cut_belong_above_it():
    table = shapley.BinnedTable((np.array([0.0, 1.0]),), np.array([1.0, 2.0, 3.0, 4.0]))
    below = np.nextafter(0.0, -1.0)
    looked_up = table(np.array([-np.inf, below, 0.0, 0.5, 1.0, np.inf, np.nan]))
    assert looked_up.tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0]


def test_binned_tables_are_saved_and_functions_are_not(tmp_path):
    rng = np.random.default_rng(3)
    cuts = (np.array([0.0]), np.array([0.0, 1.0]))
    terms = [
        shapley.Term((0, 1), shapley.BinnedTable(cuts, rng.normal(size=(3, 4)))),
        shapley.Term((2,), shapley.BinnedTable(cuts[:1], rng.normal(size=3))),
    ]
    X = random_rows(4, 9, 3)
    tables = shapley.additive(terms, 1.0, background=X[:4])
    tables.save(tmp_path / "tables")
    loaded = shapley.load(tmp_path / "tables")
    assert np.array_equal(loaded.values(X), tables.values(X))
    assert np.array_equal(loaded.base_values, tables.base_values)
    with pytest.raises(shapley.ShapleyError, match=r"the term of columns \(0,\) is a ufunc"):
        shapley.additive([shapley.Term((0,), np.square)], 0.0, background=X).save(tmp_path / "f")


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (shapley.Term((0, 1, 2), np.add), r"a term has columns \(0, 1, 2\); expected one or two"),
        (shapley.Term((3,), np.square), "positions from 0 to 2"),
        (shapley.Term((0,), np.sum), r"gives shape \(\) for 5 rows; expected \(5,\)"),
        (shapley.Term((0,), lambda v: np.ones((len(v), 3))), r"gives shape \(5, 3\)"),
    ],
)
def test_terms_that_do_not_fit_are_named(term, message):
    with pytest.raises(shapley.ShapleyError, match=message):
        shapley.additive([term], [0.0, 1.0], background=np.zeros((5, 3)))


def test_a_table_has_one_place_more_than_bins():
    with pytest.raises(shapley.ShapleyError, match=r"shape \(2,\); these cuts need \(3,\)"):
        shapley.BinnedTable((np.array([0.0]),), np.zeros(2))

"""Sampled values against their definition, and their errors against what they claim."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley

from .functions import random_function, random_rows
from .models import fit
from .oracle import brute_force

ESTIMATORS = ("permutation", "kernel")
each = settings(max_examples=40, deadline=None)


def cube(array):
    """(n_rows, n_players, n_outputs), also for one output."""
    return array[..., None] if array.ndim == 2 else array


def totals(found):
    return cube(found.values).sum(axis=1) + found.base_values


def column(outputs):
    return outputs.reshape(len(outputs), -1)


@each
@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(1, 3),
    st.sampled_from(["auto", "exact"]),
    st.booleans(),
)
def test_few_players_are_exact(seed, n_columns, n_background, n_outputs, method, weighted):
    predict = random_function(seed, n_columns, n_outputs)
    X, background = (
        random_rows(seed + 1, 3, n_columns),
        random_rows(seed + 2, n_background, n_columns),
    )
    rng = np.random.default_rng(seed)
    players = np.unique(rng.integers(3, size=n_columns), return_inverse=True)[1]
    shares = rng.random(n_background) + 0.1 if weighted else np.ones(n_background)
    shares /= shares.sum()
    found = shapley.sample(
        predict, X, background=background, players=players, method=method, weights=shares
    )
    expected = brute_force(lambda rows: column(predict(rows)), X, background, players, shares)
    np.testing.assert_allclose(cube(found.values), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(totals(found), column(predict(X)), rtol=1e-9, atol=1e-12)
    assert (found.method == "exact").all()
    assert found.converged.all()
    assert (found.standard_errors == 0).all()


@pytest.mark.parametrize("method", ESTIMATORS)
@each
@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(13, 30), st.integers(1, 2))
def test_estimates_add_up(method, seed, n_columns, n_background, n_outputs):
    predict = random_function(seed, n_columns, n_outputs)
    X, background = (
        random_rows(seed + 1, 2, n_columns),
        random_rows(seed + 2, n_background, n_columns),
    )
    found = shapley.sample(predict, X, background=background, method=method, seed=seed)
    np.testing.assert_allclose(totals(found), column(predict(X)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_estimates_are_within_their_errors(method):
    predict = random_function(3, 8, 2)
    X, background = random_rows(4, 4, 8), random_rows(5, 15, 8)
    expected = brute_force(predict, X, background, np.arange(8))
    found = shapley.sample(predict, X, background=background, method=method, max_evals=3500)
    assert found.values.shape == found.standard_errors.shape == (4, 8, 2)
    off = np.abs(found.values - expected)
    assert (found.method == method).all()
    assert off.max() > 1e-6
    assert (off <= 4 * found.standard_errors + 1e-12).all()


@pytest.mark.parametrize(
    ("method", "n_background", "evals_per_background"),
    [
        ("permutation", 1, 700), ("permutation", 6, 400), ("permutation", 40, 45),
        ("kernel", 1, 400), ("kernel", 6, 75), ("kernel", 6, 3000),
    ],
)  # fmt: skip
def test_standard_errors_say_how_far_off_estimates_are(method, n_background, evals_per_background):
    """From the fewest evaluations that are accepted to most of all coalitions."""
    predict = random_function(6, 12)
    X, background = np.full((1, 12), 0.8), random_rows(8, n_background, 12)
    expected = shapley.sample(predict, X, background=background, method="exact").values
    runs = [
        shapley.sample(
            predict, X, background=background, method=method, seed=seed,
            max_evals=1 + evals_per_background * n_background,
        )
        for seed in range(150)
    ]  # fmt: skip
    off = np.array([run.values[0] - expected[0] for run in runs])
    claimed = np.array([run.standard_errors[0] for run in runs])
    ratio = np.sqrt((off**2).mean() / (claimed**2).mean())
    assert 0.8 < ratio < 1.12
    covered = (np.abs(off) <= 1.96 * claimed).mean()
    assert 0.85 < covered < 0.98
    bias, chance = np.abs(off.mean(axis=0)), off.std(axis=0) / np.sqrt(len(runs))
    # a regression on few coalitions is biased, by less than its error
    allowed = 0.0 if method == "permutation" else 0.5 * np.sqrt((claimed**2).mean(axis=0))
    assert (bias <= 4 * chance + allowed + 1e-12).all()


@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("precision", [0.03, 0.01])
def test_it_stops_at_the_precision_asked_for(method, precision):
    predict = random_function(9, 12)
    X, background = random_rows(10, 3, 12), random_rows(11, 5, 12)
    found = shapley.sample(predict, X, background=background, method=method, precision=precision)
    assert found.converged.all()
    assert (found.standard_errors <= precision).all()
    finer = shapley.sample(
        predict, X, background=background, method=method, precision=precision / 3
    )
    assert (finer.n_evals > found.n_evals).all()
    truth = shapley.sample(predict, X, background=background, method="exact").values
    assert (np.abs(finer.values - truth) <= 5 * precision / 3).all()


@pytest.mark.parametrize("method", ESTIMATORS)
def test_a_budget_that_is_spent_is_said(method):
    predict = random_function(12, 14)
    X, background = random_rows(13, 3, 14), random_rows(14, 10, 14)
    counted = []

    def counting(rows):
        counted.append(len(rows))
        return predict(rows)

    found = shapley.sample(
        counting, X, background=background, method=method, precision=1e-9, max_evals=5000
    )
    assert not found.converged.any()
    assert (found.n_evals <= 5000).all()
    assert (found.n_evals > 4000).all()
    assert sum(counted) == found.n_evals.sum() + len(background)
    background[:] = X[0]  # the first row takes next to nothing, the second too much
    counted.clear()
    with pytest.raises(shapley.ShapleyError, match=r"row 1 takes \d+ .* max_evals is 100"):
        shapley.sample(counting, X, background=background, method=method, max_evals=100)
    assert counted == []


@pytest.mark.parametrize("method", ["auto", "exact", *ESTIMATORS])
def test_a_row_has_the_same_bits_alone_and_in_any_batch(method):
    """Even for a function whose last bits depend on how many rows it is given."""
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(11, 3))
    mix = rng.normal(size=(3, 2))

    def predict(rows):
        return np.tanh(np.nan_to_num(rows) @ coef) @ mix

    X, background = random_rows(16, 7, 11), random_rows(17, 20, 11)
    X[3] = background[0]
    options = {"background": background, "method": method, "precision": 0.01, "seed": 5}
    whole = shapley.sample(predict, X, **options)
    order = rng.permutation(len(X))
    mixed = shapley.sample(predict, X[order], **options)
    for name in ("values", "standard_errors", "n_evals", "method", "converged"):
        assert np.array_equal(getattr(mixed, name), getattr(whole, name)[order])
        for row in range(len(X)):
            alone = shapley.sample(predict, X[row : row + 1], **options)
            assert np.array_equal(getattr(alone, name)[0], getattr(whole, name)[row])


def test_seeds_differ_and_repeat():
    predict = random_function(18, 12)
    X, background = random_rows(19, 2, 12), random_rows(20, 10, 12)
    for method in ESTIMATORS:
        runs = [
            shapley.sample(predict, X, background=background, method=method, seed=seed).values
            for seed in (0, 0, 1)
        ]
        assert np.array_equal(runs[0], runs[1])
        assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("method", ["exact", "permutation"])
@each
@given(st.integers(0, 10**6))
def test_a_player_that_changes_nothing_gets_exactly_zero(method, seed):
    predict = random_function(seed, 7)
    X, background = random_rows(seed + 1, 2, 8), random_rows(seed + 2, 13, 8)
    found = shapley.sample(
        lambda rows: predict(rows[:, :7]), X, background=background, method=method
    )
    assert (found.values[:, 7] == 0).all()
    assert (found.standard_errors[:, 7] == 0).all()


@pytest.mark.parametrize("method", ["exact", *ESTIMATORS])
def test_players_that_equal_the_background_are_not_asked(method):
    predict = random_function(21, 6)
    X = random_rows(22, 1, 6)
    background = np.repeat(X, 3, axis=0)
    background[:, 2] = 5.0, 6.0, 7.0
    found = shapley.sample(predict, X, background=background, method=method)
    assert found.n_evals[0] == 1
    assert (np.delete(found.values, 2) == 0).all()
    np.testing.assert_allclose(totals(found)[0], predict(X), atol=1e-12)
    same = shapley.sample(predict, X, background=X, method=method)
    assert (same.values == 0).all()


@pytest.mark.parametrize("method", ESTIMATORS)
def test_pairs_of_columns_need_no_sampling(method):
    """Both estimators are exact where no three columns act together, errors being zero."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(9, 9))

    def predict(rows):
        return ((rows @ pairs) * rows).sum(axis=1)

    X, background = rng.normal(size=(3, 9)), rng.normal(size=(13, 9))
    found = shapley.sample(predict, X, background=background, method=method, precision=1e-6)
    expected = brute_force(lambda rows: predict(rows)[:, None], X, background, np.arange(9))
    np.testing.assert_allclose(found.values, expected[:, :, 0], atol=1e-9)
    assert found.standard_errors.max() < 1e-9
    assert found.converged.all()


def test_lightgbm_agrees_with_its_tables():
    booster, X = fit("multiclass", n_trees=30, n_leaves=15)
    background = X[:25]
    tables = shapley.compile(booster, background=background)
    for method in ("exact", *ESTIMATORS):
        found = shapley.sample(
            lambda rows: booster.predict(rows, raw_score=True), X[50:55], background=background,
            method=method,
        )  # fmt: skip
        off = np.abs(found.values - tables.values(X[50:55]))
        assert (off <= 4 * found.standard_errors + 1e-9).all()
        np.testing.assert_allclose(found.base_values, tables.base_values, atol=1e-9)


def test_what_auto_takes():
    predict = random_function(23, 14)
    X, background = np.ones((2, 14)), np.zeros((12, 14))
    X[0, 8:] = 0.0
    take = shapley.sample(predict, X, background=background)
    assert take.method.tolist() == ["exact", "permutation"]
    assert take.n_evals[0] == 1 + 12 * (2**8 - 2)
    assert shapley.sample(predict, X, background=background, precision=0.1).method[0] != "exact"
    assert shapley.sample(predict, X, background=background, max_evals=3000).method[0] != "exact"
    assert shapley.sample(predict, X, background=background[:1]).method[1] == "kernel"
    light = [1.0] + [1e-9] * 11
    assert shapley.sample(predict, X, background=background, weights=light).method[1] == "kernel"


def test_many_players_and_many_outputs():
    """Sizes at which coalitions are drawn, not listed, and calls of predict are split."""
    rng = np.random.default_rng(1)
    inner = rng.normal(size=(60, 4)) / 8

    def predict(rows):
        return np.tanh(rows @ inner)

    X, background = rng.normal(size=(1, 60)), rng.normal(size=(30, 60))
    truth = shapley.sample(predict, X, background=background, max_evals=600_000).values
    for method in ESTIMATORS:
        found = shapley.sample(predict, X, background=background, method=method)
        assert (np.abs(found.values - truth) < 5 * found.standard_errors + 1e-4).all()
        assert found.standard_errors.max() < 0.01


def test_calls_of_predict_are_bounded():
    """Wide rows go to predict some megabytes at a time, and nothing changes."""
    rng = np.random.default_rng(2)
    narrow, width = random_function(25, 4), 10_000
    X, background = rng.normal(size=(1, 4)), rng.normal(size=(130, 4))
    players = np.repeat(np.arange(4), width)
    lengths = []

    def wide(rows):
        lengths.append(len(rows))
        return narrow(rows[:, ::width])

    for method in ("exact", *ESTIMATORS):
        found = shapley.sample(
            wide, X[:, players], background=background[:, players], players=players, method=method
        )
        expected = shapley.sample(narrow, X, background=background, method=method)
        np.testing.assert_allclose(found.values, expected.values, atol=1e-12)
        np.testing.assert_allclose(found.standard_errors, expected.standard_errors, atol=1e-12)
        assert np.array_equal(found.n_evals, expected.n_evals)
    assert max(lengths) == 256


def test_players_without_columns_get_nothing():
    """As raw features that a model does not see."""
    predict = random_function(26, 4)
    X, background = random_rows(27, 2, 4), random_rows(28, 12, 4)
    players = np.array([3, 1, 1, 5])
    for method in ("exact", *ESTIMATORS):
        found = shapley.sample(predict, X, background=background, players=players, method=method)
        compact = shapley.sample(predict, X, background=background, players=[1, 0, 0, 2])
        assert found.values.shape == (2, 6)
        np.testing.assert_allclose(found.values[:, [1, 3, 5]], compact.values, atol=1e-12)
        assert (found.values[:, [0, 2, 4]] == 0).all()


def test_no_rows():
    found = shapley.sample(random_function(0, 3, 2), np.zeros((0, 3)), background=np.zeros((1, 3)))
    assert found.values.shape == (0, 3, 2)
    assert found.converged.shape == found.n_evals.shape == (0,)


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda rows: rows.sum(), r"predict gave shape \(\) for 4 rows"),
        (lambda rows: rows[:2].sum(axis=1), r"predict gave shape \(2, 1\) for 4 rows"),
        (lambda rows: np.zeros((len(rows), 2, 2)), r"expected \(4,\) or \(4, n_outputs\)"),
        (
            lambda rows: np.zeros((len(rows), 1 + len(rows) // 4)),
            r"\(1, 1\) .* expected .* \(1, 2\)",
        ),
        (lambda rows: np.where(rows[:, 0] > 0, np.nan, 1.0), "NaN or infinity for 1 of 1"),
        (lambda rows: np.array(["yes"] * len(rows)), "expected numbers, such as margins"),
    ],
)
def test_outputs_that_cannot_be_explained(predict, message):
    with pytest.raises(shapley.ShapleyError, match=message):
        shapley.sample(predict, np.ones((1, 3)), background=np.zeros((4, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "shap"}, "unknown method 'shap'"),
        ({"precision": 0.0}, "precision is 0.0"),
        ({"max_evals": 0}, "max_evals is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"weights": [1.0]}, "weights has shape"),
        ({"players": [0, 1]}, "one integer for each of the 30 columns"),
        ({"background": np.zeros((0, 30))}, "background has no rows"),
        ({"background": np.zeros((2, 5))}, r"X has shape \(1, 30\); expected \(n_rows, 5\)"),
        ({"method": "exact"}, "row 0 differs from a background row in 30 players"),
        (
            {"method": "exact", "max_evals": 9, "players": [0] * 25 + [1, 2, 3, 4, 5]},
            "row 0 takes 249 evaluations",
        ),
    ],
)
def test_what_does_not_fit_is_named(options, message):
    given = {"background": np.zeros((4, 30))} | options
    with pytest.raises(shapley.ShapleyError, match=message):
        shapley.sample(lambda rows: rows.sum(axis=1), np.ones((1, 30)), **given)

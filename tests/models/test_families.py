"""Every family: learns, explains exactly, and comes back from its files bit for bit."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from pellucid.models.ensemble import Ensemble, read_ensemble
from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem

FAMILIES = {"prior": {}, "linear": {"strength": 1.0}, "lightgbm": {"num_leaves": 7}}
TASKS = ["binary", "multiclass", "regression"]


def make(task, *, n_rows=300, n_columns=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2])
    if task == "regression":
        return Rows(X, signal + 0.1 * rng.normal(size=n_rows)), Problem("regression")
    if task == "binary":
        return Rows(X, (signal > 0).astype(np.int64)), Problem("binary", 2)
    return Rows(X, np.digitize(signal, [-0.5, 0.5])), Problem("multiclass", 3)


def fit(family, task, **options):
    rows, problem = make(task)
    member = get_family(family).fit(rows, problem, FAMILIES[family], seed=0, rounds=20, **options)
    return member, rows, problem


def brute_force(margin, x, background, players):
    """Interventional Shapley values of one row, over all coalitions; (n_players, n_outputs)."""
    n = int(players.max()) + 1

    def value(coalition):
        rows = background.copy()
        inside = np.isin(players, list(coalition))
        rows[:, inside] = x[inside]
        return margin(rows).mean(axis=0)

    phi = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        total = 0.0
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in combinations(others, size):
                total = total + weight * (value((*coalition, i)) - value(coalition))
        phi.append(total)
    return np.array(phi)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_margins_have_one_column_per_output(family, task):
    member, rows, problem = fit(family, task)
    assert member.margins(rows.X).shape == (len(rows.X), problem.n_outputs)
    assert member.margins(rows.X[:0]).shape == (0, problem.n_outputs)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_row_has_the_margin_it_has_in_a_batch(family, task):
    member, rows, _ = fit(family, task)
    batch = member.margins(rows.X)
    for i in (0, 7, 299):
        assert np.array_equal(member.margins(rows.X[i : i + 1])[0], batch[i])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_files_give_the_same_member(family, task):
    member, rows, _ = fit(family, task)
    again = get_family(family).from_files(member.to_files())
    assert np.array_equal(again.margins(rows.X), member.margins(rows.X))


@pytest.mark.parametrize("players", [np.arange(5), np.array([0, 1, 1, 2, 0])])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_explanations_equal_brute_force(family, task, players):
    member, rows, problem = fit(family, task)
    background, x = rows.X[:20], rows.X[30:33]
    tables = member.shapley(background=background, players=players)
    values = tables.values(x).reshape(3, -1, problem.n_outputs)
    for row, found in zip(x, values):
        expected = brute_force(member.margins, row, background, players)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(tables.base_values, member.margins(background).mean(axis=0))


@pytest.mark.parametrize("task", TASKS)
def test_an_ensemble_is_explained_exactly_and_survives_its_files(task):
    members = [fit(family, task)[0] for family in FAMILIES]
    _, rows, problem = fit("prior", task)
    ensemble = Ensemble(
        tuple(members),
        np.array([0.1, 0.7, 1.3]),
        np.linspace(0.1, 0.3, problem.n_outputs),
        tuple(FAMILIES),
    )
    players = np.array([0, 1, 1, 2, 0])
    tables = ensemble.shapley(background=rows.X[:50], players=players)
    margins = ensemble.margins(rows.X)
    totals = tables.values(rows.X).sum(axis=1).reshape(margins.shape) + tables.base_values
    np.testing.assert_allclose(totals, margins, atol=1e-6)
    assert np.array_equal(read_ensemble(ensemble.to_files()).margins(rows.X), margins)


def test_lightgbm_stops_where_validation_rows_stop_gaining():
    rows, problem = make("regression", n_rows=600)
    train, valid = Rows(rows.X[:400], rows.y[:400]), Rows(rows.X[400:], rows.y[400:])
    member = get_family("lightgbm").fit(train, problem, {}, seed=0, valid=valid)
    longer = get_family("lightgbm").fit(train, problem, {}, seed=0, rounds=member.rounds + 300)

    def error(m):
        return np.mean((m.margins(valid.X)[:, 0] - valid.y) ** 2)

    assert member.rounds < 2000
    assert error(member) <= error(longer)


def test_a_class_absent_from_the_training_rows_gets_a_low_margin():
    rows, _ = make("multiclass")
    kept = rows.y != 2
    for family in ("prior", "linear", "lightgbm"):
        member = get_family(family).fit(
            Rows(rows.X[kept], rows.y[kept]),
            Problem("multiclass", 3),
            FAMILIES[family],
            seed=0,
            rounds=5,
        )
        probabilities = Problem("multiclass", 3).probabilities(member.margins(rows.X))
        assert probabilities[:, 2].max() < 0.05, family


def test_an_unknown_family_is_named_with_those_known():
    with pytest.raises(FamilyError, match=r"'svm'; known: .*linear"):
        get_family("svm")

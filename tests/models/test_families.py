"""Every family: learns, explains exactly, and comes back from its files bit for bit."""

import time
from dataclasses import replace
from importlib.util import find_spec
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from pellucid.models.ensemble import Ensemble, read_ensemble
from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem

FAMILIES = {
    "prior": {},
    "linear": {"strength": 1.0},
    "spline": {"knots": 6},
    "lightgbm": {"num_leaves": 7},
    "xgboost": {"max_depth": 3, "min_child_weight": 1.0},
    "catboost": {"depth": 3, "learning_rate": 0.2},
    "forest": {"max_leaf_nodes": 12},
}
OPTIONAL = [family for family in ("xgboost", "catboost") if find_spec(family) is None]
INSTALLED = [family for family in FAMILIES if family not in OPTIONAL]


def case(*values):
    """Parameters of a test, and why it is skipped where a family is not installed."""
    missing = [value for value in values if value in OPTIONAL]
    marks = [pytest.mark.skip(reason=f"{family} is not installed") for family in missing]
    return pytest.param(*values, marks=marks)


def each(*families):
    return pytest.mark.parametrize("family", [case(family) for family in families])


TASKS = ["binary", "multiclass", "regression", "positive"]
IMPOSSIBLE = [("forest", "positive")]  # a mean is no sum behind a log link


def each_task(*families):
    pairs = [(family, task) for family in families for task in TASKS]
    return pytest.mark.parametrize(
        ("family", "task"), [case(*pair) for pair in pairs if pair not in IMPOSSIBLE]
    )


def make(task, *, n_rows=300, n_columns=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2]).astype(np.float64)
    if task == "regression":
        return Rows(X, signal + 0.1 * rng.normal(size=n_rows)), Problem("regression")
    if task == "positive":
        return Rows(X, rng.poisson(np.exp(0.6 * signal)) * 10.0), Problem("regression", link="log")
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


@each_task(*FAMILIES)
def test_margins_have_one_column_per_output(family, task):
    member, rows, problem = fit(family, task)
    assert member.margins(rows.X).shape == (len(rows.X), problem.n_outputs)
    assert member.margins(rows.X[:0]).shape == (0, problem.n_outputs)


@each_task(*FAMILIES)
def test_one_row_has_the_margin_it_has_in_a_batch(family, task):
    rows, problem = make(task, n_columns=12)
    member = get_family(family).fit(rows, problem, FAMILIES[family], seed=0, rounds=20)
    for X in (rows.X, np.asfortranarray(rows.X)):
        batch = member.margins(X)
        for i in (0, 7, 299):
            assert np.array_equal(member.margins(X[i : i + 1])[0], batch[i])


@each_task(*FAMILIES)
def test_files_give_the_same_member(family, task):
    member, rows, _ = fit(family, task)
    again = get_family(family).from_files(member.to_files())
    assert np.array_equal(again.margins(rows.X), member.margins(rows.X))


@pytest.mark.parametrize("players", [np.arange(5), np.array([0, 1, 1, 2, 0])])
@each_task(*FAMILIES)
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
def test_an_ensemble_is_explained_exactly_and_survives_its_files(task, monkeypatch):
    families = [family for family in INSTALLED if (family, task) not in IMPOSSIBLE]
    members = [fit(family, task)[0] for family in families]
    _, rows, problem = fit("prior", task)
    ensemble = Ensemble(
        tuple(members),
        np.linspace(0.1, 1.3, len(members)),
        np.linspace(0.1, 0.3, problem.n_outputs),
        tuple(families),
    )
    players = np.array([0, 1, 1, 2, 0])
    tables = ensemble.shapley(background=rows.X[:50], players=players)
    margins = ensemble.margins(rows.X)
    totals = tables.values(rows.X).sum(axis=1).reshape(margins.shape) + tables.base_values
    np.testing.assert_allclose(totals, margins, atol=1e-6)
    assert np.array_equal(read_ensemble(ensemble.to_files()).margins(rows.X), margins)
    monkeypatch.setattr("pellucid.models.ensemble._LEAVES", -1)  # members side by side
    assert np.array_equal(replace(tables).values(rows.X[:3]), tables.values(rows.X)[:3])


@each("lightgbm", "xgboost", "catboost")
def test_boosting_stops_where_validation_rows_stop_gaining(family):
    rows, problem = make("regression", n_rows=600)
    train, valid = Rows(rows.X[:400], rows.y[:400]), Rows(rows.X[400:], rows.y[400:])
    member = get_family(family).fit(train, problem, {}, seed=0, valid=valid)
    longer = get_family(family).fit(train, problem, {}, seed=0, rounds=member.rounds + 300)

    def error(m):
        return np.mean((m.margins(valid.X)[:, 0] - valid.y) ** 2)

    assert member.rounds < 2000
    assert error(member) <= error(longer)
    again = get_family(family).fit(train, problem, {}, seed=0, rounds=member.rounds)
    assert again.rounds == member.rounds
    assert np.array_equal(again.margins(rows.X), member.margins(rows.X))


@each_task(*FAMILIES)
def test_a_fit_that_is_out_of_time_ends_with_what_it_has(family, task):
    rows, problem = make(task)
    started = time.monotonic()
    member = get_family(family).fit(
        rows, problem, FAMILIES[family], seed=0, valid=rows, deadline=started - 1
    )
    assert np.isfinite(member.margins(rows.X)).all()
    in_one_go = (family, task) == ("linear", "regression")
    assert member.rounds <= 10 or in_one_go


@each_task(*FAMILIES)
def test_the_same_seed_gives_the_same_bits(family, task):
    (member, rows, _), (again, _, _) = fit(family, task), fit(family, task)
    assert np.array_equal(member.margins(rows.X), again.margins(rows.X))


@each_task("linear", "spline", "lightgbm", "xgboost", "catboost", "forest")
def test_rows_count_by_their_weight(family, task):
    rows, problem = make(task)
    other = rows.y.max() - rows.y
    X, y = np.vstack([rows.X, rows.X]), np.concatenate([rows.y, other])
    weight = np.repeat([0.9, 0.1], len(rows.X))
    answers = []
    for weights in (weight, weight[::-1]):
        member = get_family(family).fit(
            Rows(X, y, weights), problem, FAMILIES[family], seed=0, rounds=40
        )
        answers.append(problem.response(member.margins(rows.X)))
    for answer, wanted in zip(answers, (rows.y, other)):
        if problem.is_classification:
            assert np.mean(answer.argmax(axis=1) == wanted) > 0.6
        else:
            assert np.corrcoef(answer, wanted)[0, 1] > 0.2


@each_task("prior", "linear")
def test_a_weight_of_three_is_three_rows(family, task):
    rows, problem = make(task)
    times = np.random.default_rng(1).integers(1, 4, size=len(rows.X))
    repeated = Rows(np.repeat(rows.X, times, axis=0), np.repeat(rows.y, times))
    members = [
        get_family(family).fit(part, problem, {"strength": 1 / scale}, seed=0)
        for part, scale in (
            (Rows(rows.X, rows.y, times.astype(float)), 1.0),
            (repeated, times.mean()),  # the loss is a sum over rows: the penalty grows with them
        )
    ]
    weighted, plain = (member.margins(rows.X) for member in members)
    np.testing.assert_allclose(weighted, plain, atol=2e-2 if family == "prior" else 2e-3)


def make_codes(task):
    """Rows whose second and fourth columns are codes; the last code stays out of training."""
    rows, problem = make(task, n_rows=500)
    rng = np.random.default_rng(1)
    X = rows.X.copy()
    X[:, 1] = rng.integers(0, 40, size=len(X))
    X[:, 3] = rng.integers(0, 3, size=len(X))
    X[rng.random(len(X)) < 0.1, 1] = np.nan
    parity = np.nan_to_num(X[:, 1]).astype(np.int64) % 2
    y = parity * 2.0 + (X[:, 3] == 1) + 0.1 * np.nan_to_num(X[:, 0]).astype(np.float64)
    if task == "positive":
        y = np.exp(y)
    elif task == "binary":
        y = (parity == 1).astype(np.int64)
    elif task == "multiclass":
        y = (parity + (X[:, 3] == 1)).astype(np.int64)
    seen = (X[:, 1] != 39) & (X[:, 1] != 20)
    return Rows(X[seen | np.isnan(X[:, 1])], y[seen | np.isnan(X[:, 1])], None, (1, 3)), problem


STRANGE = [20.0, 39.0, 40.0, 64.0, 1000.0, -1.0, np.nan]


@each_task("lightgbm", "xgboost", "catboost")
def test_codes_are_categories_and_unknown_ones_are_alike(family, task):
    rows, problem = make_codes(task)
    member = get_family(family).fit(rows, problem, FAMILIES[family], seed=0, rounds=40)
    answer = problem.response(member.margins(rows.X))
    if problem.is_classification:
        assert np.mean(answer.argmax(axis=1) == rows.y) > 0.9
    else:
        assert np.corrcoef(answer, rows.y)[0, 1] > 0.9
    strange = np.repeat(rows.X[:1], len(STRANGE), axis=0)
    for column in rows.categorical:
        changed = strange.copy()
        changed[:, column] = STRANGE
        if column == 3:
            changed[0, column] = 3.0
        margins = member.margins(changed)
        if family == "catboost":  # to which a missing value is a category of its own
            margins = margins[:-1]
        assert np.array_equal(margins, np.repeat(margins[-1:], len(margins), axis=0))


@each_task("lightgbm", "xgboost", "catboost")
def test_explanations_of_codes_equal_brute_force(family, task):
    rows, problem = make_codes(task)
    member = get_family(family).fit(rows, problem, FAMILIES[family], seed=0, rounds=20)
    again = get_family(family).from_files(member.to_files())
    background = rows.X[:20].copy()
    background[:5, 1] = [39.0, np.nan, 500.0, 0.0, 1.0]
    x = np.repeat(rows.X[30:31], len(STRANGE) + 1, axis=0)
    x[1:, 1] = STRANGE
    assert np.array_equal(again.margins(x), member.margins(x))
    players = np.array([0, 1, 1, 2, 0])
    tables = again.shapley(background=background, players=players)
    values = tables.values(x).reshape(len(x), -1, problem.n_outputs)
    for row, found in zip(x, values):
        expected = brute_force(member.margins, row, background, players)
        np.testing.assert_allclose(found, expected, atol=1e-9)


@each(*FAMILIES)
def test_a_class_absent_from_the_training_rows_gets_a_low_margin(family):
    rows, _ = make("multiclass")
    kept = rows.y != 2
    member = get_family(family).fit(
        Rows(rows.X[kept], rows.y[kept]),
        Problem("multiclass", 3),
        FAMILIES[family],
        seed=0,
        rounds=5,
    )
    probabilities = Problem("multiclass", 3).probabilities(member.margins(rows.X))
    assert probabilities[:, 2].max() < 0.05


def test_an_unknown_family_is_named_with_those_known():
    with pytest.raises(FamilyError, match=r"'svm'; known: .*linear"):
        get_family("svm")

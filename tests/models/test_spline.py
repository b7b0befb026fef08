import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pellucid.models import smoothing
from pellucid.models.curves import knots_of
from pellucid.models.design import Design
from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem
from pellucid.models.smoothing import fit_additive

REGRESSION = Problem("regression")


def table(seed=0, n_rows=800):
    """Rows whose target bends in one column, rises in a second, and ignores the third."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3)).astype(np.float32)
    X[:, 1] = rng.integers(0, 4, size=n_rows)
    margin = np.sin(2.0 * X[:, 0].astype(np.float64)) * 2.0 + X[:, 1]
    return X, margin, rng


def design_of(seed=0, n_rows=60):
    rng = np.random.default_rng(seed)
    curved = rng.normal(size=(n_rows, 2))
    curved[rng.random(curved.shape) < 0.1] = np.nan
    linear = rng.normal(size=(n_rows, 3))
    weight = rng.uniform(0.5, 1.5, size=n_rows)
    linear -= weight @ linear / weight.sum()
    knots = [knots_of(curved[:, 0], 5), knots_of(curved[:, 1], 7)]
    return Design.of(linear, curved, knots, weight / weight.mean()), rng


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_design_multiplies_as_its_dense_form(seed):
    design, rng = design_of(seed)
    n_rows, n_coef = len(design.linear), design.blocks[-1].stop
    dense, coef, r = design.dense(np.arange(n_rows)), rng.normal(size=n_coef), rng.normal(size=60)
    np.testing.assert_allclose(design.times(coef), dense @ coef, atol=1e-12)
    np.testing.assert_allclose(design.transposed_times(r), dense.T @ r, atol=1e-12)


def test_penalties_are_those_of_restricted_maximum_likelihood():
    X, margin, rng = table(n_rows=80)
    curved, linear = X[:, :1].astype(float), rng.normal(size=(80, 3))
    linear -= linear.mean(axis=0)
    y = margin + linear @ [0.3, -0.1, 0.0] + rng.normal(size=80)
    y = (y - y.mean()) / y.std()
    design = Design.of(linear, curved, [knots_of(curved[:, 0], 8)], np.ones(80))
    fitted = fit_additive(design, y[:, None], REGRESSION, start=np.zeros(1), seed=0, n_steps=150)

    # the same model with random effects: slopes, and steps from knot to knot
    dense = design.dense(np.arange(80))
    effects = dense[:, :3], dense[:, 3:] @ np.tril(np.ones((8, 7)), -1)

    def solve(theta):
        spread = np.eye(80) + sum(np.exp(-t) * Z @ Z.T for t, Z in zip(theta, effects))
        inverse = np.linalg.inv(spread)
        mean = inverse.sum(axis=0) @ y / inverse.sum()
        return spread, inverse, y - mean

    def restricted(theta):
        spread, inverse, rest = solve(theta)
        log_det = np.linalg.slogdet(spread)[1] + np.log(inverse.sum())
        return log_det + 79 * np.log(rest @ inverse @ rest)

    theta = minimize(restricted, np.zeros(2), method="Nelder-Mead").x
    _, inverse, rest = solve(theta)
    expected = sum(np.exp(-t) * Z @ Z.T for t, Z in zip(theta, effects)) @ inverse @ rest
    np.testing.assert_allclose(design.times(fitted.coef[0]), expected - expected.mean(), atol=2e-3)


def test_curves_bend_where_the_target_does_and_stay_level_where_it_does_not():
    X, margin, rng = table()
    train = Rows(X, margin + rng.normal(size=len(X)))
    member = get_family("spline").fit(train, REGRESSION, {}, seed=0)
    assert member.curves.column.tolist() == [0, 2]  # four values get a slope
    assert np.corrcoef(member.margins(X)[:, 0], margin)[0, 1] > 0.98
    heights = np.split(member.curves.height[:, 0], [member.curves.start[1]])
    assert np.ptp(heights[0]) > 3.0
    assert np.ptp(heights[1]) < 0.3
    straight = get_family("linear").fit(train, REGRESSION, {"strength": 1.0}, seed=0)

    def error(m):
        return np.mean((m.margins(X)[:, 0] - margin) ** 2)

    assert error(member) < 0.1 * error(straight)


def test_curvature_from_a_sample_of_rows_leads_to_the_same_place(monkeypatch):
    X, margin, rng = table(n_rows=4000)
    train = Rows(X, np.digitize(margin + rng.normal(size=4000), [0.0, 2.0]))
    problem = Problem("multiclass", 3)
    found = []
    for work in (1e12, 0.0):
        monkeypatch.setattr(smoothing, "_WORK", work)
        member = get_family("spline").fit(train, problem, {}, seed=0, rounds=40)
        found.append(problem.probabilities(member.margins(X)))
    assert not np.array_equal(*found)
    np.testing.assert_allclose(*found, atol=0.01)


def test_separable_classes_give_large_but_finite_margins():
    X, margin, _ = table()
    train = Rows(X, (margin > 1.0).astype(np.int64))
    member = get_family("spline").fit(train, Problem("binary", 2), {}, seed=0, rounds=60)
    margins = member.margins(X)[:, 0]
    assert np.isfinite(margins).all()
    assert np.mean((margins > 0) == (margin > 1.0)) > 0.98


@pytest.mark.parametrize(
    ("n_columns", "n_curves", "knots"), [(3, 3, 20), (50, 50, 8), (300, 9, 12), (401, 33, 12)]
)
def test_of_many_columns_those_that_tell_most_get_curves(n_columns, n_curves, knots):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, n_columns)).astype(np.float32)
    y = 3.0 * np.abs(X[:, -1] + 1.0) + 0.1 * rng.normal(size=90)
    member = get_family("spline").fit(Rows(X, y), REGRESSION, {}, seed=0)
    assert len(member.curves) == n_curves
    assert np.diff(member.curves.start).max() == knots
    assert n_columns - 1 in member.curves.column
    used = set(np.flatnonzero(member.linear.coef[0])) | set(member.curves.column)
    assert len(used) == (n_curves if n_columns > 400 else n_columns)
    values = member.shapley(background=X[:10], players=np.arange(n_columns)).values(X)
    assert np.abs(values).mean(axis=0).argmax() == n_columns - 1


def test_words_have_slopes_and_a_penalty_of_their_own():
    """A hundred words that say nothing end level beside a column that says all."""
    rng = np.random.default_rng(0)
    words = (rng.random((300, 100)) < 0.1) * rng.random((300, 100)) / 3.0
    X = np.column_stack([rng.integers(0, 2, (300, 2)), words]).astype(np.float32)
    y = 5.0 * X[:, 0] + rng.normal(size=300)
    rows = Rows(X, y, words=tuple(range(2, 102)))
    member = get_family("spline").fit(rows, REGRESSION, {}, seed=0)
    assert len(member.curves) == 0
    added = member.linear.coef[0] * X
    assert added[:, 0].std() == pytest.approx(2.5, rel=0.05)
    assert added[:, 2:].sum(axis=1).std() < 0.1


def test_an_unknown_setting_is_named():
    X, margin, _ = table()
    with pytest.raises(FamilyError, match=r"\['strength'\]; known: knots"):
        get_family("spline").fit(Rows(X, margin), REGRESSION, {"strength": 1.0}, seed=0)

import numpy as np
import pytest

from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem

LIGHTGBM = get_family("lightgbm")


def rows(seed=0, n_rows=600):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return Rows(X, np.nan_to_num(X[:, 0] + X[:, 1] * X[:, 2]).astype(np.float64))


def test_margins_are_those_of_lightgbm_itself():
    lightgbm = pytest.importorskip("lightgbm")
    train = rows()
    problem = Problem("regression")
    member = LIGHTGBM.fit(train, problem, {"learning_rate": 0.3}, seed=0, rounds=10)
    mean, spread = train.y.mean(), train.y.std()
    data = lightgbm.Dataset(train.X, (train.y - mean) / spread)
    params = {"learning_rate": 0.3, "lambda_l2": 1.0, "num_threads": 1, "verbosity": -1}
    params |= {"force_row_wise": True, "deterministic": True, "seed": 0}
    theirs = lightgbm.train(params, data, 10).predict(train.X) * spread + mean
    np.testing.assert_allclose(member.margins(train.X)[:, 0], theirs, atol=1e-6)


def test_a_large_offset_costs_no_precision():
    train = rows()
    near, far = (
        LIGHTGBM.fit(Rows(train.X, train.y + offset), Problem("regression"), {}, seed=0, rounds=30)
        for offset in (0.0, 1e9)
    )
    np.testing.assert_allclose(
        far.margins(train.X)[:, 0] - 1e9, near.margins(train.X)[:, 0], atol=1e-5
    )


@pytest.mark.parametrize("objective", ["huber", "l1"])
def test_losses_that_outliers_do_not_move(objective):
    train = rows()
    wild = train.y.copy()
    wild[::20] += 100.0
    errors = [
        np.median(np.abs(member.margins(train.X)[:, 0] - train.y))
        for member in (
            LIGHTGBM.fit(
                Rows(train.X, wild), Problem("regression"), {"objective": name}, seed=0, rounds=80
            )
            for name in ("regression", objective)
        )
    ]
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("objective", ["poisson", "tweedie", "gamma"])
def test_behind_a_log_link_margins_are_logarithms(objective):
    train = rows()
    y = np.exp(train.y) * 1000.0
    problem = Problem("regression", link="log")
    member = LIGHTGBM.fit(Rows(train.X, y), problem, {"objective": objective}, seed=0, rounds=80)
    assert np.corrcoef(member.margins(train.X)[:, 0], np.log(y))[0, 1] > 0.8
    mean = problem.response(member.margins(train.X)).mean()
    assert mean == pytest.approx(y.mean(), rel=0.15)


def test_what_does_not_fit_is_told_with_what_does():
    train, problem = rows(), Problem("regression")
    for config, message in (
        ({"leaves": 3}, r"\['leaves'\]; known: .*num_leaves"),
        ({"objective": "poisson"}, "'poisson' .* known: regression, huber, l1"),
    ):
        with pytest.raises(FamilyError, match=message):
            LIGHTGBM.fit(train, problem, config, seed=0, rounds=1)

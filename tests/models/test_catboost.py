import sys

import numpy as np
import pandas as pd
import pytest

from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem

cb = pytest.importorskip("catboost", reason="fits models of CatBoost, which is not installed")

REGRESSION, BINARY = Problem("regression"), Problem("binary", 2)
RATE = Problem("regression", link="log")


def rows(seed=0, n_rows=400):
    """Numbers, and two columns of codes that the target depends on, all with NaN."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5)).astype(np.float32)
    X[:, 1], X[:, 3] = rng.integers(0, 60, n_rows), rng.integers(0, 4, n_rows)
    X[rng.random(X.shape) < 0.1] = np.nan
    Z = np.nan_to_num(X).astype(np.float64)
    return Rows(X, Z[:, 0] + Z[:, 1] % 2 + (Z[:, 3] > 1) * Z[:, 2], None, (1, 3))


def as_text(X):
    frame = pd.DataFrame(X)
    for column in (1, 3):
        frame[column] = ["nan" if np.isnan(x) else str(int(x)) for x in X[:, column]]
    return frame


def test_margins_are_those_of_catboost_itself():
    train, other = rows(), rows(1)
    config = {"learning_rate": 0.3, "depth": 4}
    member = get_family("catboost").fit(train, REGRESSION, config, seed=3, rounds=10)
    mean, spread = train.y.mean(), train.y.std()
    model = cb.CatBoost({
        **config, "iterations": 10, "random_seed": 3, "thread_count": 1, "border_count": 254,
        "max_ctr_complexity": 1, "one_hot_max_size": 10, "boost_from_average": False,
        "l2_leaf_reg": 3.0, "cat_features": [1, 3], "allow_writing_files": False,
        "logging_level": "Silent",
    })  # fmt: skip
    model.fit(as_text(train.X), (train.y - mean) / spread)
    theirs = model.predict(as_text(other.X)) * spread + mean
    np.testing.assert_allclose(member.margins(other.X)[:, 0], theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("problem", [REGRESSION, RATE, BINARY, Problem("multiclass", 3)])
def test_a_refit_repeats_an_early_stop_to_the_last_bit(problem):
    train, valid = rows(), rows(1)
    if problem.is_classification:
        edges = np.quantile(train.y, np.arange(1, problem.n_classes) / problem.n_classes)
        train = Rows(train.X, np.digitize(train.y, edges), None, (1, 3))
        valid = Rows(valid.X, np.digitize(valid.y, edges), None, (1, 3))
    if problem.link == "log":
        train, valid = (Rows(r.X, np.exp(r.y), None, (1, 3)) for r in (train, valid))
    family, config = get_family("catboost"), {"depth": 4, "learning_rate": 0.5}
    stopped = family.fit(train, problem, config, seed=0, valid=valid)
    assert 1 < stopped.rounds < 200  # of so few, CatBoost would by itself take fewer steps a leaf
    again = family.fit(train, problem, config, seed=0, rounds=stopped.rounds)
    assert np.array_equal(again.margins(valid.X), stopped.margins(valid.X))


def test_behind_a_logarithm_the_unit_of_the_target_is_a_summand():
    train = rows()
    fits = [
        get_family("catboost").fit(
            Rows(train.X, unit * np.exp(train.y), None, (1, 3)), RATE, {}, seed=0, rounds=60
        )
        for unit in (1.0, 1e6)
    ]
    small, large = (member.margins(train.X)[:, 0] for member in fits)
    assert np.corrcoef(small, train.y)[0, 1] > 0.8
    np.testing.assert_allclose(large - np.log(1e6), small, atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        {"grow_policy": "Lossguide", "max_leaves": 9},
        {"grow_policy": "Depthwise", "depth": 3, "min_data_in_leaf": 9},
        {"subsample": 0.6, "rsm": 0.5},
        {"bagging_temperature": 2.0, "random_strength": 0.0},
        {"one_hot_max_size": 100, "border_count": 32, "l2_leaf_reg": 9.0, "learning_rate": 0.3},
    ],
)
def test_settings_reach_catboost(config):
    train, valid = rows(), rows(1)
    member = get_family("catboost").fit(train, REGRESSION, config, seed=0, valid=valid)
    assert np.mean((member.margins(valid.X)[:, 0] - valid.y) ** 2) < 0.6 * valid.y.var()
    plain = get_family("catboost").fit(train, REGRESSION, {}, seed=0, rounds=member.rounds)
    assert not np.array_equal(member.margins(valid.X), plain.margins(valid.X))
    leaves = np.add.reduceat(member.trees.feature < 0, member.trees.roots)
    assert leaves.max() <= {"Lossguide": 9, "Depthwise": 8}.get(config.get("grow_policy"), 64)


@pytest.mark.parametrize("problem", [REGRESSION, RATE, BINARY])
def test_a_monotone_column_moves_the_margin_one_way(problem, capfd):
    train = rows()
    targets = {REGRESSION: train.y, RATE: np.exp(train.y), BINARY: (train.y > 1).astype(np.int64)}
    steps = np.append(np.nan, np.linspace(-3, 3, 60)).astype(np.float32)
    for sign in (1, -1):
        held = Rows(train.X, targets[problem], None, (1, 3), (sign, 0, 0, 0, -sign))
        member = get_family("catboost").fit(held, problem, {}, seed=0, rounds=60)
        for column, way in ((0, sign), (4, -sign)):
            grid = np.repeat(train.X[:30], len(steps), axis=0)
            grid[:, column] = np.tile(steps, 30)
            margins = member.margins(grid).reshape(30, len(steps))
            assert (way * np.diff(margins, axis=1) >= -1e-12).all()
            assert np.ptp(margins) > 0
    assert capfd.readouterr() == ("", "")


def test_a_monotone_column_is_refused_where_catboost_has_none():
    train = rows()
    for problem, config in (
        (Problem("multiclass", 3), {}),
        (REGRESSION, {"grow_policy": "Depthwise"}),
    ):
        y = np.arange(len(train.X)) % 3
        held = Rows(train.X, y, None, (1, 3), (1, 0, 0, 0, 0))
        with pytest.raises(FamilyError, match="symmetric trees only"):
            get_family("catboost").fit(held, problem, config, seed=0, rounds=1)


def test_what_holds_nothing_to_learn_gives_the_prior():
    X = rows().X
    alike = np.tile(X[:1], (400, 1))
    alike[:, 0] = np.nan
    for train, problem in (
        (Rows(X, np.full(400, 7.5)), REGRESSION),
        (Rows(X, np.ones(400, dtype=np.int64)), BINARY),
        (Rows(X, np.full(400, 2)), Problem("multiclass", 3)),
        (Rows(alike, np.arange(400.0), None, (1, 3)), REGRESSION),
        (Rows(alike, np.arange(400) % 3), Problem("multiclass", 3)),
    ):
        prior = get_family("prior").fit(train, problem, {}, seed=0)
        family = get_family("catboost")
        member = family.fit(train, problem, {}, seed=0, valid=train)
        again = family.from_files(member.to_files())
        assert np.array_equal(again.margins(X), prior.margins(X))
        tables = again.shapley(background=X[:9], players=np.arange(5))
        assert not tables.values(X[:3]).any()


def test_rows_that_cannot_be_written_to_are_learned_from_and_stay_as_they_are():
    train = rows()
    before = train.X.copy()
    train.X.flags.writeable = False
    for categorical in ((), (1, 3)):
        train = Rows(train.X, train.y, None, categorical)
        get_family("catboost").fit(train, REGRESSION, {}, seed=0, rounds=2)
        assert np.array_equal(train.X, before, equal_nan=True)


def test_an_unknown_setting_is_named_with_those_known():
    with pytest.raises(FamilyError, match=r"\['max_depth'\]; known: .*depth"):
        get_family("catboost").fit(rows(), REGRESSION, {"max_depth": 3}, seed=0, rounds=1)


def test_without_catboost_a_fit_says_what_to_install_and_a_stored_member_still_predicts(
    monkeypatch,
):
    family, train = get_family("catboost"), rows()
    member = family.fit(train, REGRESSION, {}, seed=0, rounds=5)
    margins, files = member.margins(train.X), member.to_files()
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(FamilyError, match=r"pip install 'pellucid\[catboost\]'"):
        family.fit(train, REGRESSION, {}, seed=0, rounds=5)
    assert np.array_equal(family.from_files(files).margins(train.X), margins)

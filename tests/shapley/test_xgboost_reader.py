import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley
from pellucid.shapley.readers import read_ensemble

from .oracle import brute_force

xgb = pytest.importorskip("xgboost", reason="reads models of XGBoost, which is not installed")

KINDS = (
    "plain", "exact", "pruned", "no_missing", "one_hot", "partition", "dart", "forest",
    "multiclass", "multiclass_forest", "binary", "logitraw", "poisson", "gamma", "tweedie",
    "targets", "vector_leaves", "vector_classes", "lossguide", "constant", "base_score", "sure",
)  # fmt: skip
PARAMS = {
    "exact": {"tree_method": "exact"},
    "pruned": {"tree_method": "exact", "gamma": 3.0, "max_depth": 8},
    "one_hot": {"max_cat_to_onehot": 1000},
    "partition": {"max_cat_to_onehot": 2},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "forest": {"num_parallel_tree": 4, "subsample": 0.6},
    "multiclass": {"objective": "multi:softmax", "num_class": 3},
    "multiclass_forest": {"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2},
    "binary": {"objective": "binary:logistic"},
    "logitraw": {"objective": "binary:logitraw", "base_score": 0.2},
    "poisson": {"objective": "count:poisson"},
    "gamma": {"objective": "reg:gamma"},
    "tweedie": {"objective": "reg:tweedie"},
    "vector_leaves": {"multi_strategy": "multi_output_tree"},
    "vector_classes": {
        "objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree",
    },
    "lossguide": {"grow_policy": "lossguide", "max_leaves": 12, "max_depth": 0},
    "base_score": {"base_score": 7.25},
    "sure": {"objective": "binary:logistic"},
}  # fmt: skip
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 1e-40, 1e30, 1e300, -1e300]
STRANGE = [-1.0, -7.0, 1.5, 31.0, 32.0, 39.0, 40.0, 64.0, 255.0, 1e10, np.inf, -np.inf]


def fit(kind="plain", seed=0, *, rounds=8, **extra):
    """A booster, and the rows that it was fitted on; the last two columns are codes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 6))
    X[:, 2] = np.round(X[:, 2], 1)
    X[:, -2:] = rng.integers(0, 40, size=(400, 2))
    if kind != "no_missing":
        X[rng.random(X.shape) < 0.1] = np.nan
    Z = np.nan_to_num(X)
    y = Z[:, 0] * Z[:, 1] + np.sin(3 * Z[:, 2]) + (Z[:, -1] % 7 > 3) * Z[:, 3] + Z[:, -2] % 3
    params = {"nthread": 1, "max_depth": 4, "seed": seed, **PARAMS.get(kind, {}), **extra}
    objective = params.get("objective", "")
    if objective.startswith("multi"):
        y = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    elif objective.startswith("binary"):
        y = y > np.median(y)
    elif objective:
        y = np.exp(y / 3)
    if kind in ("targets", "vector_leaves"):
        y = np.column_stack([y, -y, y**2])
    if kind in ("constant", "sure"):  # sure: a probability of one, which has no logit
        y = np.full(len(y), 2.5 if kind == "constant" else 1.0)
    types = ["c" if kind in ("one_hot", "partition") and j >= 4 else "q" for j in range(6)]
    data = xgb.DMatrix(X, y, feature_types=types, enable_categorical=True, nthread=1)
    return xgb.train(params, data, rounds), X


def adversarial(booster, X, seed=0, *, n_rows=400):
    """Rows on splits and one float beside them in both precisions, odd values, strange codes."""
    trees, rng = read_ensemble(booster), np.random.default_rng(seed)
    is_code = np.isin(np.arange(6), trees.feature[trees.cat_size > 0])
    rows = X[rng.integers(len(X), size=n_rows)].copy()
    for row in rows:
        for column in np.flatnonzero(rng.random(6) < 0.6):
            limits = trees.threshold[trees.feature == column]
            if is_code[column]:
                row[column] = rng.choice(STRANGE)
            elif len(limits) and rng.random() < 0.7:
                below = np.float32(rng.choice(limits))
                split = np.nextafter(below, np.float32(np.inf))
                half = (float(below) + float(split)) / 2
                row[column] = rng.choice([below, split, half, np.nextafter(split, 0.0)])
            else:
                row[column] = rng.choice(ODD)
    return rows


def raw_margins(booster, rows, n_outputs):
    found = booster.inplace_predict(rows, predict_type="margin", validate_features=False)
    return found.reshape(len(rows), n_outputs).astype(np.float64)


def check(booster, rows):
    tables = shapley.compile(booster, background=rows[:2])
    expected = raw_margins(booster, rows, tables.n_outputs)
    np.testing.assert_allclose(tables.margins(rows), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_margins_equal_xgboost_to_float32_rounding(kind):
    booster, X = fit(kind)
    check(booster, np.vstack([X, adversarial(booster, X)]))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["plain", "one_hot", "partition", "dart", "forest", "multiclass"]),
    depth=st.integers(1, 9),
    gamma=st.sampled_from([0.0, 0.5]),
    bins=st.sampled_from([4, 256]),
)
def test_margins_over_settings(seed, kind, depth, gamma, bins):
    booster, X = fit(kind, seed, rounds=4, max_depth=depth, gamma=gamma, max_bin=bins)
    check(booster, adversarial(booster, X, seed, n_rows=200))


def test_a_value_takes_the_branch_of_its_float32():
    X = np.array([[0.1], [0.2]] * 20)
    booster = xgb.train({"nthread": 1}, xgb.DMatrix(X, X[:, 0] > 0.15), 1)
    split = float(read_ensemble(booster).threshold[0])
    above = np.nextafter(np.float32(split), np.float32(1))
    rows = np.array([[split], [float(above)], [(split + 3 * float(above)) / 4]])
    found = shapley.compile(booster, background=X[:1]).margins(rows)
    np.testing.assert_allclose(found, raw_margins(booster, rows, 1), rtol=1e-6)
    assert found[0] < found[1] == found[2]


@pytest.mark.parametrize("kind", ["plain", "partition", "one_hot", "dart", "vector_leaves"])
def test_values_equal_their_definition(kind):
    booster, X = fit(kind, rounds=3)
    tables = shapley.compile(booster, background=X[:12])
    expected = brute_force(
        lambda rows: raw_margins(booster, rows, tables.n_outputs), X[20:22], X[:12], np.arange(6)
    )
    found = tables.values(X[20:22]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["plain", "multiclass", "binary", "partition", "forest"])
def test_path_dependent_values_equal_xgboost_contributions(kind):
    booster, X = fit(kind)
    types = booster.feature_types
    theirs = booster.predict(
        xgb.DMatrix(X, feature_types=types, enable_categorical=True), pred_contribs=True
    ).reshape(len(X), -1, 7)
    tables = shapley.compile(booster)
    ours = tables.values(X).reshape(len(X), 6, -1).swapaxes(1, 2)
    np.testing.assert_allclose(ours, theirs[:, :, :-1], rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(tables.base_values, theirs[0, :, -1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["plain", "dart", "multiclass"])
def test_wrappers_stop_at_the_best_iteration_and_boosters_do_not(kind):
    _, X = fit(kind)
    y = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1])
    common = {"n_estimators": 30, "n_jobs": 1, "early_stopping_rounds": 3, "learning_rate": 0.8}
    if kind == "multiclass":
        model, y = xgb.XGBClassifier(**common), np.digitize(y, [-0.5, 0.5])
        other = (y[:80] + 1) % 3
    else:
        model, other = xgb.XGBRegressor(**common, booster={"dart": "dart"}.get(kind)), -y[:80]
    model.fit(X, y, eval_set=[(X[:80], other)], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    tables = shapley.compile(model, background=X[:3])
    expected = model.predict(X, output_margin=True).reshape(len(X), -1)
    np.testing.assert_allclose(tables.margins(X), expected, rtol=1e-5, atol=1e-5)
    check(model.get_booster(), X)


def test_random_forest_wrapper_and_names():
    pandas = pytest.importorskip("pandas")
    _, X = fit()
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    model = xgb.XGBRFRegressor(n_estimators=7, n_jobs=1, max_depth=5).fit(frame, np.arange(400.0))
    assert read_ensemble(model).columns == tuple("abcdef")
    found = shapley.compile(model, background=X[:3]).margins(X)[:, 0]
    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-5)


def test_codes_of_a_frame_are_positions_in_its_categories():
    pandas = pytest.importorskip("pandas")
    colour = pandas.Categorical(["red", "blue", "green", "blue"] * 50)
    frame = pandas.DataFrame({"colour": colour, "size": np.arange(200.0) % 7})
    y = (colour.codes == 1) * 3.0 + frame["size"]
    model = xgb.XGBRegressor(n_estimators=5, enable_categorical=True, n_jobs=1).fit(frame, y)
    rows = np.column_stack([colour.codes, frame["size"]])
    found = shapley.compile(model, background=rows[:3]).margins(rows)[:, 0]
    np.testing.assert_allclose(found, model.predict(frame), rtol=1e-5)


def test_pruned_nodes_leave_no_trace():
    booster, _ = fit("pruned")
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    stored = sum(int(tree["tree_param"]["num_nodes"]) for tree in trees)
    gone = sum(int(tree["tree_param"]["num_deleted"]) for tree in trees)
    assert gone > 0
    assert read_ensemble(booster).n_nodes == stored - gone


def test_what_cannot_be_read_is_refused_with_a_remedy():
    _, X = fit()
    linear = xgb.train({"booster": "gblinear", "nthread": 1}, xgb.DMatrix(X, X[:, 4] > 3), 2)
    zero = xgb.XGBRegressor(n_estimators=2, missing=0.0, n_jobs=1).fit(X, np.arange(400))
    for model, what in (
        (linear, "use shapley.linear"),
        (zero, r"reads 0.0 as missing .*put NaN in place"),
        (xgb.XGBRegressor(), "XGBRegressor holds no booster; fit it"),
        (xgb.DMatrix(X), "no reader for XGBoost's DMatrix"),
    ):
        with pytest.raises(shapley.ReaderError, match=what):
            read_ensemble(model)


def test_a_base_score_behind_no_known_link_is_refused():
    class Mistaken(xgb.Booster):
        def save_raw(self, raw_format="ubj"):
            return super().save_raw(raw_format).replace(b"7.25E0", b"3.25E0")

    booster, _ = fit("base_score")
    with pytest.raises(
        shapley.ReaderError, match=r"start from \[7\.25.*\], which base_score=.*3\.25"
    ):
        read_ensemble(Mistaken(model_file=booster.save_raw("json")))

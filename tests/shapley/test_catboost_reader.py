import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley
from pellucid.shapley import kernels
from pellucid.shapley.readers import read_ensemble
from pellucid.shapley.readers.catboost import read_json
from pellucid.shapley.readers.catboost_codes import LARGEST_CODE, text_hashes

from .oracle import brute_force

cb = pytest.importorskip("catboost", reason="reads models of CatBoost, which is not installed")

# columns 1 and 4 are codes, of few and of many categories
CODES = {1: [0, 1], 4: [0, 2, 3, 11, 31, 32, 64, 95, 150, 1003, 4096, 70_000]}
STATISTICS = ("Borders", "Buckets", "BinarizedTargetMeanValue", "Counter")
KINDS = {
    "plain": {"cat_features": None},
    "no_missing": {"cat_features": None, "nan_mode": "Forbidden"},
    "nan_max": {"nan_mode": "Max", "cat_features": None},
    "categories": {},
    "one_hot": {"one_hot_max_size": 50},
    "statistics": {"one_hot_max_size": 1},
    **{name: {"simple_ctr": [name]} for name in STATISTICS},
    "priors": {"simple_ctr": ["Borders:Prior=0:Prior=7", "Counter:Prior=0.3"]},
    "target_borders": {"simple_ctr": ["Borders:TargetBorderCount=4", "Buckets"]},
    "binary": {"loss_function": "Logloss"},
    "multiclass": {"loss_function": "MultiClass"},
    "one_vs_all": {"loss_function": "MultiClassOneVsAll", "grow_policy": "Lossguide"},
    "uncertainty": {"loss_function": "RMSEWithUncertainty"},
    "targets": {"loss_function": "MultiRMSE", "cat_features": None},
    "depthwise": {"grow_policy": "Depthwise"},
    "lossguide": {"grow_policy": "Lossguide", "max_leaves": 12, "nan_mode": "Max"},
    "depthwise_targets": {
        "loss_function": "MultiRMSE", "grow_policy": "Depthwise", "cat_features": None,
    },
}  # fmt: skip
ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 1e-40, 1e30, 1e300, -1e300]
STRANGE = [-1.0, -7.0, 1.0, 4.0, 33.0, 96.0, 1002.0, 4095.0, 70_001.0, 1e6, 2.0**40]


def table(seed=0, *, n_rows=300, missing=0.1):
    """Three columns of numbers and two of codes, all with NaN."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5))
    X[:, 2] = np.round(X[:, 2], 1)
    for column, codes in CODES.items():
        X[:, column] = rng.choice(codes, size=n_rows)
    X[rng.random(X.shape) < missing] = np.nan
    Z = np.nan_to_num(X)
    y = Z[:, 0] * Z[:, 2] + np.sin(3 * Z[:, 3]) + Z[:, 1] + (Z[:, 4] % 3 > 1) * Z[:, 3]
    return X, y + 0.5 * np.isnan(X[:, 4]) - np.isnan(X[:, 0])


def frame(X, *, categorical=True):
    """Rows as CatBoost takes them: codes as text, and a missing one as the text of NaN."""
    found = pd.DataFrame(X)
    if categorical:
        for column in CODES:
            found[column] = ["nan" if np.isnan(x) else str(int(x)) for x in X[:, column]]
    return found


def fit(kind="categories", seed=0, *, rounds=10, **extra):
    """A model, and the rows that it was fitted on."""
    X, y = table(seed, missing=0.0 if kind == "no_missing" else 0.1)
    params = {
        "iterations": rounds, "depth": 4, "learning_rate": 0.4, "random_seed": seed,
        "max_ctr_complexity": 1, "one_hot_max_size": 3, "cat_features": [1, 4],
        "allow_writing_files": False, "logging_level": "Silent", "thread_count": 1,
        **KINDS[kind], **extra,
    }  # fmt: skip
    loss = params.get("loss_function", "RMSE")
    if loss == "MultiRMSE":
        y = np.column_stack([y, -y, y**2])
    elif loss == "Logloss":
        y = y > 0.5
    elif loss.startswith("MultiClass"):
        y = np.digitize(y, [0.0, 1.0])
    return cb.CatBoost(params).fit(frame(X, categorical=params["cat_features"]), y), X


def is_categorical(model):
    return len(model.get_cat_feature_indices()) > 0


def raw(model, X):
    """CatBoost's margins, (n_rows, n_outputs)."""
    rows = frame(X, categorical=is_categorical(model))
    return model.predict(rows, prediction_type="RawFormulaVal").reshape(len(X), -1)


def adversarial(model, X, seed=0, *, n_rows=300):
    """Rows on borders and one float beside them, odd values, strange codes."""
    trees, rng = read_ensemble(model), np.random.default_rng(seed)
    rows = X[rng.integers(len(X), size=n_rows)].copy()
    for row in rows:
        for column in np.flatnonzero(rng.random(5) < 0.6):
            borders = trees.threshold[trees.feature == column]
            if is_categorical(model) and column in CODES:
                row[column] = rng.choice([*STRANGE, *CODES[column]])
            elif len(borders) and rng.random() < 0.7:
                border = np.float32(rng.choice(borders))
                with np.errstate(over="ignore"):
                    below, above = (np.nextafter(border, np.float32(s * np.inf)) for s in (-1, 1))
                half = (float(border) + float(above)) / 2
                row[column] = rng.choice([border, below, above, half, np.nextafter(half, 1e9)])
            else:
                row[column] = rng.choice(ODD)
    return rows


def check(model, rows):
    found = shapley.compile(model, background=rows[:2]).margins(rows)
    np.testing.assert_allclose(found, raw(model, rows), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_margins_equal_catboost(kind):
    model, X = fit(kind)
    check(model, X)
    check(model, adversarial(model, X))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(sorted(KINDS)),
    depth=st.integers(1, 7),
    bins=st.sampled_from([1, 5, 254]),
    sample=st.booleans(),
)
def test_margins_over_settings(seed, kind, depth, bins, sample):
    bootstrap = {"bootstrap_type": "Bernoulli", "subsample": 0.5} if sample else {}
    model, X = fit(kind, seed, rounds=3, depth=depth, border_count=bins, **bootstrap)
    check(model, adversarial(model, X, seed, n_rows=150))


def test_a_value_takes_the_branch_of_its_float32():
    X = np.array([[0.1], [0.2]] * 20)
    model = cb.CatBoostRegressor(
        iterations=1, depth=1, logging_level="Silent", allow_writing_files=False
    ).fit(X, X[:, 0] > 0.15)
    border = np.float32(read_ensemble(model).threshold[0])
    above = float(np.nextafter(border, np.float32(1)))
    rows = np.array([[border], [above], [(float(border) + 3 * above) / 4]])
    found = shapley.compile(model, background=X[:1]).margins(rows)
    np.testing.assert_allclose(found[:, 0], model.predict(rows), rtol=1e-12)
    assert found[0] < found[1] == found[2]


@pytest.mark.parametrize("kind", ["categories", "one_hot", "lossguide", "multiclass", "targets"])
@pytest.mark.parametrize("players", [np.arange(5), np.array([0, 1, 0, 2, 1])])
def test_values_equal_their_definition(kind, players):
    model, X = fit(kind, rounds=4)
    background = adversarial(model, X, n_rows=12)
    tables = shapley.compile(model, background=background, players=players)
    expected = brute_force(lambda rows: raw(model, rows), X[20:23], background, players)
    found = tables.values(X[20:23]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def by_cover(trees):
    """Give the path-dependent game of ``trees``: the margin of rows whose absent values are inf."""

    def below(node, row):
        if trees.feature[node] < 0:
            return trees.value[node]
        x, left, right = row[trees.feature[node]], trees.left[node], trees.right[node]
        if x == np.inf:
            share = trees.cover[left] / (trees.cover[left] + trees.cover[right])
            return share * below(left, row) + (1 - share) * below(right, row)
        words = trees.cat_bits[trees.cat_start[node] :][: trees.cat_size[node]]
        goes_left = kernels.goes_left(
            np.float32(x), trees.threshold[node], trees.flags[node], words
        )
        return below(left if goes_left else right, row)

    return lambda rows: np.array(
        [trees.intercept + sum(below(root, row) for root in trees.roots) for row in rows]
    )


@pytest.mark.parametrize("kind", ["categories", "depthwise", "multiclass", "targets"])
@pytest.mark.parametrize("players", [np.arange(5), np.array([0, 1, 0, 2, 1])])
def test_path_dependent_values_equal_their_definition(kind, players):
    model, X = fit(kind, rounds=3)
    tables = shapley.compile(model, players=players)
    assert (tables.ensemble.cover < 1e-300).any()  # leaves without training rows
    absent = np.full((1, 5), np.inf)
    expected = brute_force(by_cover(tables.ensemble), X[20:23], absent, players)
    found = tables.values(X[20:23]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


# in trees of any shape, where leaves have no rows, CatBoost's values do not add up to its margin
@pytest.mark.parametrize("kind", ["categories", "one_hot", "statistics", "multiclass", "targets"])
def test_path_dependent_values_equal_catboosts_own(kind):
    model, X = fit(kind)
    codes = list(CODES) if is_categorical(model) else None
    pool = cb.Pool(frame(X, categorical=codes is not None), cat_features=codes)
    theirs = model.get_feature_importance(pool, type="ShapValues").reshape(len(X), -1, 6)
    tables = shapley.compile(model)
    ours = tables.values(X).reshape(len(X), 5, -1).swapaxes(1, 2)
    np.testing.assert_allclose(ours, theirs[:, :, :-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tables.base_values, theirs[0, :, -1], rtol=1e-12, atol=1e-15)


def exported(model, folder):
    path = folder / "model.json"
    model.save_model(str(path), format="json")
    return json.loads(path.read_bytes())


def imported(text, folder):
    path = folder / "changed.json"
    path.write_text(text)
    return cb.CatBoost().load_model(str(path), format="json")


def test_codes_are_hashed_as_catboost_hashes_their_text(tmp_path):
    texts = ["0", "9", "17", "nan", "438", "9999", "31416", str(LARGEST_CODE)]
    model = cb.CatBoostRegressor(
        iterations=40, depth=2, learning_rate=0.9, cat_features=[0], one_hot_max_size=100,
        logging_level="Silent", allow_writing_files=False,
    ).fit(np.array(texts * 20, dtype=object)[:, None], np.arange(160) % 8 * 3)  # fmt: skip
    column = exported(model, tmp_path)["features_info"]["categorical_features"][0]
    hashes = [text_hashes(np.frombuffer(text.encode(), np.uint8)[None])[0] for text in texts]
    assert set(column["values"]) == {int(hash.view(np.int32)) for hash in hashes}


def test_a_level_of_a_tree_asks_one_question_even_about_categories():
    model, X = fit("categories", depth=5)
    groups = shapley.compile(model, background=X[:20]).groups
    assert len(groups.deep_leaf) == 0
    assert np.diff(groups.cond_start).max() <= 5
    assert len(groups.cond_start) - 1 == len(groups.tree_group) - 1  # one table a tree


@pytest.mark.parametrize(
    ("cpu", "gpu"),
    [("Counter", "FeatureFreq"), ("BinarizedTargetMeanValue", "FloatTargetMeanValue")],
)
def test_statistics_that_only_graphics_cards_make(cpu, gpu, tmp_path):
    model, X = fit(cpu)
    model = imported(json.dumps(exported(model, tmp_path)).replace(cpu, gpu), tmp_path)
    assert read_ensemble(model).cat_bits.any()
    check(model, adversarial(model, X))


def test_statistics_with_any_prior_shift_and_scale(tmp_path):
    model, X = fit("statistics")
    changed = exported(model, tmp_path)
    for i, ctr in enumerate(changed["features_info"]["ctrs"]):
        ctr |= {"prior_numerator": 0.3 * i, "prior_denomerator": 2.7, "shift": 0.1, "scale": 14.1}
    model = imported(json.dumps(changed), tmp_path)
    check(model, adversarial(model, X))


def test_scale_bias_sums_and_saved_models(tmp_path):
    model, X = fit()
    model.set_scale_and_bias(-2.5, 7.0)
    check(model, X)
    model.save_model(str(tmp_path / "model.cbm"))
    loaded = cb.CatBoost().load_model(str(tmp_path / "model.cbm"))
    check(loaded, X)
    parts = [fit("categories", seed)[0] for seed in (0, 1)]
    check(cb.sum_models(parts, weights=[0.3, -1.7]), X)


def test_wrappers_stop_at_the_best_iteration_and_keep_names():
    X, y = table()
    named = frame(X).set_axis(list("abcde"), axis=1)
    model = cb.CatBoostClassifier(
        iterations=60, learning_rate=0.9, max_ctr_complexity=1, cat_features=["b", "e"],
        logging_level="Silent", allow_writing_files=False,
    ).fit(named, y > 0.5, eval_set=(named[:90], y[:90] < 0.5))  # fmt: skip
    trees = read_ensemble(model)
    assert trees.columns == tuple("abcde")
    assert trees.n_trees == model.tree_count_ < 60
    found = shapley.compile(model, background=X[:2]).margins(X)[:, 0]
    np.testing.assert_allclose(
        found, model.predict(named, prediction_type="RawFormulaVal"), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("kind", ["categories", "multiclass"])
def test_models_without_splits_or_trees(kind):
    model, X = fit(kind, depth=0)
    check(model, X)
    bias = np.ravel(model.get_scale_and_bias()[1])
    model.shrink(0)  # CatBoost itself does not predict without trees
    tables = shapley.compile(model, background=X[:5])
    assert np.array_equal(tables.margins(X), np.broadcast_to(bias, (len(X), len(bias))))
    assert not tables.values(X).any()


def test_a_model_without_covers_has_no_path_dependent_game(tmp_path):
    model, X = fit()
    text = json.dumps(exported(model, tmp_path)).replace("leaf_weights", "unknown")
    trees = read_json(json.loads(text), tuple("abcde"))
    assert np.isfinite(shapley.compile(trees, background=X[:5]).values(X)).all()
    with pytest.raises(shapley.ShapleyError, match="CatBoost model does not hold the cover"):
        shapley.compile(trees)


def test_what_cannot_be_read_is_refused_with_a_remedy():
    X, y = table(missing=0.0)
    options = {"iterations": 30, "logging_level": "Silent", "allow_writing_files": False}
    words = pd.DataFrame({"size": X[:, 0], "colour": np.where(y > 0, "red", "blue")})
    text = pd.DataFrame({"size": X[:, 0], "note": np.where(y > 0, "is good", "is bad")})
    vector = pd.DataFrame({"size": X[:, 0], "place": X[:, :3].tolist()})
    pairs = pd.DataFrame({"a": X[:, 4].astype(int), "b": np.arange(len(X)) % 7})
    regressor = cb.CatBoostRegressor(**options)
    for model, what in (
        (regressor, "CatBoostRegressor holds no trees; fit it"),
        (cb.Pool(X), "no reader for CatBoost's Pool"),
        (
            cb.CatBoostRegressor(**options, cat_features=["a", "b"], max_ctr_complexity=2).fit(
                pairs, (pairs.a + pairs.b) % 5
            ),
            r"several columns together \(a, b\).* max_ctr_complexity=1",
        ),
        (
            cb.CatBoostRegressor(**options, cat_features=["colour"]).fit(words, y),
            "column colour of the CatBoost model has . categories, .* 0 to 1048575: number",
        ),
        (
            cb.CatBoostClassifier(**options, text_features=["note"]).fit(text, y > 0),
            "column note of the CatBoost model is text",
        ),
        (
            cb.CatBoostClassifier(**options, embedding_features=["place"]).fit(vector, y > 0),
            "column place of the CatBoost model is embedding",
        ),
    ):
        with pytest.raises(shapley.ReaderError, match=what):
            read_ensemble(model)


def test_splits_of_a_kind_not_yet_known_are_refused(tmp_path):
    text = json.dumps(exported(fit("statistics")[0], tmp_path))
    for known, changed, what in (
        ("Borders", "Unheard", "statistic 'Unheard' of a category"),
        ("OnlineCtr", "Unheard", "split of kind 'Unheard'"),
        ('"borders": [', '"borders": [-1e30, ', "numbers splits in a way not known"),
    ):
        with pytest.raises(shapley.ReaderError, match=what):
            read_json(json.loads(text.replace(known, changed)), tuple("abcde"))

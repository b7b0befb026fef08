import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import ensemble, tree
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from pellucid import shapley
from pellucid.shapley.readers import read_ensemble

from .oracle import brute_force

CODES = np.array([0.0, 2, 3, 7, 11, 40, 41, 64, 65, 90])
TREES = (tree.DecisionTreeRegressor, tree.ExtraTreeRegressor)
TREE_CLASSIFIERS = (tree.DecisionTreeClassifier, tree.ExtraTreeClassifier)
FORESTS = (ensemble.RandomForestRegressor, ensemble.ExtraTreesRegressor)
FOREST_CLASSIFIERS = (ensemble.RandomForestClassifier, ensemble.ExtraTreesClassifier)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Fits this small are slower on two threads, the more so beside other work."""
    with threadpool_limits(1):
        yield


def table(seed=0, *, n_rows=300, missing=0.1):
    """Four numeric columns with ties and NaN, and between them one of sparse codes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5))
    X[:, 1] = rng.choice(CODES, size=n_rows)
    X[:, 3] = np.round(X[:, 3], 1)
    X[rng.random(X.shape) < missing] = np.nan
    Z = np.nan_to_num(X)
    y = Z[:, 0] * Z[:, 2] + np.sin(3 * Z[:, 3]) + (Z[:, 1] % 3) * Z[:, 4] + np.isnan(X[:, 0])
    return X, y


def classes(y, n):
    return np.digitize(y, np.quantile(y, np.arange(1, n) / n))


def adversarial(model, X, seed=0, *, n_rows=400, infinite=True):
    """Rows on thresholds and beside them (in both precisions), NaN, infinities, strange codes."""
    trees, rng = read_ensemble(model), np.random.default_rng(seed)
    rows = X[rng.integers(len(X), size=n_rows)].copy()
    odd = [np.nan, 0.0, -0.0, 1e-40, 1e30, -1e30] + infinite * [np.inf, -np.inf, 1e300, -1e300]
    strange = [-1.0, -7.0, 1.0, 4.0, 95.0, 96.0, 255.0, 256.0, 1e10]
    split = trees.feature >= 0
    for row in rows:
        for column in range(X.shape[1]):
            limits = trees.threshold[split & (trees.feature == column)]
            if column == 1 and rng.random() < 0.5:
                row[column] = rng.choice(strange)
            elif column != 1 and len(limits) and rng.random() < 0.5:
                at = rng.choice(limits)
                beside = [np.nextafter(at, s * np.inf) for s in (-1, 1)]
                with np.errstate(over="ignore"):
                    short = np.float32(at)
                    shorts = [np.nextafter(short, np.float32(s * np.inf)) for s in (-1, 1)]
                row[column] = rng.choice([at, *beside, short, *shorts])
            elif column != 1 and rng.random() < 0.3:
                row[column] = rng.choice(odd)
    if not infinite:  # beside an infinite threshold, of a split on missing, lie huge values
        rows[np.abs(rows) > 1e38] = 5.0
    return rows


def margins(model, rows):
    return shapley.compile(model, background=rows[:2]).margins(rows)


def as_matrix(prediction, n_rows):
    return np.asarray(prediction).reshape(n_rows, -1)


@pytest.mark.parametrize("kind", TREES + FORESTS)
@pytest.mark.parametrize("n_targets", [1, 3])
def test_regressors_of_one_and_several_targets(kind, n_targets):
    X, y = table()
    targets = np.column_stack([y, -y, y**2])[:, :n_targets] if n_targets > 1 else y
    weights = np.random.default_rng(0).random(len(y))
    model = kind(max_leaf_nodes=30, random_state=0)
    if kind in FORESTS:
        model.set_params(n_estimators=10)
    model.fit(X, targets, sample_weight=weights)
    rows = np.vstack([X, adversarial(model, X, infinite=False)])
    assert np.array_equal(margins(model, rows), as_matrix(model.predict(rows), len(rows)))


@pytest.mark.parametrize("kind", TREE_CLASSIFIERS + FOREST_CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_classifiers_give_the_probability_of_each_class(kind, n_classes):
    X, y = table(1)
    model = kind(max_depth=6, random_state=0)
    if kind in FOREST_CLASSIFIERS:
        model.set_params(n_estimators=10)
    model.fit(X, classes(y, n_classes))
    rows = np.vstack([X, adversarial(model, X, infinite=False)])
    assert np.array_equal(margins(model, rows), model.predict_proba(rows))


def test_infinite_and_huge_values_follow_the_tree_in_float32():
    X, y = table()
    model = tree.DecisionTreeRegressor(max_depth=8).fit(X, y)
    rows = adversarial(model, X)
    with np.errstate(over="ignore"):
        short = rows.astype(np.float32)
    assert np.array_equal(margins(model, rows), model.tree_.predict(short).reshape(-1, 1))


@pytest.mark.parametrize("init", [None, "zero", DummyClassifier(strategy="prior")])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_boosting_classifiers(init, n_classes):
    X, y = table(2, missing=0)
    model = ensemble.GradientBoostingClassifier(n_estimators=8, init=init, learning_rate=0.37)
    model.fit(X, classes(y, n_classes))
    rows = adversarial(model, X, infinite=False)
    rows = np.where(np.isnan(rows), 0.5, rows)
    expected = as_matrix(model.decision_function(rows), len(rows))
    np.testing.assert_allclose(margins(model, rows), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_gradient_boosting_regressors(loss):
    X, y = table(3, missing=0)
    model = ensemble.GradientBoostingRegressor(n_estimators=8, loss=loss).fit(X, y)
    np.testing.assert_allclose(margins(model, X)[:, 0], model.predict(X), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("categorical", [None, [1], [1, 3]])
@pytest.mark.parametrize("missing", [0, 0.15])
def test_histogram_boosting_of_numbers_and_codes(categorical, missing):
    X, y = table(4, missing=missing)
    if categorical == [1, 3]:
        X[:, 3] = np.abs(np.round(X[:, 3]))
    for seed, loss in enumerate(["squared_error", "gamma"]):
        model = ensemble.HistGradientBoostingRegressor(
            max_iter=8, categorical_features=categorical, loss=loss, min_samples_leaf=5
        ).fit(X, np.exp(y / 4))
        rows = adversarial(model, X, seed)
        if categorical == [1, 3]:
            rows[:, 3] = np.round(np.nan_to_num(rows[:, 3], posinf=9, neginf=-9))
        if categorical is None:
            rows[::7, 1] = np.inf
        assert np.array_equal(margins(model, rows), model._raw_predict(rows))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_histogram_boosting_classifiers(n_classes):
    X, y = table(5)
    model = ensemble.HistGradientBoostingClassifier(
        max_iter=6, categorical_features=[1], early_stopping=True
    ).fit(X, classes(y, n_classes))
    rows = adversarial(model, X)
    expected = as_matrix(model.decision_function(rows), len(rows))
    assert np.array_equal(margins(model, rows), expected)


def test_histogram_boosting_of_a_frame_keeps_names_and_categories():
    X, y = table(6)
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["b"] = frame["b"].astype("category")
    model = ensemble.HistGradientBoostingRegressor(max_iter=5).fit(frame, y)
    assert read_ensemble(model).columns == tuple("abcde")
    assert np.array_equal(margins(model, X)[:, 0], model.predict(frame))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    leaves=st.integers(2, 60),
    leaf_rows=st.integers(1, 40),
    bins=st.integers(12, 255),
    missing=st.sampled_from([0, 0.02, 0.5]),
)
def test_histogram_boosting_over_its_settings(seed, leaves, leaf_rows, bins, missing):
    X, y = table(seed, missing=missing)
    model = ensemble.HistGradientBoostingRegressor(
        max_iter=3, max_leaf_nodes=leaves, min_samples_leaf=leaf_rows, max_bins=bins,
        categorical_features=[1], learning_rate=0.7,
    ).fit(X, y)  # fmt: skip
    rows = adversarial(model, X, seed, n_rows=150)
    assert np.array_equal(margins(model, rows), model._raw_predict(rows))


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(TREES + TREE_CLASSIFIERS),
    leaves=st.integers(2, 80),
    pruning=st.sampled_from([0.0, 0.01]),
    criterion_missing=st.sampled_from([0, 0.02, 0.5]),
)
def test_trees_over_their_settings(seed, kind, leaves, pruning, criterion_missing):
    X, y = table(seed, missing=criterion_missing)
    model = kind(max_leaf_nodes=leaves, ccp_alpha=pruning, random_state=seed)
    model.fit(X, y if kind in TREES else classes(y, 3))
    rows = adversarial(model, X, seed, n_rows=150, infinite=False)
    if criterion_missing == 0:
        rows = np.where(np.isnan(rows), 0.5, rows)
    predict = model.predict if kind in TREES else model.predict_proba
    assert np.array_equal(margins(model, rows), as_matrix(predict(rows), len(rows)))


@pytest.mark.parametrize(
    "model",
    [
        tree.DecisionTreeRegressor(max_depth=4),
        ensemble.RandomForestClassifier(n_estimators=4, max_depth=4),
        ensemble.HistGradientBoostingRegressor(max_iter=4, categorical_features=[1]),
    ],
)
def test_values_equal_their_definition(model):
    X, y = table(7)
    model.fit(X, classes(y, 3) if hasattr(model, "predict_proba") else y)
    tables = shapley.compile(model, background=X[:25])
    predict = getattr(model, "predict_proba", model.predict)
    expected = brute_force(
        lambda rows: as_matrix(predict(rows), len(rows)), X[30:33], X[:25], np.arange(5)
    )
    found = tables.values(X[30:33]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_path_dependent_game_follows_weighted_cover():
    X = np.array([[0.0], [1.0]])
    model = tree.DecisionTreeRegressor().fit(X, [0.0, 8.0], sample_weight=[3.0, 1.0])
    tables = shapley.compile(model)
    np.testing.assert_allclose(tables.base_values, [2.0])
    np.testing.assert_allclose(tables.values(X), [[-2.0], [6.0]])


def test_constant_models():
    X = np.ones((30, 2))
    for model in (tree.DecisionTreeRegressor(), ensemble.HistGradientBoostingRegressor()):
        model.fit(X, np.full(30, 3.0))
        assert np.array_equal(margins(model, X)[:, 0], model.predict(X))


def test_what_is_not_a_sum_of_trees_is_refused_with_a_remedy():
    X, y = table(8, missing=0)
    label = classes(y, 2)
    boosting = ensemble.GradientBoostingClassifier(n_estimators=2, init=LogisticRegression())
    names = pd.DataFrame({"colour": pd.Categorical(["red", "blue"] * 30)})
    pieces = np.column_stack([X[:, 0], X[:, 1] / 2])
    hist = ensemble.HistGradientBoostingRegressor
    for model, what in (
        (boosting.fit(X, label), "init='zero'"),
        (ensemble.RandomForestClassifier(2).fit(X, np.column_stack([label, label])), "each target"),
        (hist().fit(names, np.arange(60)), r"column colour .* such as 'blue'.*encode them"),
        (hist(categorical_features=[1]).fit(pieces, y), "column 1 .* renumber them"),
        (make_pipeline(tree.DecisionTreeRegressor()).fit(X, y), "compile its last step"),
        (LinearRegression().fit(X, y), "use shapley.linear"),
        (ensemble.IsolationForest(n_estimators=2).fit(X), "scikit-learn's IsolationForest"),
        (ensemble.RandomForestRegressor(), "holds no trees; fit it"),
    ):
        with pytest.raises(shapley.ReaderError, match=what):
            read_ensemble(model)

"""Kinds of models and of tables that are off the main road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import pellucid
from pellucid.explain.ground import prepare
from pellucid.explain.subject import SubjectError


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(120, 4)), columns=["a", "b", "c", "d"])
    return X, (X["a"] * X["b"] + X["c"] > 0).to_numpy()


CLASSIFIERS = {
    "support vectors": lambda: SVC(),
    "neighbours": lambda: KNeighborsClassifier(),
    "votes": lambda: VotingClassifier(
        [("a", LogisticRegression()), ("b", RandomForestClassifier(5))], voting="soft"
    ),
    "ridge": lambda: RidgeClassifier(),
    "search": lambda: RandomizedSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0
    ),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_add_up_to_what_they_answer(name, numbers, shapley_by_definition):
    X, y = numbers
    model = CLASSIFIERS[name]().fit(X, y)
    found = pellucid.explain(model, X[:3], background=X[50:56])
    has_margin = hasattr(model, "decision_function")
    answer = model.decision_function if has_margin else (lambda f: model.predict_proba(f)[:, 1])
    truth = shapley_by_definition(answer, X[:3], X[50:56], [["a"], ["b"], ["c"], ["d"]])
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-9)
    assert found.space == ("margin" if has_margin else "response")
    assert found.certificate.verdict == "ok"
    assert found.classes == (False, True)


def test_three_classes_of_support_vectors_have_one_margin_each(numbers):
    X, _ = numbers
    y = np.random.default_rng(0).integers(3, size=len(X))
    assert pellucid.explain(SVC().fit(X, y), X[:2], background=X[9:15]).values.shape == (2, 4, 3)
    pairs = SVC(decision_function_shape="ovo").fit(X, y)
    with pytest.raises(SubjectError, match="gives labels and no probabilities"):
        pellucid.explain(pairs, X[:2], background=X[9:15])


def test_outliers_are_explained_by_their_score(numbers):
    X, _ = numbers
    model = IsolationForest(n_estimators=10, random_state=0).fit(X)
    found = pellucid.explain(model, X[:4], background=X[9:15])
    np.testing.assert_allclose(found.margins[:, 0], model.decision_function(X[:4]), atol=1e-9)


def test_several_targets_are_several_outputs(numbers):
    X, _ = numbers
    model = Ridge().fit(X, X[["a", "b"]])
    found = pellucid.explain(model, X[:4], background=X[9:15])
    assert found.values.shape == (4, 4, 2)
    np.testing.assert_allclose(found.margins, model.predict(X[:4]), atol=1e-9)


def test_columns_named_by_numbers_do_not_vanish(numbers):
    X, y = numbers
    plain = X.set_axis([10, 20, 30, 40], axis=1).assign(**{"50": "x"})
    plain.columns = [10, 20, 30, 40, 50]
    plain[50] = np.where(y, "p", "q")
    pipeline = make_pipeline(
        make_column_transformer((StandardScaler(), [0, 1, 2, 3]), (OneHotEncoder(), [4])),
        LogisticRegression(),
    ).fit(plain, y)
    found = pellucid.explain(pipeline, plain[:20], background=plain[20:60])
    assert found.feature_names == ("10", "20", "30", "40", "50")
    assert found.feature_importance_dict()["50"] > 0.1
    assert found.certificate.verdict == "ok"


def test_tables_of_other_kinds_are_read(numbers):
    X, y = numbers
    model = LogisticRegression().fit(X, y)
    by_pandas = pellucid.explain(model, X[:5], background=X[20:40]).values
    by_polars = pellucid.explain(model, pl.from_pandas(X[:5]), background=pl.from_pandas(X[20:40]))
    np.testing.assert_array_equal(by_polars.values, by_pandas)
    by_array = pellucid.explain(model, X[:5].to_numpy(), background=X[20:40].to_numpy())
    np.testing.assert_array_equal(by_array.values, by_pandas)
    assert by_array.feature_names == ("a", "b", "c", "d")
    on_arrays = LogisticRegression().fit(X.to_numpy(), y)
    found = pellucid.explain(on_arrays, X[:5], background=X[20:40])
    np.testing.assert_allclose(found.values, by_pandas)


LIBRARIES = {
    "lightgbm, names with spaces": lambda lgb, X, y: lgb.LGBMClassifier(
        n_estimators=9, verbose=-1
    ).fit(X.rename(columns={"a": "an a"}), y).booster_,
    "lightgbm, averaged": lambda lgb, X, y: lgb.LGBMClassifier(
        boosting_type="rf", bagging_freq=1, bagging_fraction=0.5, n_estimators=9, verbose=-1
    ).fit(X, y),
    "lightgbm, linear leaves": lambda lgb, X, y: lgb.LGBMRegressor(
        linear_tree=True, n_estimators=9, verbose=-1
    ).fit(X, y * 1.0),
    "lightgbm, counts": lambda lgb, X, y: lgb.LGBMRegressor(
        objective="poisson", n_estimators=9, verbose=-1
    ).fit(X, y * 1.0),
    "xgboost, counts": lambda xgb, X, y: xgb.XGBRegressor(
        objective="count:poisson", n_estimators=9
    ).fit(X, y * 1.0),
    "xgboost, dropped trees": lambda xgb, X, y: xgb.XGBClassifier(
        booster="dart", rate_drop=0.3, n_estimators=9
    ).fit(X, y),
    "xgboost, labels": lambda xgb, X, y: xgb.train(
        {"objective": "multi:softmax", "num_class": 3}, xgb.DMatrix(X, y * 2), 5
    ),
    "xgboost, categories": lambda xgb, X, y: xgb.XGBClassifier(
        n_estimators=9, enable_categorical=True
    ).fit(X.assign(d=X["d"].round().astype(int).astype("category")), y),
    "catboost, counts": lambda cat, X, y: cat.CatBoostRegressor(
        iterations=9, loss_function="Poisson", verbose=0, allow_writing_files=False
    ).fit(X, y * 1.0),
    "catboost, classes": lambda cat, X, y: cat.CatBoostClassifier(
        iterations=9, verbose=0, allow_writing_files=False
    ).fit(X, y * 1 + (X["a"] > 0) * 1),
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARIES)
def test_boosters_of_every_kind_are_looked_up(name, numbers):
    X, y = numbers
    model = LIBRARIES[name](pytest.importorskip(name.partition(",")[0]), X, y)
    if "spaces" in name:
        X = X.rename(columns={"a": "an a"})
    if "categories" in name:
        X = X.assign(d=X["d"].round().astype(int).astype("category"))
    found = pellucid.explain(model, X[:9], background=X[20:40])
    assert found.certificate.verdict == "ok", found.certificate
    assert "tables" in found.certificate.how
    assert found.certificate.response_error < 1e-5


def test_rows_that_the_model_refuses_are_its_own_affair(people):
    frame, y = people
    words = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame[["job"]], y)
    odd = frame[["job"]].replace("a", "astronaut")
    with pytest.raises(SubjectError, match=r"step 'onehotencoder' of .* unknown categories"):
        pellucid.explain(words, odd)
    plain = LogisticRegression().fit(frame[["income"]], y)
    with pytest.raises(SubjectError, match=r"LogisticRegression does not take .* NaN"):
        pellucid.explain(plain, frame[["age"]].rename(columns={"age": "income"}))


def test_one_row_may_be_a_series_or_a_dict(people):
    frame, y = people
    make = make_column_transformer(
        (StandardScaler(), ["income"]), (OneHotEncoder(sparse_output=False), ["job", "city"])
    ).set_output(transform="polars")
    ready = prepare(make_pipeline(make, LogisticRegression()).fit(frame, y), background=frame[:50])
    truth = pellucid.explain(ready, frame[3:4])
    for row in (frame.iloc[3], frame.iloc[3].to_dict(), pl.from_pandas(frame[3:4])):
        np.testing.assert_array_equal(pellucid.explain(ready, row).values, truth.values)
    assert pellucid.explain(ready, frame.iloc[3]).data.index.tolist() == ["person 3"]


def test_no_rows_are_nothing_to_explain(numbers):
    X, y = numbers
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(SubjectError, match="X has no rows"):
        pellucid.explain(pipeline, X[:0], background=X[:20])
    with pytest.raises(SubjectError, match="X has no rows"):
        pellucid.explain(prepare(pipeline, background=X[:20]), X[:0])


def test_what_is_prepared_gives_the_same_bits_row_by_row(numbers):
    X, y = numbers
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(9, random_state=0)).fit(X, y)
    ready = prepare(pipeline, background=X[:20])
    many = pellucid.explain(pipeline, X[30:40], background=X[:20])
    for i in range(3):
        one = pellucid.explain(ready, X[30 + i : 31 + i])
        np.testing.assert_array_equal(one.values[0], many.values[i])
        assert one.certificate.background == many.certificate.background
    with pytest.raises(SubjectError, match="what is prepared has its background"):
        pellucid.explain(ready, X, background=X)
    with pytest.raises(SubjectError, match="keeps no background"):
        prepare(pipeline)


@pytest.mark.parametrize("dtype", ["category", "str"])
def test_words_of_histogram_boosting_are_exact(dtype, people, shapley_by_definition):
    frame, y = people
    typed = frame.assign(rank=np.random.default_rng(0).choice([10, 20, 35], len(frame)))
    typed.loc[typed.index[::9], "job"] = None
    typed = typed[["job", "age", "rank", "income"]].astype({"job": dtype, "rank": "category"})
    if dtype == "str":
        typed["job"] = typed["job"].astype(object)
    model = HistGradientBoostingClassifier(
        max_iter=9, categorical_features=["job", "rank"], min_samples_leaf=5
    ).fit(typed, y)
    rows, background = typed[:4], typed[50:56]
    found = pellucid.explain(model, rows, background=background)
    assert "tables" in found.certificate.how
    truth = shapley_by_definition(model.decision_function, rows, background, [[c] for c in typed])
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-9)


def test_categories_that_no_reader_knows_are_tried_as_a_function(people, shapley_by_definition):
    frame, y = people
    columns = [["age"], ["income"], ["job"], ["city"]]
    catboost = pytest.importorskip("catboost")
    words = catboost.CatBoostClassifier(
        iterations=9, verbose=0, cat_features=["job", "city"], allow_writing_files=False
    ).fit(frame, y)
    found = pellucid.explain(words, frame[:2], background=frame[50:54])
    truth = shapley_by_definition(
        lambda rows: words.predict(rows, prediction_type="RawFormulaVal"),
        frame[:2], frame[50:54], columns,
    )  # fmt: skip
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-9)


def test_a_map_of_players_by_columns_is_a_way_to_group(numbers):
    X, _ = numbers
    model = LinearRegression().fit(X, X["a"] + X["d"])
    table = pd.DataFrame(
        [[1, 1, 0, 0], [0, 0, 1, 1]], index=["front", "back"], columns=["a", "b", "c", "d"]
    )
    found = pellucid.explain(model, X[:5], background=X[20:40], players=table)
    assert found.feature_names == ("front", "back")
    alone = pellucid.explain(model, X[:5], background=X[20:40])
    np.testing.assert_allclose(found.values[:, 0], alone.values[:, :2].sum(axis=1), atol=1e-12)
    assert found.data["front"].iloc[0].count(",") == 1


def test_a_forecast_is_explained_by_what_it_is_made_of():
    days = pd.date_range("2024-01-01", periods=120, freq="D")
    sales = 10 + np.arange(120) % 7 + np.random.default_rng(0).normal(0, 0.1, 120)
    table = pd.DataFrame({"day": days})
    model = pellucid.AutoMLForecaster(
        time_column="day", horizon=7, time_budget=None, max_trials=2, store=False
    ).fit(table, sales)
    ahead = pd.DataFrame({"day": pd.date_range("2024-04-30", periods=7, freq="D")})
    found = pellucid.explain(model, ahead)
    own = model.explain(ahead)
    np.testing.assert_array_equal(found.values, own.values)
    assert found.certificate.verdict == "ok"
    assert found.feature_names == own.feature_names
    pd.testing.assert_frame_equal(found.data, own.data)
    past = pellucid.explain(model, ahead, players={"the past": ["y"], "the calendar": ["day"]})
    np.testing.assert_allclose(past.values[:, 0], own.values[:, 1], atol=1e-9)


def test_clusters_are_no_numbers_to_explain(numbers):
    X, _ = numbers
    with pytest.raises(SubjectError, match="KMeans gives labels"):
        pellucid.explain(KMeans(2, n_init=1).fit(X), X)

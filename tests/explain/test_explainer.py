"""`explain` gives the values of the definition, for what people have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC

import pellucid
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.subject import SubjectError
from pellucid.explain.summing import residual, summed

COLUMNS = [["age"], ["income"], ["job"], ["city"]]


def encoder():
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_column_transformer(
        (numbers, ["age", "income"]), (OneHotEncoder(drop="if_binary"), ["job", "city"])
    )


def log_odds(pipeline):
    def answer(frame):
        chances = pipeline.predict_proba(frame)
        return np.log(chances[:, 1] / chances[:, 0])

    return answer


def lightgbm():
    return pytest.importorskip("lightgbm").LGBMClassifier(n_estimators=20, verbose=-1)


def xgboost():
    return pytest.importorskip("xgboost").XGBClassifier(n_estimators=20)


def catboost():
    return pytest.importorskip("catboost").CatBoostClassifier(
        iterations=20, verbose=0, allow_writing_files=False
    )


def probability(pipeline):
    return lambda frame: pipeline.predict_proba(frame)[:, 1]


MODELS = {
    "logistic": (LogisticRegression, log_odds, "closed form"),
    "lightgbm": (lightgbm, log_odds, "tables"),
    "xgboost": (xgboost, log_odds, "tables"),
    "catboost": (catboost, log_odds, "tables"),
    "boosting": (lambda: GradientBoostingClassifier(n_estimators=20), log_odds, "tables"),
    "forest": (lambda: RandomForestClassifier(20, random_state=0), probability, "tables"),
    "pca, logistic": (lambda: make_pipeline(PCA(3), LogisticRegression()), log_odds, "behind pca"),
    "pca, forest": (
        lambda: make_pipeline(PCA(3), RandomForestClassifier(10, random_state=0)),
        probability,
        "all coalitions",
    ),
    "polynomial": (
        lambda: make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=5000)),
        log_odds,
        "all coalitions",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_raw_values_of_a_pipeline_are_those_of_the_definition(name, people, shapley_by_definition):
    make, answer, how = MODELS[name]
    frame, y = people
    y = (y == "yes").astype(int) if name == "xgboost" else y
    pipeline = make_pipeline(encoder(), make()).fit(frame, y)
    rows, background = frame[:4], frame[50:57]
    found = pellucid.explain(pipeline, rows, background=background)
    truth = shapley_by_definition(answer(pipeline), rows, background, COLUMNS)[:, :, 0]
    np.testing.assert_allclose(found.values, truth, atol=2e-5 if name == "xgboost" else 1e-8)
    assert found.certificate.verdict == "ok"
    assert found.method == "exact"
    assert how in found.certificate.how
    assert list(found.data.index) == list(rows.index)
    assert found.feature_names == ("age", "income", "job", "city")


@pytest.mark.parametrize("name", ["logistic", "lightgbm", "pca, forest"])
def test_probabilities_are_exact_where_players_are_few(name, people, shapley_by_definition):
    frame, y = people
    pipeline = make_pipeline(encoder(), MODELS[name][0]()).fit(frame, y)
    rows, background = frame[:3], frame[50:55]
    found = pellucid.explain(pipeline, rows, background=background, space="probability")
    truth = shapley_by_definition(probability(pipeline), rows, background, COLUMNS)
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-12)
    assert found.space == "probability"
    np.testing.assert_allclose(found.margins, pipeline.predict_proba(rows)[:, 1:], atol=1e-12)


def test_groups_of_raw_columns_play_as_one_and_the_others_alone(people, shapley_by_definition):
    frame, y = people
    pipeline = make_pipeline(encoder(), PCA(4), lightgbm()).fit(frame, y)
    rows, background = frame[:3], frame[50:55]
    groups = {"work": ["income", "job"]}
    found = pellucid.explain(pipeline, rows, background=background, players=groups)
    truth = shapley_by_definition(
        log_odds(pipeline), rows, background, [["income", "job"], ["age"], ["city"]]
    )
    assert found.feature_names == ("work", "age", "city")
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-8)


def test_a_group_that_holds_all_mixed_columns_is_exact_by_tables(people):
    frame, y = people
    numbers = make_pipeline(SimpleImputer(), PCA(2))
    make = make_column_transformer((numbers, ["age", "income"]), (OneHotEncoder(), ["job", "city"]))
    pipeline = make_pipeline(make, lightgbm()).fit(frame, y)
    apart = pellucid.explain(pipeline, frame[:5], background=frame[50:55])
    assert "made of several players" in str(apart.certificate.reasons) or apart.method == "exact"
    assert "coalitions" in apart.certificate.how
    joined = pellucid.explain(
        pipeline, frame[:5], background=frame[50:55], players={"body": ["age", "income"]}
    )
    assert "tables" in joined.certificate.how


def test_multiclass_has_values_for_each_class(people, shapley_by_definition):
    frame, _ = people
    y = np.random.default_rng(1).choice(["x", "y", "z"], len(frame))
    pipeline = make_pipeline(encoder(), LogisticRegression()).fit(frame, y)
    rows, background = frame[:3], frame[50:55]
    found = pellucid.explain(pipeline, rows, background=background)
    assert found.classes == ("x", "y", "z")
    truth = shapley_by_definition(pipeline.decision_function, rows, background, COLUMNS)
    np.testing.assert_allclose(found.values, truth, atol=1e-10)
    chance = pellucid.explain(pipeline, rows, background=background, space="probability")
    truth = shapley_by_definition(pipeline.predict_proba, rows, background, COLUMNS)
    np.testing.assert_allclose(chance.values, truth, atol=1e-10)


REGRESSORS = {
    "linear": LinearRegression,
    "histograms": lambda: HistGradientBoostingRegressor(max_iter=20),
    "poisson": PoissonRegressor,
    "log target": lambda: TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp),
    "search": lambda: GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_responses_of_regressors_add_up_to_what_they_predict(name, people, shapley_by_definition):
    frame, _ = people
    y = 1.0 + frame["income"].to_numpy() * 3
    pipeline = make_pipeline(encoder(), REGRESSORS[name]()).fit(frame, y)
    rows, background = frame[:3], frame[50:55]
    found = pellucid.explain(pipeline, rows, background=background, space="response")
    truth = shapley_by_definition(pipeline.predict, rows, background, COLUMNS)
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-8)
    margin = pellucid.explain(pipeline, rows, background=background)
    assert margin.certificate.verdict == "ok"
    assert margin.certificate.response_error < 1e-8


def test_an_estimator_without_a_pipeline_has_one_player_a_column(people):
    frame, y = people
    numbers = frame[["age", "income"]].fillna(0.0)
    model = lightgbm().fit(numbers, y)
    by_frame = pellucid.explain(model, numbers[:9], background=numbers[9:30])
    assert by_frame.feature_names == ("age", "income")
    booster = model.booster_
    np.testing.assert_array_equal(
        pellucid.explain(booster, numbers[:9], background=numbers[9:30]).values, by_frame.values
    )
    by_array = lightgbm().fit(numbers.to_numpy(), y)
    found = pellucid.explain(by_array, numbers.to_numpy()[:9], background=numbers.to_numpy()[9:30])
    np.testing.assert_array_equal(found.values, by_frame.values)
    assert found.feature_names == ("x0", "x1")


def test_category_columns_of_lightgbm_are_exact(people, shapley_by_definition):
    frame, y = people
    typed = frame.astype({"job": "category", "city": "category"})
    model = lightgbm().fit(typed, y)
    rows, background = typed[:3], typed[50:55]
    found = pellucid.explain(model, rows, background=background)
    assert "tables" in found.certificate.how
    truth = shapley_by_definition(log_odds(model), rows, background, COLUMNS)
    np.testing.assert_allclose(found.values, truth[:, :, 0], atol=1e-10)


def test_texts_stay_sparse_and_are_exact_over_words():
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(300)]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(120)]
    y = ["good" if "word1" in text else "bad" for text in texts]
    for last in (LogisticRegression(), MultinomialNB(), lightgbm()):
        pipeline = make_pipeline(TfidfVectorizer(), last).fit(texts, y)
        found = pellucid.explain(pipeline, texts[:20], background=texts[20:60])
        assert found.feature_names == ("text",)
        assert found.certificate.verdict == "ok"
        assert found.engineered.n_features == len(pipeline[0].get_feature_names_out())
        matrix = pipeline[0].transform(texts[:20])
        assert sparse.issparse(found.engineered.data.sparse.to_coo())
        np.testing.assert_allclose(
            found.engineered.data.sparse.to_coo().toarray(), matrix.toarray()
        )
        if isinstance(last, LogisticRegression):
            mean = np.asarray(pipeline[0].transform(texts[20:60]).mean(axis=0)).ravel()
            truth = (matrix.toarray() - mean) * last.coef_[0]
            np.testing.assert_allclose(found.engineered.values, truth, atol=1e-12)


def test_a_csr_matrix_is_explained_as_it_is():
    rng = np.random.default_rng(0)
    X = sparse.random(80, 500, density=0.02, random_state=rng, format="csr")
    y = rng.integers(2, size=80)
    for model in (LogisticRegression(), lightgbm(), xgboost()):
        model.fit(X, y)
        found = pellucid.explain(model, X[:10], background=X[10:40])
        assert found.certificate.verdict == "ok", found.certificate
        assert found.values.shape == (10, 500)


def test_low_importances_are_not_cut_to_zero():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 3)), columns=["strong", "weak", "none"])
    y = 100 * X["strong"] + 1e-6 * X["weak"]
    model = LinearRegression().fit(X, y)
    importance = pellucid.explain(model, X).feature_importance_dict()
    assert 1e-8 < importance["weak"] < 1e-5


def test_our_own_models_are_explained_as_they_explain_themselves(people, tmp_path):
    frame, y = people
    clf = pellucid.AutoMLClassifier(
        time_budget=None, max_trials=2, store=str(tmp_path), allowed_families=["linear", "lightgbm"]
    ).fit(frame, y)
    by_run = pellucid.explain(clf.run_, frame[:9])
    found, own = pellucid.explain(clf, frame[:9]), clf.explain(frame[:9])
    np.testing.assert_array_equal(found.values, own.values)
    np.testing.assert_array_equal(by_run.values, own.values)
    np.testing.assert_array_equal(found.engineered.values, own.engineered.values)
    assert found.details["predicted"] == own.details["predicted"]
    assert own.certificate.verdict == "ok"
    assert own.certificate.background == found.certificate.background
    np.testing.assert_allclose(residual(own), residual(found), atol=1e-12)
    assert found.certificate.verdict == "ok"
    chance = pellucid.explain(clf, frame[:2], space="probability")
    np.testing.assert_allclose(chance.margins, clf.predict_proba(frame[:2])[:, 1:], atol=1e-9)


def test_a_function_is_given_rows_of_the_form_of_x(shapley_by_definition):
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["u", "v", "u"]})

    def value(frame):
        assert list(frame.columns) == ["a", "b"]
        return frame["a"] * np.where(frame["b"] == "u", 1.0, 2.0)

    found = pellucid.explain(value, rows)
    truth = shapley_by_definition(value, rows, rows, [["a"], ["b"]])[:, :, 0]
    np.testing.assert_allclose(found.values, truth, atol=1e-12)
    array = pellucid.explain(lambda X: X[:, 0] * X[:, 1], np.arange(6.0).reshape(3, 2))
    assert array.values.shape == (3, 2)


def test_a_row_and_its_values_do_not_depend_on_the_others(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), lightgbm()).fit(frame, y)
    many = pellucid.explain(pipeline, frame[:20], background=frame[50:60])
    one = pellucid.explain(pipeline, frame[3:4], background=frame[50:60])
    np.testing.assert_array_equal(many.values[3:4], one.values)
    shuffled = pellucid.explain(pipeline, frame[:20][::-1], background=frame[50:60])
    assert list(shuffled.data.index) == list(frame.index[:20][::-1])
    np.testing.assert_array_equal(shuffled.values[::-1], many.values)


def test_sums_differ_from_players_by_the_residual(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), lightgbm()).fit(frame, y)
    raw = pellucid.explain(pipeline, frame[:20], background=frame[50:80])
    old = pellucid.explain(pipeline, frame[:20], background=frame[50:80], raw_mode="sum")
    gap = residual(raw)
    np.testing.assert_allclose(gap.to_numpy(), raw.values - old.values, atol=1e-12)
    np.testing.assert_allclose(gap.sum(axis=1), 0.0, atol=1e-9)
    assert gap.abs().to_numpy().max() > 1e-4  # income interacts with the indicators of job
    assert "sums of engineered values" in old.certificate.how
    np.testing.assert_array_equal(summed(raw).values, old.values)
    pd.testing.assert_frame_equal(old.data, frame[:20], check_dtype=False)


def test_linear_models_have_no_residual(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), LogisticRegression()).fit(frame, y)
    gap = residual(pellucid.explain(pipeline, frame[:20], background=frame[50:80]))
    np.testing.assert_allclose(gap.to_numpy(), 0.0, atol=1e-12)


def test_sampling_says_how_well_it_knows(people, shapley_by_definition):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 11)), columns=[f"c{i}" for i in range(11)])
    y = X["c0"] * X["c1"] + np.sin(X["c2"]) > 0
    model = MLPClassifier((20,), max_iter=300, random_state=0).fit(X, y)
    found = pellucid.explain(model, X[:3], background=X[10:20], precision=0.002)
    assert found.method == "sampled"
    assert found.standard_errors.max() <= 0.002
    assert found.certificate.reached
    assert found.certificate.verdict == "ok"
    assert any("margin" in reason for reason in found.certificate.reasons)
    truth = shapley_by_definition(
        lambda frame: model.predict_proba(frame)[:, 1], X[:1], X[10:20], [[c] for c in X]
    )[0, :, 0]
    off = np.abs(found.values[0] - truth)
    assert off.max() < 5 * 0.002
    again = pellucid.explain(model, X[:3], background=X[10:20], precision=0.002)
    np.testing.assert_array_equal(again.values, found.values)


# -- what cannot be explained says so -----------------------------------------------------------
def test_columns_that_the_model_needs_and_x_lacks_are_named(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), LogisticRegression()).fit(frame, y)
    with pytest.raises(SubjectError, match=r"lacks 1 of the 4 columns .* 'job'"):
        pellucid.explain(pipeline, frame.drop(columns="job"))
    more = frame.assign(target=1)
    found = pellucid.explain(pipeline, more[list(more)[::-1]][:5], background=frame[:9])
    assert found.feature_names == ("age", "income", "job", "city")
    numbers = lightgbm().fit(frame[["age", "income"]].to_numpy(), y)
    with pytest.raises(SubjectError, match="X has 1 columns, but LGBMClassifier was fitted on 2"):
        pellucid.explain(numbers, frame[["age"]].to_numpy())


def test_what_is_not_fitted_is_refused(people):
    frame, _ = people
    for model in (
        make_pipeline(encoder(), LogisticRegression()),
        LogisticRegression(),
        lightgbm(),
        catboost(),
        xgboost(),
        pellucid.AutoMLClassifier(),
    ):
        with pytest.raises(SubjectError, match="is not fitted"):
            pellucid.explain(model, frame)
    with pytest.raises(SubjectError, match="is a class"):
        pellucid.explain(LogisticRegression, frame)
    with pytest.raises(SubjectError, match="is no model"):
        pellucid.explain(3, frame)


def test_a_background_without_rows_and_one_row_without_background_are_refused(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), LogisticRegression()).fit(frame, y)
    with pytest.raises(SubjectError, match="background has no rows"):
        pellucid.explain(pipeline, frame, background=frame[:0])
    with pytest.raises(SubjectError, match="X has 1 rows, too few"):
        pellucid.explain(pipeline, frame[:1])


def test_players_that_do_not_fit_are_refused(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), LogisticRegression()).fit(frame, y)
    with pytest.raises(SubjectError, match="unknown column 'incom'; did you mean 'income'"):
        pellucid.explain(pipeline, frame, players={"money": ["incom"]})
    with pytest.raises(SubjectError, match="'age' is listed by 'a' and by 'b'"):
        pellucid.explain(pipeline, frame, players={"a": ["age"], "b": ["age"]})
    with pytest.raises(SubjectError, match="'age' is named like a column that it does not list"):
        pellucid.explain(pipeline, frame, players={"age": ["income"]})
    empty = pellucid.explain(pipeline, frame[:5], players={"nobody": [], "all": list(frame)})
    assert (empty.values[:, 0] == 0).all()
    with pytest.raises(SubjectError, match="unknown players 'rows'"):
        pellucid.explain(pipeline, frame, players="rows")


def test_a_space_that_a_model_has_not_is_refused(people):
    frame, y = people
    pipeline = make_pipeline(encoder(), LinearSVC()).fit(frame, y)
    with pytest.raises(SubjectError, match="gives no probability; ask for space='margin'"):
        pellucid.explain(pipeline, frame, space="probability")
    assert pellucid.explain(pipeline, frame[:5], background=frame[9:20]).method == "exact"
    calibrated = make_pipeline(encoder(), CalibratedClassifierCV(LinearSVC())).fit(frame, y)
    with pytest.raises(SubjectError, match="gives no margin"):
        pellucid.explain(calibrated, frame, space="margin")


def test_exact_is_refused_with_the_reason_where_it_is_impossible():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 25))
    model = MLPClassifier((5,), max_iter=50, random_state=0).fit(X, X[:, 0] > 0)
    with pytest.raises(ExplanationError, match=r"25 players.*has no margin"):
        pellucid.explain(model, X[:2], background=X[2:9], method="exact")
    with pytest.raises(ExplanationError, match="raw_mode='sum' adds up exact engineered values"):
        pellucid.explain(model, X[:2], background=X[2:9], raw_mode="sum")
    with pytest.raises(ExplanationError, match="y has shape"):
        pellucid.explain(LinearRegression().fit(X, X[:, 0]), X, y=[1.0])

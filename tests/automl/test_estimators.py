"""The estimators, from a table to an explained model."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import train_test_split

import pellucid
from pellucid import AutoMLClassifier, AutoMLRegressor, PellucidError
from pellucid.tabular.schema import SchemaError


def table(n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n_rows).astype(float),
            "job": rng.choice(["cook", "clerk", "maid"], n_rows),
            "joined": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 99, n_rows), "D"),
            "member": rng.random(n_rows) < 0.5,
            "site": "north",
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "age"] = np.nan
    margin = (frame["age"].fillna(50) - 50) / 20 + (frame["job"] == "cook") * 1.5
    return frame, margin + rng.normal(size=n_rows) * 0.5


def classifier(**options):
    return AutoMLClassifier(time_budget=None, max_trials=4, store=False, **options)


@pytest.fixture(scope="module")
def binary():
    X, margin = table()
    y = np.where(margin > 0.5, "yes", "no")
    return classifier().fit(X, y), X, y


def test_a_fitted_classifier_answers(binary):
    clf, X, y = binary
    assert clf.classes_.tolist() == ["no", "yes"]
    assert clf.n_features_in_ == 5
    assert clf.feature_names_in_.tolist() == list(X.columns)
    probabilities = clf.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (clf.predict(X) == clf.classes_[probabilities.argmax(axis=1)]).all()
    assert clf.score(X, y) > 0.8
    assert clf.run_ is None


def test_the_leaderboard_has_every_trial_and_the_ensemble_best_first(binary):
    clf, _, _ = binary
    board = clf.leaderboard_
    assert len(board) == 5
    assert set(board["name"]) >= {"Prior", "Linear", "LightGBM", "Ensemble"}
    scores = board["AUC_weighted"].dropna()
    assert scores.is_monotonic_decreasing
    assert board["weight"].sum() > 0


@pytest.mark.parametrize("as_polars", [False, True])
def test_explanations_add_up_over_both_levels(binary, as_polars):
    clf, X, _ = binary
    margins = clf.predictor_.margins(X)
    raw = clf.explain(pl.from_pandas(X) if as_polars else X)
    assert raw.feature_names == tuple(X.columns)
    assert raw.values.shape == X.shape
    np.testing.assert_allclose(raw.margins, margins, atol=1e-9)
    np.testing.assert_allclose(raw.engineered.margins, margins, atol=1e-9)
    assert "job=cook" in raw.engineered.feature_names
    assert set(raw.feature_importance_dict(top_k=2)) == {"age", "job"}
    assert raw.global_importance()["site"] == 0


def test_one_row_is_explained_as_it_is_in_a_batch(binary):
    clf, X, _ = binary
    batch = clf.explain(X)
    one = clf.explain(X.iloc[[17]])
    assert np.array_equal(one.values[0], batch.values[17])
    assert np.array_equal(one.engineered.values[0], batch.engineered.values[17])
    assert clf.explain(X.iloc[:0]).values.shape == (0, 5)


def test_the_training_explanation_knows_its_rows(binary):
    clf, X, _ = binary
    explanation = clf.explanation_
    assert explanation.rows_from == "train"
    assert explanation.n_rows == len(X)
    assert len(explanation.details["y_true"]) == len(X)
    assert explanation[10:12].details["predicted"] == explanation.details["predicted"][10:12]


def test_predictions_do_not_depend_on_the_order_of_columns_or_on_further_ones(binary):
    clf, X, _ = binary
    shuffled = X[X.columns[::-1]].assign(more=1)
    assert np.array_equal(clf.predict_proba(shuffled), clf.predict_proba(X))


def test_rows_without_a_needed_column_are_refused(binary):
    clf, X, _ = binary
    with pytest.raises(SchemaError, match="'job'"):
        clf.predict(X.drop(columns="job"))


def test_the_same_seed_and_trials_give_the_same_model(binary):
    clf, X, y = binary
    again = classifier().fit(X, y)
    assert np.array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert np.array_equal(again.explain(X).values, clf.explain(X).values)


def test_three_classes_are_explained_a_class_at_a_time():
    X, margin = table()
    y = np.digitize(margin, [0.0, 1.0])
    clf = classifier().fit(X, y)
    explanation = clf.explain(X[:20])
    assert explanation.values.shape == (20, 5, 3)
    np.testing.assert_allclose(explanation.margins, clf.predictor_.margins(X[:20]), atol=1e-9)
    assert explanation.classes == (0, 1, 2)


def test_a_regressor_is_explained_in_its_own_unit():
    X, y = table()
    reg = AutoMLRegressor(time_budget=None, max_trials=4, store=False).fit(
        X[:200], y[:200], X_test=X[200:], y_test=y[200:]
    )
    assert reg.score(X[200:], y[200:]) > 0.6
    explanation = reg.explanation_
    assert explanation.rows_from == "test"
    np.testing.assert_allclose(
        explanation.margins[:, 0], reg.predict(X.loc[explanation.data.index]), atol=1e-9
    )
    assert reg.training_["metrics"]["test"]["r2_score"] == pytest.approx(
        reg.score(X[200:], y[200:])
    )


def test_parameters_are_kept_as_given_and_cloned():
    clf = classifier(drop_columns=["age"], seed=3)
    assert clone(clf).get_params() == clf.get_params()


def test_the_user_drops_columns_and_names_kinds():
    X, margin = table()
    X["code"] = np.random.default_rng(1).integers(0, 3, len(X))
    clf = classifier(drop_columns=["age"], column_kinds={"code": "categorical"})
    clf.fit(X, margin > 0)
    engineered = clf.explanation_.engineered.feature_names
    assert "age" not in engineered
    assert "code=1" in engineered
    assert clf.explanation_.global_importance()["age"] == 0
    found = {finding["column"] for finding in clf.training_["guardrails"]}
    assert {"age", "site"} <= found


def test_rows_without_a_target_are_left_out_and_said():
    X, margin = table()
    y = pd.Series(np.where(margin > 0, "yes", "no"), name="answer").astype(object)
    y[:10] = None
    clf = classifier().fit(X, y)
    assert clf.training_["n_rows"] == len(X) - 10
    assert any("10 rows without a target" in g["message"] for g in clf.training_["guardrails"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_budget": 0}, "time_budget must be"),
        ({"time_budget": "60"}, "time_budget must be"),
        ({"max_trials": 0}, "max_trials must be"),
        ({"primary_metric": "AUC"}, "'AUC' is not a metric for binary"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_fit(options, message):
    X, margin = table(60)
    with pytest.raises(PellucidError, match=message):
        AutoMLClassifier(**{"store": False, **options}).fit(X, margin > 0)


def test_explanations_are_not_made_when_not_wanted():
    X, margin = table(100)
    assert classifier(model_explainability=False).fit(X, margin > 0).explanation_ is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metric", "at_least"),
    [
        ("bank_additional", "AUC_weighted", 0.940),
        ("california_housing", "r2_score", 0.80),
        ("wine_quality", "AUC_weighted", 0.80),
    ],
)
def test_real_tables_are_learned_and_explained(shared_data, name, metric, at_least):
    frame, card = shared_data(name)
    y, X = frame[card["target"]], frame.drop(columns=[card["target"]])
    regression = card["task"] == "regression"
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, random_state=0, stratify=None if regression else y
    )
    estimator = (AutoMLRegressor if regression else AutoMLClassifier)(
        time_budget=None, max_trials=4, allowed_families=("linear", "lightgbm"), store=False
    )
    estimator.fit(X_train, y_train, X_test=X_test, y_test=y_test)
    assert estimator.training_["metrics"]["test"][metric] >= at_least
    explanation = estimator.explanation_
    assert explanation.n_rows == 1000
    margins = estimator.predictor_.margins(X_test.loc[explanation.data.index])
    scale = max(1.0, np.abs(margins).max())
    for level in (explanation, explanation.engineered):
        assert np.abs(level.margins - margins).max() <= 1e-6 * scale


def test_a_latency_budget_leaves_members_out():
    X, margin = table(800)
    X["other"] = np.random.default_rng(5).normal(size=len(X))
    margin = margin + np.sin(2 * X["other"])
    options = {"time_budget": None, "max_trials": 12, "store": False}
    free = AutoMLRegressor(**options).fit(X, margin)
    quick = AutoMLRegressor(latency_budget_ms=0.001, **options).fit(X, margin)
    assert len(free.training_["ensemble"]) > 1
    assert len(quick.training_["ensemble"]) == 1
    np.testing.assert_allclose(
        quick.explain(X[:5]).margins, quick.predictor_.margins(X[:5]), atol=1e-9
    )
    assert np.array_equal(
        pellucid.replay(quick.plan_, X, margin).margins(X), quick.predictor_.margins(X)
    )


def test_groups_time_and_validation_sets_divide_the_rows():
    X, margin = table(400)
    groups = np.arange(400) // 20
    for fit, kind in (
        ({"groups": groups}, "groups"),
        ({"X_valid": X[:100], "y_valid": margin[:100]}, "fixed"),
    ):
        reg = AutoMLRegressor(time_budget=None, max_trials=3, store=False)
        reg.fit(
            X[100:] if kind == "fixed" else X, margin[100:] if kind == "fixed" else margin, **fit
        )
        assert reg.training_["folds"]["kind"] == kind
        assert np.isfinite(reg.predict(X)).all()
    timed = AutoMLRegressor(time_budget=None, max_trials=3, store=False, time_column="joined")
    assert timed.fit(X, margin).training_["folds"]["kind"] == "time"
    with pytest.raises(PellucidError, match="time_column 'when'"):
        AutoMLRegressor(time_column="when", store=False).fit(X, margin)


def test_class_weights_move_predictions_towards_the_rare_class():
    X, margin = table(600)
    y = np.where(margin > np.quantile(margin, 0.9), "rare", "usual")
    plain = classifier().fit(X, y).predict_proba(X)[:, 0].mean()
    balanced = classifier(class_weight="balanced").fit(X, y).predict_proba(X)[:, 0].mean()
    assert balanced > plain + 0.05
    with pytest.raises(PellucidError, match="class_weight names 'odd'"):
        classifier(class_weight={"odd": 2.0}).fit(X, y)


@pytest.mark.parametrize(
    ("weight", "message"),
    [([1.0], "1 entries for 300"), (np.full(300, -1.0), "row 0 is -1"), (np.zeros(300), "zero")],
)
def test_weights_that_cannot_be_are_told(weight, message):
    X, margin = table()
    with pytest.raises(PellucidError, match=message):
        AutoMLRegressor(store=False).fit(X, margin, sample_weight=weight)


def test_featurization_can_be_said_and_switched_off():
    X, margin = table(400)
    y = margin > 0.5
    config = pellucid.FeaturizationConfig(
        imputers={"age": "median"}, blocked=["onehot"], drop_columns=["joined"]
    )
    said = classifier(featurization=config).fit(X, y)
    names = said.predictor_.feature_map.engineered_names
    assert not [name for name in names if name.startswith(("job=", "joined"))]
    off = classifier(featurization="off", column_kinds={"job": "categorical"}).fit(X, y)
    assert off.predictor_.feature_map.engineered_names == ("age", "job", "member")
    again = pellucid.replay(said.plan_.to_dict(), X, y)
    assert np.array_equal(again.margins(X), said.predictor_.margins(X))
    with pytest.raises(PellucidError, match="did you mean 'age'"):
        classifier(featurization=pellucid.FeaturizationConfig(imputers={"agee": 0})).fit(X, y)
    with pytest.raises(PellucidError, match="featurization has 'of'"):
        classifier(featurization="of").fit(X, y)


def test_a_monotone_column_only_raises_the_margin():
    X, margin = table(500)
    noisy = margin + 2.0 * np.sin(X["age"].fillna(50) / 3)
    reg = AutoMLRegressor(monotone={"age": 1}, time_budget=None, max_trials=6, store=False)
    reg.fit(X, noisy)
    assert {"prior", "lightgbm", "ensemble"} <= set(reg.leaderboard_["family"])
    assert not {"linear", "spline", "forest"} & set(reg.leaderboard_["family"])
    for i in range(5):
        steps = pd.concat([X.iloc[[i]]] * 60, ignore_index=True)
        steps["age"] = np.linspace(15, 95, 60)
        assert (np.diff(reg.predict(steps)) >= -1e-9).all()
    for monotone, message in (
        ({"agee": 1}, "'agee'"), ({"age": 2}, "expected 1 or -1"), ({"job": 1}, "categorical"),
    ):  # fmt: skip
        with pytest.raises(PellucidError, match=message):
            AutoMLRegressor(monotone=monotone, store=False).fit(X, noisy)

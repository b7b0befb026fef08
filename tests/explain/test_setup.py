"""A fitted model comes apart into parts that work on their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import pellucid
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.setup import setup_explanations


def pipeline_of(people):
    frame, y = people
    make = make_column_transformer((OneHotEncoder(), ["job", "city"]), ("passthrough", ["income"]))
    return make_pipeline(make, LogisticRegression()).fit(frame, y)


def test_parts_of_a_pipeline_give_what_the_whole_gives(people):
    frame, y = people
    pipeline = pipeline_of(people)
    setup = setup_explanations(pipeline, X=frame, X_test=frame[:30], y=y, task="classification")
    assert setup.raw_feature_names == ("age", "income", "job", "city")
    assert len(setup.engineered_feature_names) == 7
    assert setup.classes == ("no", "yes")
    assert setup.pipeline is pipeline
    assert setup.estimator is pipeline[-1]
    np.testing.assert_allclose(
        setup.estimator.predict_proba(setup.X_test_transform), pipeline.predict_proba(frame[:30])
    )
    assert setup.X_transform.shape == (300, 7)
    assert sparse.issparse(setup.feature_map)
    assert setup.feature_map.toarray().sum(axis=1).tolist() == [0, 1, 4, 2]
    pd.testing.assert_frame_equal(setup.X_test_raw, frame[:30])
    assert "4 raw features, 7 engineered ones, predicts classes no, yes" in str(setup)
    again = pellucid.explain(setup.subject, frame[:5], background=frame[5:20])
    assert again.certificate.verdict == "ok"


def test_our_own_model_comes_apart_too(people):
    frame, y = people
    clf = pellucid.AutoMLClassifier(
        time_budget=None, max_trials=1, store=False, allowed_families=["linear"]
    ).fit(frame, y)
    setup = setup_explanations(clf, X=frame, X_test=frame[:9])
    assert setup.estimator.predict(setup.X_test_transform) == clf.predict(frame[:9]).tolist()
    np.testing.assert_allclose(
        setup.estimator.predict_proba(setup.X_test_transform), clf.predict_proba(frame[:9])
    )
    assert setup.engineered_feature_names == clf.predictor_.feature_map.engineered_names


def test_rows_that_do_not_fit_are_refused(people):
    frame, y = people
    pipeline = pipeline_of(people)
    with pytest.raises(
        ExplanationError, match=r"the task is 'regression', but .* predicts classes"
    ):
        setup_explanations(pipeline, X=frame, task="regression")
    with pytest.raises(ExplanationError, match="unknown task"):
        setup_explanations(pipeline, X=frame, task="clustering")
    with pytest.raises(ExplanationError, match="y has 2 values for 300 rows"):
        setup_explanations(pipeline, X=frame, y=y[:2])
    with pytest.raises(ExplanationError, match="lacks 1 of the"):
        setup_explanations(pipeline, X=frame, X_test=frame.drop(columns="job"))

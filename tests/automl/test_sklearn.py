"""The estimators keep to scikit-learn's conventions: its own checks, all but those named here."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from pellucid import AutoMLClassifier, AutoMLRegressor

ESTIMATORS = [
    estimator(
        time_budget=None, max_trials=2, store=False, n_jobs=1, model_explainability=False
    )
    for estimator in (AutoMLClassifier, AutoMLRegressor)
]  # fmt: skip


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": "folds are drawn over rows, so a row of "
        "weight two is on one side of a fold while two rows may be on both",
    }


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_finds_its_conventions_kept(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return AutoMLClassifier(**ESTIMATORS[0].get_params()).fit(X, (X[:, 0] > 0).astype(int)), X


@pytest.mark.parametrize("method", ["predict", "predict_proba", "explain"])
def test_arrays_of_another_shape_are_refused(fitted, method):
    model, X = fitted
    with pytest.raises(ValueError, match=r"X has 2 features, but AutoMLClassifier is expecting 3"):
        getattr(model, method)(X[:, :2])
    with pytest.raises(ValueError, match=r"Reshape your data: X.reshape\(1, -1\) is one row"):
        getattr(model, method)(X[0])


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (np.zeros((4, 2)), [0, 1, 0], {}, "X has 4 rows but y has 3"),
        (np.zeros((0, 2)), [], {}, "n_samples = 0"),
        (np.zeros((4, 0)), [0, 1, 0, 1], {}, r"0 feature\(s\) \(shape=\(4, 0\)\)"),
        (np.zeros((4, 2)), None, {}, "requires y to be passed"),
        (np.zeros((4, 2)), [1j, 0, 1, 0], {}, "Complex data not supported"),
        (np.zeros((4, 2)), [1, 1, 1, 1], {}, "single class"),
        (
            np.zeros((4, 2)), [0, 1, 0, 1], {"sample_weight": [1, 0, 1, 0]},
            "every row of class 1 has weight zero",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_a_value_error(X, y, options, message):
    with pytest.raises(ValueError, match=message):
        AutoMLClassifier(**ESTIMATORS[0].get_params()).fit(X, y, **options)


def test_a_column_of_labels_is_taken_with_a_warning(fitted):
    model, X = fitted
    y = (X[:, 0] > 0).astype(int)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        again = AutoMLClassifier(**ESTIMATORS[0].get_params()).fit(X, y[:, None])
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    AutoMLClassifier(**ESTIMATORS[0].get_params()).fit(X, pd.DataFrame({"label": y}))

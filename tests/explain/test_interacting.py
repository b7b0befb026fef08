"""Interactions are those of the definition, and their lines are the Shapley values."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import pellucid
from pellucid import AutoMLClassifier
from pellucid.explain.asking import AskError
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.interacting import interactions


def pair_by_definition(predict, row, background, first, second):
    """Interaction index of two of three columns: the mean second difference without and with k."""
    (rest,) = set(row.columns) - {first, second}

    def worth(*members):
        mixed = background.copy()
        for name in members:
            mixed[name] = row[name].iloc[0]
        return predict(mixed).mean()

    def second_difference(*others):
        return (
            worth(first, second, *others) - worth(first, *others)
            - worth(second, *others) + worth(*others)
        )  # fmt: skip

    return (second_difference() + second_difference(rest)) / 2


def test_pairs_of_raw_columns_behind_a_pipeline_are_those_of_the_definition(people):
    frame, y = people
    frame = frame.fillna(40.0)[["age", "income", "job"]]
    make = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    forest = RandomForestClassifier(8, max_depth=4, random_state=0)
    pipeline = make_pipeline(make, forest).fit(frame, y)
    background = frame[50:70]
    found = interactions(pipeline, frame[:3], background=background)
    for first, second in [("age", "income"), ("age", "job"), ("income", "job")]:
        truth = pair_by_definition(
            lambda rows: pipeline.predict_proba(rows)[:, 1], frame[:1], background, first, second
        )
        assert 2 * found.matrix(0).loc[first, second] == pytest.approx(truth, abs=1e-9)
    values = pellucid.explain(pipeline, frame[:3], background=background).values
    np.testing.assert_allclose(found.values[..., 0].sum(axis=2), values, atol=1e-9)
    assert found.strongest(1).index[0] == ("income", "job")
    np.testing.assert_allclose(found.matrix(0, "no"), -found.matrix(0, "yes"))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_our_ensembles_lines_are_their_values(people, n_classes):
    frame, y = people
    y = y if n_classes == 2 else np.digitize(frame["income"], [0.5, 1.2])
    clf = AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(frame, y)
    found = interactions(clf, frame[:20])
    explanation = clf.explain(frame[:20])
    values = explanation.values if n_classes == 3 else explanation.values[:, :, None]
    np.testing.assert_allclose(found.values.sum(axis=2), values, atol=1e-8)
    np.testing.assert_allclose(found.values, np.swapaxes(found.values, 1, 2), atol=1e-12)
    assert found.feature_names == explanation.feature_names
    assert found.additivity_error < 1e-8
    if n_classes == 2:
        assert set(found.strongest(1).index[0]) == {"income", "job"}
    else:
        with pytest.raises(AskError, match="say which with label="):
            found.matrix(0)


def test_linear_models_have_none(people):
    frame, _ = people
    X = frame.fillna(40.0)[["age", "income"]]
    found = interactions(LinearRegression().fit(X, X["age"] - X["income"]), X)
    assert found.strongest()[("age", "income")] == 0
    with pytest.raises(AskError, match="row 300 is not among"):
        found.matrix(300)


def test_what_has_no_closed_form_is_refused(people):
    frame, _ = people
    X = frame.fillna(40.0)[["age", "income"]]
    net = MLPRegressor(hidden_layer_sizes=(3,), max_iter=5000).fit(X, X["age"])
    with pytest.raises(ExplanationError, match="have no closed form"):
        interactions(net, X)
    mixed = make_pipeline(PCA(2), RandomForestClassifier(3)).fit(X, X["age"] > 40)
    with pytest.raises(ExplanationError, match="made of several raw columns"):
        interactions(mixed, X)

"""A Predictor survives its files bit for bit, and refuses to give sums that do not add up."""

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.predictor import Predictor
from pellucid.shapley import AdditivityError


@pytest.fixture(scope="module", params=["text", "number", "bool", "three"])
def fitted(request):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(size=200), "job": rng.choice(["a", "b", "c"], 200)})
    signal = X["age"] + (X["job"] == "a")
    y = {
        "text": np.where(signal > 0, "yes", "no"),
        "number": (signal > 0).astype(int) + 5,
        "bool": signal > 0,
        "three": np.digitize(signal, [0, 1]),
    }[request.param]
    clf = AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    return clf.predictor_, X, y


def test_files_give_the_same_bits(fitted):
    predictor, X, y = fitted
    files = predictor.to_files()
    again = Predictor.from_files(files)
    assert np.array_equal(again.margins(X), predictor.margins(X))
    assert again.predict(X).dtype == predictor.predict(X).dtype
    assert set(again.predict(X)) <= set(y)
    ours, theirs = predictor.explain(X), again.explain(X)
    assert np.array_equal(ours.values, theirs.values)
    assert np.array_equal(ours.engineered.values, theirs.engineered.values)
    assert again.to_files() == files


def test_files_hold_no_pickle(fitted):
    for name, data in fitted[0].to_files().items():
        assert not data.startswith(b"\x80"), name
        assert b"numpy.core.multiarray" not in data, name


def test_an_explanation_that_does_not_add_up_names_member_and_reader(fitted):
    predictor, X, _ = fitted
    broken = Predictor.from_files(predictor.to_files())
    assert broken.explain(X).details["additivity_error"] < 1e-9  # the tables are made
    trees = _trees_of(broken.ensemble)
    trees.value[trees.feature < 0] += 1e-6
    expected = rf"is not returned: member '.*', reader of {trees.library}: .* row 0 add up"
    with pytest.raises(ExplanationError, match=expected):
        broken.explain(X)


def test_where_no_member_is_at_fault_the_ensemble_is(fitted):
    predictor, X, _ = fitted
    matrix, margins = predictor.featurizer.transform(predictor.frame(X)), predictor.margins(X)
    tables = predictor.shapley("raw")
    values = tables.values(matrix)
    tables.verify(values, margins, matrix)
    margins[5:] += 1e-7
    with pytest.raises(AdditivityError, match=r"^ensemble of \d+ members: .* row 5 add up"):
        tables.verify(values, margins, matrix)


def _trees_of(ensemble):
    """The trees of the first member that has some."""
    members = [getattr(member, "inner", member) for member in ensemble.members]
    return next(member.trees for member in members if hasattr(member, "trees"))

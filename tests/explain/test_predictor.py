"""A Predictor survives its files bit for bit, and refuses to give sums that do not add up."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.predictor import Predictor


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


def test_an_explanation_that_does_not_add_up_is_not_given(fitted):
    predictor, X, _ = fitted
    ensemble = predictor.ensemble
    broken = dataclasses.replace(predictor, ensemble=_Shifted(ensemble))
    with pytest.raises(ExplanationError, match=r"misses the model's margin by 0\.001"):
        broken.explain(X)


class _Shifted:
    """An ensemble whose margins are not those that its tables explain."""

    def __init__(self, ensemble):
        self.ensemble = ensemble

    def margins(self, X):
        return self.ensemble.margins(X) + 1e-3

    def shapley(self, **options):
        return self.ensemble.shapley(**options)

"""A surrogate says how well it follows the model, on rows that it has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import pellucid
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.mimic import MimicWarning, explain_recorded


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))


def curve(frame):
    return 3 * frame["a"] + np.sin(2 * frame["b"]) + frame["c"] * (frame["a"] > 0)


@pytest.mark.parametrize(("surrogate", "least"), [("lightgbm", 0.9), ("tree", 0.8)])
def test_a_surrogate_that_follows_is_approximate(surrogate, least):
    X = table(2000)
    found = pellucid.explain(curve, X, method="mimic", surrogate=surrogate)
    fidelity = found.certificate.fidelity
    assert found.method == "mimic"
    assert least < fidelity["r2"] < 1
    assert fidelity["top_feature"] >= 0.8
    assert found.certificate.verdict == "approximate"
    assert found.certificate.additivity_error == pytest.approx(
        np.abs(found.margins[:, 0] - curve(X)).max()
    )
    exact = pellucid.explain(curve, X[:200], background=X[:50])
    order = list(exact.feature_importance_dict())
    assert list(found.feature_importance_dict())[:3] == order[:3]


@pytest.mark.parametrize("surrogate", ["linear", "sgd"])
def test_linear_surrogates_of_linear_functions_find_the_coefficients(surrogate):
    X = table(500)
    found = pellucid.explain(
        lambda frame: 2 * frame["a"] - frame["d"], X, method="mimic", surrogate=surrogate
    )
    assert found.certificate.fidelity["r2"] > 0.999
    centred = X - X.loc[np.isin(X.index, X.index)].mean()
    slope = np.polyfit(centred["a"], found.values[:, 0], 1)[0]
    assert slope == pytest.approx(2.0, abs=0.02)
    np.testing.assert_allclose(found.values[:, 1], 0.0, atol=0.05)


def test_a_surrogate_that_does_not_follow_is_warned_of_and_not_trusted():
    X = table(200)
    with pytest.warns(MimicWarning, match="R2 is"):
        found = pellucid.explain(
            lambda frame: np.sin(20 * frame["a"]) * frame["b"], X, method="mimic",
            surrogate="linear",
        )  # fmt: skip
    assert found.certificate.verdict == "do-not-trust"
    assert "its R2 is" in str(found.certificate)
    assert "its R2 is" in repr(found)
    assert "<pre>do-not-trust: mimic" in found._repr_html_()


def test_a_small_table_does_not_give_a_constant():
    X = table(30)
    with pytest.warns(MimicWarning):
        found = pellucid.explain(lambda frame: 100 * frame["a"], X, method="mimic")
    assert found.feature_importance_dict()["a"] > 10


def test_recorded_predictions_are_enough():
    X = table(1000).assign(kind=np.random.default_rng(1).choice(["x", "y"], 1000))
    answers = curve(X) + (X["kind"] == "x") * 2
    found = explain_recorded(answers, X)
    assert found.feature_names == ("a", "b", "c", "d", "kind")
    assert found.certificate.fidelity["r2"] > 0.9
    assert "recorded predictions only" in found.certificate.reasons[0]
    assert list(found.feature_importance_dict())[:2] == ["a", "kind"]
    chances = 1 / (1 + np.exp(-answers))
    classes = explain_recorded(
        np.column_stack([1 - chances, chances]), X, space="probability", classes=("no", "yes")
    )
    assert classes.certificate.fidelity["labels"] > 0.9
    assert set(classes.details) == {"additivity_error"}
    with pytest.raises(ExplanationError, match="3 predictions for 1000 rows"):
        explain_recorded([1.0, 2.0, 3.0], X)


def test_auto_takes_a_surrogate_where_sampling_takes_too_much(people):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 20)), columns=[f"c{i}" for i in range(20)])
    model = KNeighborsClassifier(30).fit(X, X["c0"] > 0)
    with pytest.warns(MimicWarning):
        found = pellucid.explain(model, X)
    assert found.method == "mimic"
    assert any("method='sampled' does it all the same" in r for r in found.certificate.reasons)


def test_raw_columns_that_mix_are_learned_from_as_they_are(people):
    frame, y = people
    make = make_pipeline(OrdinalEncoder(), LogisticRegression())
    pipeline = make.fit(frame[["job", "city"]], y)
    found = pellucid.explain(pipeline, frame[["job", "city"]], method="mimic")
    assert found.certificate.fidelity["r2"] > 0.95
    assert found.certificate.fidelity["labels"] > 0.9


def test_too_few_rows_are_refused():
    with pytest.raises(ExplanationError, match="at least 20 rows"):
        pellucid.explain(curve, table(9), method="mimic")
    with pytest.raises(ExplanationError, match="unknown surrogate 'forest'"):
        pellucid.explain(curve, table(30), method="mimic", surrogate="forest")
    with pytest.raises(ExplanationError, match="unknown raw_mode"):
        pellucid.explain(curve, table(9), raw_mode="total")
    with pytest.raises(ExplanationError, match="unknown method"):
        pellucid.explain(curve, table(9), method="guess")

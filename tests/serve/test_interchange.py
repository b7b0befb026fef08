"""An exported graph predicts what the model does, in a runtime that has none of our code."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.serve.conftest import make_people
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Rows, get_family
from pellucid.models.naive import NaiveMember
from pellucid.models.problem import Problem
from pellucid.serve.errors import ServeError
from pellucid.serve.interchange.export import check_onnx, export_onnx, feed, trial_rows

pytest.importorskip("onnxruntime", reason="pip install 'pellucid[onnx]'")

PROBLEMS = {
    "binary": (Problem("binary", 2), np.array(["no", "yes"])),
    "multiclass": (Problem("multiclass", 3), np.array([1, 2, 5])),
    "identity": (Problem("regression"), None),
    "log": (Problem("regression", link="log"), None),
}
# how each family's members are made; codes are among the columns of all of them
FAMILIES = {
    "prior": {},
    "linear": {"strength": 1.0},
    "spline": {},
    "lightgbm": {"num_leaves": 20},
    "xgboost": {},
    "catboost": {"one_hot_max_size": 2},
    "forest": {"kind": "extra", "n_estimators": 5},
}


@pytest.fixture(scope="module")
def predictor(clf):
    """A predictor of people with a category of many levels, numbers that are names, and a text."""
    from pellucid.tabular.featurize import Featurizer
    from pellucid.tabular.schema import infer_schema

    rng = np.random.default_rng(3)
    frame, _ = make_people(1200, seed=3)
    frame["city"] = [f"town {k}" for k in rng.zipf(1.4, 1200) % 90]
    frame.loc[rng.random(1200) < 0.1, "city"] = None
    frame["zip"] = rng.choice(rng.integers(0, 99_999, 60), 1200)
    frame["stamp"] = 1.7e9 + rng.integers(0, 1000, 1200)
    frame["member"] = frame["member"].astype(object).where(rng.random(1200) < 0.9)
    schema = infer_schema(frame)
    featurizer = Featurizer.fit(frame, schema)
    background = featurizer.transform(frame)[:100]
    found = replace(clf.predictor_, schema=schema, featurizer=featurizer, background=background)
    return found, frame


def with_member(predictor, frame, family, kind):
    """The predictor with one member of a family, as a search makes it."""
    problem, classes = PROBLEMS[kind]
    X = predictor.featurizer.transform(frame)
    features = predictor.feature_map
    score = np.nan_to_num(X[:, 0]) / 30 + np.sin(np.nan_to_num(X[:, -1])) + (X[:, 3] == 1)
    y = np.exp(score) if kind == "log" else score
    if problem.is_classification:
        y = np.digitize(score, np.quantile(score, [0.5] if kind == "binary" else [0.3, 0.7]))
    view = "indicators" if family in ("linear", "spline", "forest", "prior") else "codes"
    columns = features.columns_for(view)
    codes = [k for k in columns if features.forms[k] == "code"]
    encoded = codes[:1] if family in ("lightgbm", "catboost") else []
    member = get_family("view").fit(
        Rows(X, y),
        problem,
        {
            "family": family,
            "config": FAMILIES[family],
            "columns": [k for k in columns if k not in encoded],
            "categorical": [k for k in codes if k not in encoded] if view == "codes" else [],
            "encoded": encoded,
        },
        seed=0,
        rounds=5,
    )
    ensemble = Ensemble(
        members=(member, member),
        weights=np.array([0.3, 0.6]),
        intercept=np.linspace(0.1, 0.2, problem.n_outputs),
        names=(family, "again"),
    )
    return replace(predictor, problem=problem, classes=classes, ensemble=ensemble)


@pytest.mark.parametrize("kind", list(PROBLEMS))
@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_family_and_problem(predictor, family, kind):
    if (family, kind) == ("forest", "log"):
        pytest.skip("a forest's mean is no sum behind a log link")
    model = with_member(*predictor, family, kind)
    rows = pd.concat([predictor[1][:200], trial_rows(model)], ignore_index=True)
    for featurizer in (True, False):
        exported = export_onnx(model, featurizer=featurizer)
        assert set(exported.left_out) == ({"since"} if featurizer else set())
        assert check_onnx(exported, model, rows) < 1e-9


def test_probabilities_and_labels(predictor):
    import onnxruntime

    model = with_member(*predictor, "lightgbm", "multiclass")
    exported = export_onnx(model)
    rows = predictor[1][:50]
    session = onnxruntime.InferenceSession(exported.model)
    label, shares, margin = session.run(
        ["prediction", "probabilities", "margin"], feed(exported, model, rows)
    )
    np.testing.assert_array_equal(label, model.predict(rows))
    np.testing.assert_allclose(shares, model.predict_proba(rows), rtol=1e-12)
    np.testing.assert_allclose(margin, model.margins(rows), rtol=1e-12, atol=1e-12)
    facts = session.get_modelmeta().custom_metadata_map
    assert "dates" in facts["engineered by the caller: since"]


def test_a_graph_of_another_model_is_found_out(predictor):
    one, other = (with_member(*predictor, family, "binary") for family in ("lightgbm", "xgboost"))
    with pytest.raises(ServeError, match="does not predict what the model does"):
        check_onnx(export_onnx(one), other, predictor[1][:50])


def test_a_member_that_has_no_form_is_named(predictor):
    model = with_member(*predictor, "lightgbm", "binary")
    naive = NaiveMember(0, len(model.feature_map.engineered_names), 0.0, 0.0, None)
    strange = replace(model.ensemble, members=(model.ensemble.members[0], naive))
    with pytest.raises(ServeError, match=r"member 'again' \(naive\): its family has no form"):
        export_onnx(replace(model, ensemble=strange))


def test_from_the_command_line(clf, people, tmp_path):
    clf.run_.register("portable")
    store = clf.run_.store.location.folder
    people.to_parquet(tmp_path / "rows.parquet")
    words = ["onnx", "portable", "-o", tmp_path / "model.onnx", "--store", store, "--data",
             tmp_path / "rows.parquet"]  # fmt: skip
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "margins differ by at most" in result.output
    assert "since: reading dates" in result.output
    assert (tmp_path / "model.onnx").stat().st_size > 1000

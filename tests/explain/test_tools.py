"""Models of other tools answer as they do at home."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid.explain.subject import SubjectError


@pytest.mark.parametrize("learner", ["lgbm", "rf", "lrl1"])
def test_flaml_is_taken_apart(learner, people):
    flaml = pytest.importorskip("flaml", reason="FLAML is not installed")
    frame, y = people
    model = flaml.AutoML()
    with pytest.raises(SubjectError, match="is not fitted"):
        pellucid.explain(flaml.AutoML(), frame)
    settings = {"estimator_list": [learner], "verbose": 0, "n_jobs": 1}
    model.fit(frame, y, task="classification", time_budget=5, max_iter=2, **settings)
    found = pellucid.explain(model, frame[:9], background=frame[20:40])
    assert found.certificate.verdict == "ok"
    assert "tables" in found.certificate.how or "closed form" in found.certificate.how
    assert found.classes == ("no", "yes")
    chance = pellucid.explain(model, frame[:5], background=frame[20:30], space="probability")
    np.testing.assert_allclose(
        chance.margins[:, 0], np.asarray(model.predict_proba(frame[:5]))[:, 1], atol=1e-9
    )


def test_autogluon_is_asked_as_it_is(people, tmp_path):
    tabular = pytest.importorskip("autogluon.tabular", reason="AutoGluon is not installed")
    frame, y = people
    model = tabular.TabularPredictor("y", path=str(tmp_path / "ag"), verbosity=0).fit(
        frame.assign(y=y), hyperparameters={"GBM": {"num_boost_round": 20}}, time_limit=30
    )
    found = pellucid.explain(model, frame[:5].assign(y=y[:5]), background=frame[20:30])
    assert found.certificate.verdict == "ok"
    assert found.classes == ("no", "yes")
    truth = model.predict_proba(frame[:5])["yes"].to_numpy()
    np.testing.assert_allclose(found.margins[:, 0], truth, atol=1e-6)


def test_mljar_is_asked_as_it_is(people, tmp_path):
    supervised = pytest.importorskip("supervised", reason="mljar-supervised is not installed")
    frame, y = people
    model = supervised.AutoML(
        results_path=str(tmp_path / "mljar"), mode="Explain", algorithms=["LightGBM"],
        explain_level=0, total_time_limit=30, train_ensemble=False, verbose=0,
    )  # fmt: skip
    model.fit(frame.reset_index(drop=True), y)
    found = pellucid.explain(model, frame[:5], background=frame[20:30])
    assert found.certificate.verdict == "ok"
    truth = model.predict_proba(frame[:5])[:, 1]
    np.testing.assert_allclose(found.margins[:, 0], truth, atol=1e-6)


def test_an_mlflow_model_is_asked_for_its_response(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    class Product(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input["a"] * model_input["b"]

    columns = Schema([ColSpec(DataType.double, "a"), ColSpec(DataType.double, "b")])
    folder = str(tmp_path / "model")
    mlflow.pyfunc.save_model(
        folder, python_model=Product(), signature=ModelSignature(inputs=columns),
        pip_requirements=["pandas"],
    )  # fmt: skip
    model = mlflow.pyfunc.load_model(folder)
    rows = pd.DataFrame({"b": [1.0, 2.0, 3.0], "a": [4.0, 5.0, 6.0], "other": [0, 0, 0]})
    found = pellucid.explain(model, rows)
    assert found.feature_names == ("a", "b")
    assert found.space == "response"
    np.testing.assert_allclose(found.margins[:, 0], rows["a"] * rows["b"])
    assert found.certificate.verdict == "ok"
    with pytest.raises(SubjectError, match="lacks 1 of the 2 columns"):
        pellucid.explain(model, rows[["a"]])

"""What any release wrote is read by this one, and gives the answers that it gave then."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid import shapley
from pellucid.explain.explanation import Explanation
from pellucid.models.packing import unpack
from pellucid.search.kept import trial_from_files
from pellucid.search.plan import Plan
from pellucid.search.trials import unpack_members
from pellucid.serve.foreign.loading import load_scorer
from pellucid.store.artifacts import load_files, load_predictor

HERE = Path(__file__).parent
RELEASES = sorted(path for path in HERE.iterdir() if (path / "answers.json").is_file())
NEARLY = {"rtol": 1e-12, "atol": 1e-12}  # another compiler may add in another order


@pytest.fixture(params=RELEASES, ids=lambda path: path.name)
def home(request):
    return request.param


def told(home, name):
    return json.loads((home / "answers.json").read_text())[name]


@pytest.mark.parametrize("name", ["binary", "three", "amount"])
def test_models_answer_as_they_did(home, name):
    rows = pd.read_parquet(home / "rows.parquet")
    model, expected = load_predictor(home / name), told(home, name)
    explanation = model.explain(rows)
    np.testing.assert_allclose(model.margins(rows), expected["margins"], **NEARLY)
    np.testing.assert_allclose(explanation.values, expected["values"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        explanation.engineered.values, expected["engineered"], rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(explanation.base_values, expected["base_values"], **NEARLY)
    if name == "amount":
        np.testing.assert_allclose(model.predict(rows), expected["predicted"], **NEARLY)
    else:
        assert model.predict(rows).tolist() == expected["predicted"]


def test_forecasters_forecast_as_they_did(home):
    ahead = pd.read_parquet(home / "ahead.parquet")
    found = load_predictor(home / "forecast").predict(ahead)
    np.testing.assert_allclose(found, told(home, "forecast")["predicted"], **NEARLY)


def test_explanations_tables_plans_and_trials_are_read(home):
    explanation = Explanation.load(home / "explanation.zip")
    np.testing.assert_array_equal(explanation.values, told(home, "binary")["values"])
    assert explanation.engineered is not None
    assert explanation.certificate is not None
    tables = shapley.load(home / "tables.bin")
    np.testing.assert_array_equal(tables.values(np.arange(6.0).reshape(2, 3)), told(home, "tables"))
    plan = Plan.from_dict(json.loads((home / "plan.json").read_text()))
    assert plan.data["n_rows"] == 120
    trial, link = trial_from_files(load_files(home / "trial"))
    assert (link, trial.spec.family, trial.rounds) == ("log", "linear", (3, 4))


def test_members_of_a_trial_answer_as_those_of_the_model_do(home):
    model = load_predictor(home / "binary")
    members = unpack_members(unpack((home / "members.zip").read_bytes()))
    for kept, own in zip(members, model.ensemble.members, strict=True):
        np.testing.assert_array_equal(kept.margins(model.background), own.margins(model.background))


@pytest.mark.parametrize("name", ["plain", "trees", "linear_trees", "additive"])
def test_compiled_tables_answer_as_they_did(home, name):
    tables = shapley.load(home / f"{name}.bin")
    expected = json.loads((home / "compiled.json").read_text())[name]
    np.testing.assert_allclose(tables.values(np.load(home / "points.npy")[:10]), expected, **NEARLY)


def test_scorers_of_other_models_answer_as_they_did(home):
    points = np.nan_to_num(np.load(home / "points.npy")[:10])
    rows = pd.DataFrame(points, columns=["a", "b", "c", "d"])
    expected = json.loads((home / "compiled.json").read_text())["scorer"]
    found = load_scorer(home / "scorer").score(rows).values
    np.testing.assert_allclose(found, expected, **NEARLY)


def test_every_release_is_here():
    """A new version of Pellucid comes with what it writes."""
    assert {"0.1.0", pellucid.__version__} <= {path.name for path in RELEASES}

"""Old engineered names, the featurization summary and the guardrails, after one training."""

import json

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid.azureml.client import ExplanationClient
from pellucid.azureml.setup import automl_setup_model_explanations
from pellucid.azureml.training import AutoMLConfig
from pellucid.azureml.workspace import Experiment, Workspace

pytestmark = pytest.mark.filterwarnings("ignore::pellucid.azureml.notes.NoMeaningWarning")
N = 300


def table():
    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, N)
    age[:20] = np.nan
    frame = pd.DataFrame(
        {
            "age": age,
            "job": rng.choice(["admin.", "clerk", "nurse"], N),
            "contact": rng.choice(["phone", "mail"], N),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
            "customer": [f"c{k:05d}" for k in range(N)],
        }
    )
    said = np.where((frame["job"] == "nurse") & (rng.random(N) < 0.8), "yes", "no")
    return frame.assign(y=said)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("ws")
        patch.setenv("PELLUCID_STORE", str(folder / "store"))
        patch.chdir(folder)
        config = AutoMLConfig(
            "classification", training_data=table(), label_column_name="y", iterations=2
        )
        yield Experiment(Workspace.from_config(), "e").submit(config)


def test_the_model_under_its_old_name_is_explained_as_itself(trained):
    _, fitted = trained.get_output()  # it looks like a pipeline, and is none
    rows = table().drop(columns="y")[:10]
    found = pellucid.explain(fitted, rows)
    np.testing.assert_array_equal(found.values, fitted.predictor.explain(rows).values)


def test_names_are_made_as_they_were(trained):
    _, fitted = trained.get_output()
    names = fitted.named_steps["datatransformer"].get_engineered_feature_names()
    assert {
        "age_MeanImputer", "age_ImputationMarker", "job_CharGramCountVectorizer_admin.",
        "contact_ModeCatImputer_LabelEncoder", "since_CatImputer_Year", "since_CatImputer_Month",
    } <= set(names)  # fmt: skip
    assert len(set(names)) == len(names)
    rows = table().drop(columns="y")
    setup = automl_setup_model_explanations(
        fitted, "classification", X=rows, X_test=rows[:5], y=table()["y"]
    )
    assert setup.engineered_feature_names == names
    assert setup.X_test_transform.shape == (5, len(names))
    assert setup.feature_map.shape == (5, len(names))
    old = ExplanationClient.from_run(trained).download_model_explanation(raw=False)
    assert set(old.get_feature_importance_dict()) == set(names)
    raw = ExplanationClient.from_run(trained).download_model_explanation(raw=True)
    assert set(raw.features) == set(rows)


def test_each_name_says_how_it_was_made(trained):
    transformer = trained.get_output()[1].named_steps["datatransformer"]
    (found,) = transformer.get_json_strs_for_engineered_feature_names(
        ["job_CharGramCountVectorizer_clerk"]
    )
    facts = json.loads(found)
    assert facts["Value"] == "clerk"
    last = facts["Transformations"][facts["FinalTransformerName"]]
    assert last["TransformationFunction"] == "CharGramCountVectorizer"
    assert facts["Transformations"]["Transformer1"]["Input"] == ["job"]


def test_the_summary_says_what_became_of_each_column(trained, tmp_path):
    best = trained.get_best_child()
    best.download_file("outputs/featurization_summary.json", str(tmp_path / "summary.json"))
    summary = {
        each["RawFeatureName"]: each for each in json.loads((tmp_path / "summary.json").read_text())
    }
    assert list(summary) == ["age", "job", "contact", "since", "customer"]
    assert summary["age"]["Transformations"] == ["MeanImputer", "ImputationMarker"]
    assert "StringCast-CharGramCountVectorizer" in summary["job"]["Transformations"]
    assert summary["customer"]["Dropped"] == "Yes"
    assert summary["customer"]["EngineeredFeatureCount"] == 0
    assert [summary[name]["TypeDetected"] for name in ("since", "customer")] == [
        "DateTime", "Hashes"
    ]  # fmt: skip
    names = trained.get_output()[1].named_steps["datatransformer"].get_engineered_feature_names()
    assert sum(each["EngineeredFeatureCount"] for each in summary.values()) == len(names)


def test_guardrails_have_the_old_types_and_keys(trained, capsys):
    said = trained.get_guardrails()
    assert "customer" in capsys.readouterr().out
    faults = {each["type"]: each for each in said["faults"]}
    assert faults["_missing_value"]["parameters"] == [
        {
            "column_name": "age",
            "missing_value_count": 20,
            "imputation_type": "kept as a value of its own",
        }
    ]
    counts = table()["y"].value_counts()
    (balance,) = faults["_class_balancing"]["parameters"]
    assert balance["size_of_smallest_class"] == counts.min()
    assert balance["name_of_smallest_class"] == "yes"
    assert balance["num_of_samples"] == N
    assert faults["_detect_high_cardinal_feature"]["result"] == "done"
    assert faults["_cross_validation"]["parameters"][0]["number_of_folds"] > 1
    assert all({"friendly_type", "friendly_result"} <= set(each) for each in said["faults"])
    assert json.loads(json.dumps(said)) == said

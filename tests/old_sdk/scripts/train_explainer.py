"""Explains the best model of a training, in a run of its own."""

import sys

import joblib
import pandas as pd

from azureml.core import Dataset, Run
from azureml.interpret.mimic_wrapper import MimicWrapper
from azureml.interpret.scoring.scoring_explainer import TreeScoringExplainer, save
from azureml.train.automl.runtime.automl_explain_utilities import (
    automl_check_model_if_explainable,
    automl_setup_model_explanations,
)

run_id, label = sys.argv[1], sys.argv[2]
run = Run.get_context()
ws = run.experiment.workspace
automl_run = Run.get(ws, run_id)
assert automl_check_model_if_explainable(automl_run)
automl_run.download_file("outputs/model.pkl", "model.pkl")
fitted_model = joblib.load("model.pkl")

train = Dataset.get_by_name(ws, "machine-train").to_pandas_dataframe()
test = Dataset.get_by_name(ws, "machine-test").to_pandas_dataframe()
setup = automl_setup_model_explanations(
    fitted_model, X=train.drop(columns=label), X_test=test.drop(columns=label), y=train[label],
    task="regression", automl_run=automl_run,
)  # fmt: skip
explainer = MimicWrapper(
    ws, setup.automl_estimator, setup.surrogate_model, init_dataset=setup.X_transform,
    run=setup.automl_run, features=setup.engineered_feature_names,
    feature_maps=[setup.feature_map], classes=setup.classes,
    explainer_kwargs=setup.surrogate_model_params,
)  # fmt: skip
explainer.explain(
    ["local", "global"], tag="engineered explanations", eval_dataset=setup.X_test_transform
)
explainer.explain(
    ["local", "global"], get_raw=True, tag="raw explanations",
    raw_feature_names=setup.raw_feature_names, eval_dataset=setup.X_test_transform,
    raw_eval_dataset=setup.X_test_raw,
)  # fmt: skip
scoring_explainer = TreeScoringExplainer(explainer.explainer, feature_maps=[setup.feature_map])
save(scoring_explainer, "outputs", exist_ok=True)
run.log("rows", len(test))
automl_run.upload_file("outputs/scoring_explainer.pkl", "outputs/scoring_explainer.pkl")
pd.Series(setup.raw_feature_names).to_csv("outputs/raw_features.csv", index=False)

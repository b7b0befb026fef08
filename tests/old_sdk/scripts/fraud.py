"""Classification from a data set, explained and scored locally, as the old samples did it."""

import logging
import sys

import pandas as pd

from azureml.core.dataset import Dataset
from azureml.core.experiment import Experiment
from azureml.core.workspace import Workspace
from azureml.interpret import ExplanationClient
from azureml.interpret.mimic_wrapper import MimicWrapper
from azureml.interpret.scoring.scoring_explainer import TreeScoringExplainer, load, save
from azureml.train.automl import AutoMLConfig
from azureml.train.automl.runtime.automl_explain_utilities import automl_setup_model_explanations
from azureml.widgets import RunDetails

ws = Workspace.from_config()
experiment = Experiment(ws, "automl-classification-ccard-local")
print(pd.DataFrame({"Workspace": [ws.name], "Location": [ws.location]}).T)

label_column_name = sys.argv[2]
pd.read_parquet(sys.argv[1]).to_csv("data.csv", index=False)
dataset = Dataset.Tabular.from_delimited_files("data.csv")
training_data, validation_data = dataset.random_split(percentage=0.8, seed=223)
automl_settings = {
    "n_cross_validations": 3, "primary_metric": "average_precision_score_weighted",
    "experiment_timeout_hours": 0.25, "iterations": 3, "verbosity": logging.INFO,
    "enable_stack_ensemble": False,
}  # fmt: skip
automl_config = AutoMLConfig(
    task="classification", debug_log="automl_errors.log", training_data=training_data,
    label_column_name=label_column_name, **automl_settings,
)  # fmt: skip
local_run = experiment.submit(automl_config, show_output=True)
local_run.wait_for_completion()
RunDetails(local_run).show()
best_run, fitted_model = local_run.get_output()

X_test_df = validation_data.drop_columns(columns=[label_column_name]).to_pandas_dataframe()
y_test_df = validation_data.keep_columns([label_column_name], validate=True).to_pandas_dataframe()
y_pred = fitted_model.predict(X_test_df)
print(pd.crosstab(y_test_df.iloc[:, 0], y_pred))

client = ExplanationClient.from_run(best_run)
for raw in (False, True):
    found = client.download_model_explanation(raw=raw)
    print(raw, list(found.get_feature_importance_dict().items())[:3])

X_train = training_data.drop_columns(columns=[label_column_name])
y_train = training_data.keep_columns(columns=[label_column_name], validate=True)
setup = automl_setup_model_explanations(
    fitted_model, X=X_train, X_test=validation_data.drop_columns([label_column_name]), y=y_train,
    task="classification", automl_run=best_run,
)  # fmt: skip
explainer = MimicWrapper(
    ws, setup.automl_estimator, explainable_model=setup.surrogate_model,
    explainer_kwargs=setup.surrogate_model_params, init_dataset=setup.X_transform, run=best_run,
    features=setup.engineered_feature_names, feature_maps=[setup.feature_map],
    classes=setup.classes,
)  # fmt: skip
engineered = explainer.explain(["local", "global"], eval_dataset=setup.X_test_transform)
raw = explainer.explain(
    ["local", "global"], get_raw=True, raw_feature_names=setup.raw_feature_names,
    eval_dataset=setup.X_test_transform, raw_eval_dataset=setup.X_test_raw,
)  # fmt: skip
n_rows = len(X_test_df)
assert [len(raw.local_importance_values), len(raw.local_importance_values[0])] == [2, n_rows]
assert raw.classes == list(fitted_model.classes_)
print(raw.get_ranked_per_class_names(top_k=2), raw.get_ranked_local_names(top_k=1)[1][:2])
print("You can visualize the explanations under", best_run.get_portal_url())

scoring_explainer = TreeScoringExplainer(explainer.explainer, feature_maps=[setup.feature_map])
save(scoring_explainer, exist_ok=True)
best_run.upload_file("scoring_explainer.pkl", "scoring_explainer.pkl")
again = load(".").explain(setup.X_test_transform[:2], get_raw=True)
assert pd.DataFrame(again).equals(pd.DataFrame(raw.local_importance_values[1][:2]))
print("the sample ran to its end")

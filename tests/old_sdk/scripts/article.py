"""The workflow of the retired SDK's article on interpretability, on Bank Marketing."""

import sys

import pandas as pd

from azureml.core import Experiment, Workspace
from azureml.train.automl import AutoMLConfig

data = pd.read_parquet(sys.argv[1]).sample(1500, random_state=0).reset_index(drop=True)
X, y = data.drop(columns="y"), data["y"]
X_train, X_test, y_train, y_test = X[:1200], X[1200:], y[:1200], y[1200:]

ws = Workspace.from_config()
automl_config = AutoMLConfig(
    task="classification", primary_metric="AUC_weighted", iterations=3, X=X_train, y=y_train,
    n_cross_validations=3, model_explainability=True, enable_early_stopping=True,
)  # fmt: skip
local_run = Experiment(ws, "bank").submit(automl_config, show_output=True)
best_run, best_model = local_run.get_output()

# the explanation of the best model

from azureml.contrib.interpret.explanation.explanation_client import ExplanationClient

client = ExplanationClient.from_run(best_run)
engineered_explanations = client.download_model_explanation(raw=False)
print(engineered_explanations.get_feature_importance_dict())
print(client.download_model_explanation(raw=True).get_feature_importance_dict(top_k=5))

# any other model

automl_run, fitted_model = local_run.get_output(metric="accuracy")

from azureml.train.automl.automl_explain_utilities import (
    AutoMLExplainerSetupClass,
    automl_setup_model_explanations,
)

automl_explainer_setup_obj = automl_setup_model_explanations(
    fitted_model, X=X_train, X_test=X_test, y=y_train, task="classification"
)
assert isinstance(automl_explainer_setup_obj, AutoMLExplainerSetupClass)

from azureml.interpret.mimic.models.lightgbm_model import LGBMExplainableModel
from azureml.interpret.mimic_wrapper import MimicWrapper

explainer = MimicWrapper(
    ws, automl_explainer_setup_obj.automl_estimator, LGBMExplainableModel,
    init_dataset=automl_explainer_setup_obj.X_transform, run=automl_run,
    features=automl_explainer_setup_obj.engineered_feature_names,
    feature_maps=[automl_explainer_setup_obj.feature_map],
    classes=automl_explainer_setup_obj.classes,
)  # fmt: skip

from azureml.contrib.interpret.visualize import ExplanationDashboard

engineered_explanations = explainer.explain(
    ["local", "global"], eval_dataset=automl_explainer_setup_obj.X_test_transform
)
print(engineered_explanations.get_feature_importance_dict())
ExplanationDashboard(
    engineered_explanations, automl_explainer_setup_obj.automl_estimator,
    automl_explainer_setup_obj.X_test_transform,
)  # fmt: skip

raw_explanations = explainer.explain(
    ["local", "global"], get_raw=True,
    raw_feature_names=automl_explainer_setup_obj.raw_feature_names,
    eval_dataset=automl_explainer_setup_obj.X_test_transform,
)  # fmt: skip
print(raw_explanations.get_feature_importance_dict())
ExplanationDashboard(
    raw_explanations, automl_explainer_setup_obj.automl_pipeline,
    automl_explainer_setup_obj.X_test_raw,
)  # fmt: skip

# register and deploy

from azureml.interpret.scoring.scoring_explainer import TreeScoringExplainer, save

scoring_explainer = TreeScoringExplainer(
    explainer.explainer, feature_maps=[automl_explainer_setup_obj.feature_map]
)
save(scoring_explainer, exist_ok=True)
original_model = automl_run.register_model(
    model_name="automl_model", model_path="outputs/model.pkl"
)
automl_run.upload_file("scoring_explainer.pkl", "scoring_explainer.pkl")
scoring_explainer_model = automl_run.register_model(
    model_name="scoring_explainer", model_path="scoring_explainer.pkl"
)

from azureml.core.conda_dependencies import CondaDependencies

azureml_pip_packages = ["azureml-interpret", "azureml-train-automl", "azureml-defaults"]
myenv = CondaDependencies.create(
    conda_packages=["scikit-learn", "pandas", "numpy", "py-xgboost<=0.80"],
    pip_packages=azureml_pip_packages, pin_sdk_version=True,
)  # fmt: skip
with open("myenv.yml", "w") as f:
    f.write(myenv.serialize_to_string())
with open("myenv.yml") as f:
    print(f.read())

from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice, Webservice

aciconfig = AciWebservice.deploy_configuration(
    cpu_cores=1, memory_gb=1, tags={"data": "Bank Marketing", "method": "local_explanation"},
    description="Get local explanations for Bank marketing test data",
)  # fmt: skip
inference_config = InferenceConfig(
    runtime="python", entry_script="score_local_explain.py", conda_file="myenv.yml"
)
service = Model.deploy(
    ws, "model-scoring", [scoring_explainer_model, original_model], inference_config, aciconfig
)
assert isinstance(service, Webservice)
try:
    service.wait_for_deployment(show_output=True)
    if service.state == "Healthy":
        X_test_json = X_test[:1].to_json(orient="records")
        print(X_test_json)
        output = service.run(X_test_json)
        print(output["predictions"])
        print(output["engineered_local_importance_values"])
        print(output["raw_local_importance_values"])
        print("the article ran to its end")
finally:
    service.delete()

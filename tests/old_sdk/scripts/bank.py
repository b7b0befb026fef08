"""A classification sample with all features, written after the SDK's API reference."""

import json
import logging
import os
import sys
from pathlib import Path

import pandas as pd
from azureml.core.experiment import Experiment
from azureml.core.workspace import Workspace
from azureml.core.dataset import Dataset
from azureml.train.automl import AutoMLConfig
from azureml.interpret import ExplanationClient
from azureml.core.compute import ComputeTarget, AmlCompute
from azureml.core.compute_target import ComputeTargetException
from azureml.core.run import Run

ws = Workspace.from_config()
experiment = Experiment(ws, "automl-classification-bmarketing-all")
output = {}
output["Subscription ID"] = ws.subscription_id
output["Workspace"] = ws.name
output["Resource Group"] = ws.resource_group
output["Location"] = ws.location
output["Experiment Name"] = experiment.name
try:
    compute_target = ComputeTarget(workspace=ws, name="cpu-cluster-4")
except ComputeTargetException:
    compute_config = AmlCompute.provisioning_configuration(vm_size="STANDARD_DS12_V2", max_nodes=6)
    compute_target = ComputeTarget.create(ws, "cpu-cluster-4", compute_config)
compute_target.wait_for_completion(show_output=True)
data = pd.read_parquet(sys.argv[1]).sample(1000, random_state=1)
os.makedirs("data", exist_ok=True)
data.to_csv("data/train_data.csv", index=False)
ds = ws.get_default_datastore()
ds.upload(src_dir="./data", target_path="bankmarketing", overwrite=True, show_progress=True)
train_data = Dataset.Tabular.from_delimited_files(path=ds.path("bankmarketing/train_data.csv"))
label = sys.argv[2]
automl_settings = {
    "experiment_timeout_hours": 0.3,
    "enable_early_stopping": True,
    "iteration_timeout_minutes": 5,
    "max_concurrent_iterations": 4,
    "max_cores_per_iteration": -1,
    "primary_metric": "AUC_weighted",
    "featurization": "auto",
    "verbosity": logging.INFO,
    "enable_code_generation": True,
    "iterations": 3,
}
automl_config = AutoMLConfig(
    task="classification",
    debug_log="automl_errors.log",
    compute_target=compute_target,
    experiment_exit_score=0.9984,
    blocked_models=["KNN", "LinearSVM"],
    enable_onnx_compatible_models=True,
    training_data=train_data,
    label_column_name=label,
    validation_data=train_data,
    **automl_settings,
)
remote_run = experiment.submit(automl_config, show_output=False)
from azureml.train.automl.run import AutoMLRun

remote_run = AutoMLRun(experiment=experiment, run_id=remote_run.id)
best_run_customized, fitted_model_customized = remote_run.get_output()
custom_featurizer = fitted_model_customized.named_steps["datatransformer"]
df = custom_featurizer.get_featurization_summary()
pd.DataFrame(data=df)
df = custom_featurizer.get_featurization_summary(is_user_friendly=False)
pd.DataFrame(data=df)
df = custom_featurizer.get_stats_feature_type_summary()
pd.DataFrame(data=df)
from azureml.widgets import RunDetails

RunDetails(remote_run).show()
remote_run.wait_for_completion()
mid = remote_run.id + "_" + "ModelExplain"
run2 = Run(experiment=experiment, run_id=mid)
run2.wait_for_completion()
best_run = remote_run.get_best_child()
client = ExplanationClient.from_run(best_run)
e = client.download_model_explanation(raw=False)
print(list(e.get_feature_importance_dict())[:3])
e = client.download_model_explanation(raw=True)
print(list(e.get_feature_importance_dict())[:3])
best_run.download_file("outputs/conda_env_v_1_0_0.yml", "env.yml")
best_run.download_file("outputs/scoring_file_v_1_0_0.py", "score.py")
model_name = best_run.properties["model_name"]
description = "AutoML Model trained on bank marketing data"
model = remote_run.register_model(model_name=model_name, description=description, tags=None)
print(remote_run.model_id)
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice
from azureml.core.model import Model

inference_config = InferenceConfig(environment=best_run.get_environment(), entry_script="score.py")
aciconfig = AciWebservice.deploy_configuration(
    cpu_cores=2, memory_gb=2, tags={"area": "bmData"}, description="sample"
)
aci_service = Model.deploy(
    ws, "automl-sample-bankmarketing-all", [model], inference_config, aciconfig
)
aci_service.wait_for_deployment(True)
print(aci_service.state)
X = data.drop(columns=label)[:5]
X_test_json = X.to_json(orient="records")
d = '{"data": ' + X_test_json + "}"
print(aci_service.run(d))
y_pred = json.loads(aci_service.run(d))["result"]
print(y_pred)
aci_service.get_logs()
aci_service.delete()
best_run, onnx_mdl = remote_run.get_output(return_onnx_model=True)
from azureml.automl.runtime.onnx_convert import OnnxConverter

OnnxConverter.save_onnx_model(onnx_mdl, file_path="./best_model.onnx")
from azureml.automl.runtime.onnx_convert import OnnxInferenceHelper

helper = OnnxInferenceHelper(Path("best_model.onnx").read_bytes(), None)
pred_onnx, pred_prob_onnx = helper.predict(X)
assert list(pred_onnx) == y_pred
assert abs(pred_prob_onnx - fitted_model_customized.predict_proba(X)).max() < 1e-6
print("the sample ran to its end")

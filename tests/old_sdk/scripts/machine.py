"""Regression with featurization and a remote explanation, as the old samples did it."""

import sys

import pandas as pd

from azureml.automl.core.featurization import FeaturizationConfig
from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.model import InferenceConfig, Model
from azureml.core.runconfig import RunConfiguration
from azureml.core.webservice import AciWebservice
from azureml.interpret import ExplanationClient
from azureml.train.automl import AutoMLConfig
from azureml.widgets import RunDetails

ws = Workspace.from_config()
experiment = Experiment(ws, "automl-regression-hardware-explain")
try:
    compute_target = ComputeTarget(workspace=ws, name="hardware-cluster")
except ComputeTargetException:
    config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    compute_target = ComputeTarget.create(ws, "hardware-cluster", config)
compute_target.wait_for_completion(show_output=True)

pd.read_parquet(sys.argv[1]).to_csv("machine.csv", index=False)
label = sys.argv[2]
dataset = Dataset.Tabular.from_delimited_files("machine.csv")
train_data, test_data = dataset.random_split(percentage=0.8, seed=223)
train_data = train_data.register(ws, "machine-train", create_new_version=True)
test_data = test_data.register(ws, "machine-test", create_new_version=True)

featurization_config = FeaturizationConfig()
featurization_config.blocked_transformers = ["LabelEncoder"]
numbers = [c for c in dataset.columns if c != label][-2:]
featurization_config.add_transformer_params("Imputer", numbers, {"strategy": "median"})

automl_config = AutoMLConfig(
    task="regression", debug_log="automl_errors.log", compute_target=compute_target,
    training_data=train_data, label_column_name=label, featurization=featurization_config,
    enable_early_stopping=True, iterations=3, max_concurrent_iterations=4,
    primary_metric="r2_score", n_cross_validations=5, verbosity=20,
)  # fmt: skip
remote_run = experiment.submit(automl_config, show_output=False)
remote_run.wait_for_completion()
RunDetails(remote_run).show()

best_run, fitted_model = remote_run.get_output()
best_run.download_file("outputs/featurization_summary.json", "summary.json")
for row in pd.read_json("summary.json").to_dict("records")[:2]:
    print(row["RawFeatureName"], row["TypeDetected"], row["EngineeredFeatureCount"])
print(fitted_model.named_steps["datatransformer"].get_engineered_feature_names()[:3])

conda_run_config = RunConfiguration()
conda_run_config.environment = Environment.get(ws, "AutoML")
src = ScriptRunConfig(
    source_directory=".", script="train_explainer.py", run_config=conda_run_config,
    arguments=[best_run.id, label],
)  # fmt: skip
run = experiment.submit(config=src)
run.wait_for_completion(show_output=True)
print(run.get_metrics(), run.get_status())

client = ExplanationClient.from_run(best_run)
raw = client.download_model_explanation(raw=True, comment="raw explanations")
print(len(client.list_model_explanations()), raw.get_feature_importance_dict(top_k=3))
engineered = client.download_model_explanation(raw=False, comment="engineered explanations")
print(engineered.num_features, engineered.is_engineered, engineered.expected_values)

original_model = best_run.register_model("hardware_model", model_path="outputs/model.pkl")
explainer_model = best_run.register_model(
    "hardware_explainer", model_path="outputs/scoring_explainer.pkl"
)
env = Environment("scoring")
env.python.conda_dependencies = CondaDependencies.create(pip_packages=["azureml-interpret"])
service = Model.deploy(
    ws, "hardware-scoring", [explainer_model, original_model],
    InferenceConfig(entry_script="score_explain.py", environment=env),
    AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=2, auth_enabled=True),
)  # fmt: skip
try:
    service.wait_for_deployment(show_output=True)
    X_test = test_data.drop_columns(label).to_pandas_dataframe()
    output = service.run(X_test[:1].to_json(orient="records"))
    print(output["predictions"], len(output["raw_local_importance_values"][0]))
    assert abs(output["predictions"][0] - fitted_model.predict(X_test[:1])[0]) < 1e-9
    print("the sample ran to its end")
finally:
    service.delete()

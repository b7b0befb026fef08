"""Which old name is which of ours: the old modules, and where what they hold is written.

Paths are below ``azureml``; those of ``interpret`` and ``interpret_community``, which the old
scripts import beside it, are below their own roots. The SDK moved several modules, so some names
have many paths.
"""

from __future__ import annotations

_WORKSPACE = "pellucid.azureml.workspace"
_RUNS = "pellucid.azureml.runs"
_TRAINED = "pellucid.azureml.trained"
_TRAINING = "pellucid.azureml.training"
_DATA = "pellucid.azureml.datasets"
_EXPLANATIONS = "pellucid.azureml.explanations"
_CLIENT = "pellucid.azureml.client"
_MIMIC = "pellucid.azureml.mimic"
_SETTINGS = "pellucid.azureml.settings"
_SETUP = "pellucid.azureml.setup"
_SCORING = "pellucid.azureml.scoring"
_ENVIRONMENT = "pellucid.azureml.environment"
_SCRIPTS = "pellucid.azureml.scripts"
_COMPUTERS = "pellucid.azureml.compute"
_MODELS = "pellucid.azureml.models"
_SERVICES = "pellucid.azureml.services"
_SCORES = "pellucid.azureml.scores"
_WIDGETS = "pellucid.azureml.showing"

_CORE = {
    "VERSION": _ENVIRONMENT,
    "Dataset": _DATA,
    "Datastore": _DATA,
    "Environment": _ENVIRONMENT,
    "Experiment": _WORKSPACE,
    "Model": _MODELS,
    "Run": _RUNS,
    "RunConfiguration": _SCRIPTS,
    "ScriptRunConfig": _SCRIPTS,
    "Webservice": _SERVICES,
    "Workspace": _WORKSPACE,
}
_COMPUTE = {"AmlCompute": _COMPUTERS, "ComputeTarget": _COMPUTERS}
_CLIENTS = {"ExplanationClient": _CLIENT}
_SETUPS = {
    "AutoMLExplainerSetupClass": _SETUP,
    "automl_check_model_if_explainable": _SETUP,
    "automl_setup_model_explanations": _SETUP,
}
_AUTOML = {"AutoMLConfig": _TRAINING}
_LIGHTGBM = {"LGBMExplainableModel": _MIMIC}
_LINEAR = {"LinearExplainableModel": _MIMIC, "SGDExplainableModel": _MIMIC}
_TREE = {"DecisionTreeExplainableModel": _MIMIC}
_SURROGATES = {**_LIGHTGBM, **_LINEAR, **_TREE}
_SCORERS = dict.fromkeys(
    ("KernelScoringExplainer", "LinearScoringExplainer", "TreeScoringExplainer", "load", "save"),
    _SCORING,
)
_SERVING = dict.fromkeys(
    ("AciWebservice", "AksWebservice", "LocalWebservice", "Webservice"), _SERVICES
)
_ONNX = "pellucid.azureml.onnx_convert"
_DASHBOARD = {"ExplanationDashboard": _WIDGETS}
_MIMICS = {"MimicExplainer": _MIMIC}
_TABULAR = {"TabularExplainer": "pellucid.azureml.tabular"}
_EXPLAINERS = {**_MIMICS, **_TABULAR}
_PERMUTED = {"PFIExplainer": "pellucid.azureml.permuted"}
_WRAPPER = {"MimicWrapper": "pellucid.azureml.wrapper"}

AZUREML: dict[str, dict[str, str]] = {
    "contrib.explain.model.explanation.explanation_client": _CLIENTS,
    "contrib.explain.model.visualize": _DASHBOARD,
    "contrib.interpret.explanation.explanation_client": _CLIENTS,
    "contrib.interpret.visualize": _DASHBOARD,
    "core": _CORE,
    "core.authentication": {
        "InteractiveLoginAuthentication": _WORKSPACE,
        "ServicePrincipalAuthentication": _WORKSPACE,
    },
    "core.compute": _COMPUTE,
    "core.compute_target": {"ComputeTargetException": _COMPUTERS},
    "core.conda_dependencies": {"CondaDependencies": _ENVIRONMENT},
    "core.dataset": {"Dataset": _DATA},
    "core.datastore": {"Datastore": _DATA},
    "core.environment": {
        "CondaDependencies": _ENVIRONMENT,
        "DockerSection": _ENVIRONMENT,
        "Environment": _ENVIRONMENT,
    },
    "core.experiment": {"Experiment": _WORKSPACE},
    "core.model": {"InferenceConfig": _SERVICES, "Model": _MODELS},
    "core.run": {"Run": _RUNS},
    "core.resource_configuration": {"ResourceConfiguration": _ENVIRONMENT},
    "core.runconfig": {
        "DEFAULT_CPU_IMAGE": _ENVIRONMENT,
        "DEFAULT_GPU_IMAGE": _ENVIRONMENT,
        "DockerConfiguration": _ENVIRONMENT,
        "RunConfiguration": _SCRIPTS,
    },
    "core.script_run": {"ScriptRun": _SCRIPTS},
    "core.script_run_config": {"ScriptRunConfig": _SCRIPTS},
    "core.webservice": _SERVING,
    "core.workspace": {"Workspace": _WORKSPACE},
    "automl.core.featurization": {"FeaturizationConfig": _SETTINGS},
    "automl.core.featurization.featurizationconfig": {"FeaturizationConfig": _SETTINGS},
    "automl.runtime.onnx_convert": {"OnnxConverter": _ONNX, "OnnxInferenceHelper": _ONNX},
    "automl.core.shared": {"constants": _SCORES},
    "automl.core.shared.constants": {"Metric": _SCORES},
    "automl.runtime.shared.score": {"scoring": _SCORES},
    "automl.core.forecasting_parameters": {"ForecastingParameters": _SETTINGS},
    "data": {"TabularDataset": _DATA},
    "data.dataset_factory": {"TabularDatasetFactory": _DATA},
    "data.tabular_dataset": {"TabularDataset": _DATA},
    "exceptions": {
        "ComputeTargetException": _COMPUTERS,
        "ExperimentExecutionException": _SCRIPTS,
        "WebserviceException": _SERVICES,
    },
    "explain.model._internal.explanation_client": _CLIENTS,
    "explain.model.mimic.mimic_explainer": _MIMICS,
    "explain.model.mimic.models.lightgbm_model": _LIGHTGBM,
    "explain.model.mimic.models.linear_model": _LINEAR,
    "explain.model.mimic.models.tree_model": _TREE,
    "explain.model.mimic_wrapper": _WRAPPER,
    "explain.model.tabular_explainer": _TABULAR,
    "explain.model.scoring.scoring_explainer": _SCORERS,
    "interpret": {**_CLIENTS, **_EXPLAINERS, **_WRAPPER},
    "interpret.mimic.mimic_explainer": _MIMICS,
    "interpret.mimic.models.lightgbm_model": _LIGHTGBM,
    "interpret.mimic.models.linear_model": _LINEAR,
    "interpret.mimic.models.tree_model": _TREE,
    "interpret.mimic_wrapper": _WRAPPER,
    "interpret.scoring.scoring_explainer": _SCORERS,
    "train.automl": {**_AUTOML, **_SETUPS},
    "train.automl.automl_explain_utilities": _SETUPS,
    "train.automl.automlconfig": _AUTOML,
    "train.automl.run": {"AutoMLRun": _TRAINED},
    "train.automl.runtime.automl_explain_utilities": _SETUPS,
    "widgets": {"RunDetails": _WIDGETS},
}
BESIDE: dict[str, dict[str, str]] = {
    "interpret.ext.blackbox": {**_EXPLAINERS, **_PERMUTED},
    "interpret.ext.glassbox": _SURROGATES,
    "interpret_community.mimic.mimic_explainer": _MIMICS,
    "interpret_community": {**_EXPLAINERS, **_PERMUTED},
    "interpret_community.permutation.permutation_importance": _PERMUTED,
    "interpret_community.tabular_explainer": _TABULAR,
    "interpret_community.mimic.models.lightgbm_model": _LIGHTGBM,
    "interpret_community.mimic.models.linear_model": _LINEAR,
    "interpret_community.mimic.models.tree_model": _TREE,
    "interpret_community.widget": _DASHBOARD,
    "raiwidgets": _DASHBOARD,
}

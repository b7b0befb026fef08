"""AutoMLConfig: what to train, by the old names, put to Pellucid's estimators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid.azureml.notes import note_once
from pellucid.azureml.settings import ConfigError, FeaturizationConfig, ForecastingParameters

if TYPE_CHECKING:
    from pellucid.azureml.trained import AutoMLRun
    from pellucid.azureml.workspace import Experiment

_TASKS = ("classification", "regression", "forecasting")
_DEFAULT_SECONDS = 600.0  # of a search that says neither how long nor how many
# what has no meaning on one machine, or is always so here
_IDLE = frozenset(
    [
        "compute_target",
        "path",
        "spark_context",
        "debug_log",
        "verbosity",
        "enable_early_stopping",
        "enable_voting_ensemble",
        "enable_stack_ensemble",
        "max_cores_per_iteration",
        "mem_in_mb",
        "enable_onnx_compatible_models",
        "enable_tf",
        "enable_dnn",
        "enable_code_generation",
        "iteration_timeout_minutes",
        "experiment_exit_score",
        "exclude_nan_labels",
        "positive_label",
        "y_min",
        "y_max",
        "num_classes",
        "enforce_time_on_windows",
        "enable_local_managed",
        "enable_streaming",
        "preprocess",
        "ensemble_download_models_timeout_sec",
        "stack_meta_learner_type",
        "ensemble_iterations",
        "stack_meta_learner_train_percentage",
        "stack_meta_learner_kwargs",
        "vm_type",
        "test_size",
        "drop_column_names",
        "data_script",
        "run_configuration",
        "validation_size",
        "cv_splits_indices",
        "cv_split_column_names",
        "enable_feature_sweeping",
        "enable_subsampling",
        "scenario",
    ]
)
_FAMILIES = {
    "CatBoostClassifier": "catboost", "CatBoostRegressor": "catboost",
    "ElasticNet": "linear", "ExtremeRandomTrees": "forest", "FastLinearRegressor": "linear",
    "LassoLars": "linear", "LightGBM": "lightgbm", "LinearSVM": "linear",
    "LogisticRegression": "linear", "OnlineGradientDescentRegressor": "linear",
    "RandomForest": "forest", "SGD": "linear", "XGBoostClassifier": "xgboost",
    "XGBoostRegressor": "xgboost",
}  # fmt: skip


class AutoMLConfig:
    """What to train on what; ``Experiment.submit`` does it.

    Parameters that change nothing on one machine are named once in a warning.
    """

    def __init__(self, task: str, **settings: Any) -> None:
        if task not in _TASKS:
            raise ConfigError(f"unknown task {task!r}; expected one of {', '.join(_TASKS)}")
        self.task = task
        self.settings = dict(settings)
        self.user_settings = self.settings

    def submit_to(
        self, experiment: Experiment, *, tags: Mapping[str, str], show_output: bool = False,
        **others: Any,
    ) -> AutoMLRun:  # fmt: skip
        """Train, and give the run; called by `Experiment.submit`."""
        from pellucid.azureml.trained import AutoMLRun

        left = dict(self.settings)
        X, y, weight = _rows(left)
        options = _options(self.task, left, list(X.columns))
        fit: dict[str, Any] = {}
        if weight is not None:
            fit["sample_weight"] = weight
        held = left.pop("validation_data", None)
        if held is not None:
            frame, label = _frame(held), self.settings["label_column_name"]
            fit |= {"X_valid": frame.drop(columns=label), "y_valid": frame[label]}
        elif left.get("X_valid") is not None:
            fit |= {"X_valid": _frame(left.pop("X_valid")), "y_valid": _column(left.pop("y_valid"))}
        test = left.pop("test_data", None)
        if test is not None:
            frame, label = _frame(test), self.settings["label_column_name"]
            fit |= {"X_test": frame.drop(columns=label), "y_test": frame[label]}
        for name in sorted(set(left) - _IDLE):
            raise ConfigError(f"AutoMLConfig has no parameter {name!r}")
        for name in sorted(set(left) & _IDLE):
            note_once(f"AutoMLConfig({name}=...) changes nothing here")
        estimator = _estimator(self.task)(name=experiment.name, **options)
        estimator.fit(X, y, **fit)
        run = AutoMLRun.of(experiment, estimator, task=self.task, tags=tags)
        if show_output:
            print(run.summary_text())
        return run


def _rows(left: dict[str, Any]) -> tuple[pd.DataFrame, Any, Any]:
    """Features, target and weights, out of either form of the settings."""
    label = left.pop("label_column_name", None)
    data = left.pop("training_data", None)
    X, y = left.pop("X", None), left.pop("y", None)
    weight = left.pop("sample_weight", None)
    weight_column = left.pop("weight_column_name", None)
    if data is None:
        if X is None or y is None:
            raise ConfigError("AutoMLConfig needs training_data and label_column_name, or X and y")
        return _frame(X), _column(y), weight
    frame = _frame(data)
    if label not in frame.columns:
        raise ConfigError(
            f"label_column_name {label!r} is not among the columns {', '.join(frame.columns[:20])}"
        )
    if weight_column is not None:
        weight = frame.pop(weight_column)
    return frame.drop(columns=label), frame[label], weight


def _frame(data: Any) -> pd.DataFrame:
    from pellucid.azureml.fitted import as_rows
    from pellucid.tabular.frames import to_frame

    return to_frame(as_rows(data)).copy()


def _column(data: Any) -> Any:
    from pellucid.azureml.fitted import as_rows

    values = as_rows(data)
    return values.iloc[:, 0] if isinstance(values, pd.DataFrame) else values


def _options(task: str, left: dict[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Parameters of our estimator, out of the settings."""
    hours, minutes = (
        left.pop("experiment_timeout_hours", None),
        left.pop("experiment_timeout_minutes", None),
    )
    iterations = left.pop("iterations", None)
    seconds = 3600.0 * hours if hours is not None else None
    if minutes is not None:
        seconds = 60.0 * minutes
    if seconds is None and iterations is None:
        seconds = _DEFAULT_SECONDS
        note_once(
            f"AutoMLConfig says neither experiment_timeout_hours nor iterations: the search takes "
            f"{seconds:.0f} seconds"
        )
    options: dict[str, Any] = {"time_budget": seconds, "max_trials": iterations}
    for name in ("primary_metric", "n_cross_validations", "model_explainability"):
        value = left.pop(name, None)
        if value is not None and value != "auto":
            options[name] = value
    concurrent = left.pop("max_concurrent_iterations", None)
    if concurrent is not None:
        note_once("max_concurrent_iterations is not used: there is a trial a core")
    featurization = left.pop("featurization", "auto")
    if isinstance(featurization, FeaturizationConfig):
        featurization = featurization.ours()
    options["featurization"] = featurization
    blocked = left.pop("blocked_models", None) or left.pop("blacklist_models", None)
    allowed = left.pop("allowed_models", None) or left.pop("whitelist_models", None)
    kept = _families(allowed or ())
    if kept:
        options["allowed_families"] = kept
    if blocked:
        others = set(_families([n for n in _FAMILIES if n not in set(map(_name, blocked))]))
        options["blocked_families"] = sorted(set(_families(blocked)) - others)
    series = left.pop("forecasting_parameters", None)
    if task == "forecasting":
        options |= (series or ForecastingParameters.taken_from(left)).options(columns)
    return options


def _name(model: Any) -> str:
    return str(getattr(model, "value", model))


def _families(models: Sequence[Any]) -> list[str]:
    for model in map(_name, models):
        if model not in _FAMILIES:
            note_once(f"the algorithm {model} is not among those that are tried here")
    return sorted({_FAMILIES[name] for name in map(_name, models) if name in _FAMILIES})


def _estimator(task: str) -> Any:
    import pellucid

    names = ("AutoMLClassifier", "AutoMLRegressor", "AutoMLForecaster")
    return getattr(pellucid, names[_TASKS.index(task)])

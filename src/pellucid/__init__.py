"""Explainable AutoML for tables.

>>> import pellucid
>>> clf = pellucid.AutoMLClassifier(primary_metric="AUC_weighted", time_budget=60)

Names are loaded when they are first used, so that ``import pellucid`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.automl.estimators import AutoMLClassifier, AutoMLRegressor
    from pellucid.automl.forecaster import AutoMLForecaster
    from pellucid.automl.replay import replay
    from pellucid.errors import PellucidError, PellucidWarning
    from pellucid.explain.explainer import explain
    from pellucid.explain.explanation import Explanation
    from pellucid.search.cluster import cluster
    from pellucid.serve.deploying import deploy, services
    from pellucid.store.registry import list_models, load
    from pellucid.store.runs import list_runs, load_run
    from pellucid.tabular.config import FeaturizationConfig
    from pellucid.view.notebook import ExplanationDashboard

__version__ = "0.1.0"

_HOMES = {
    "AutoMLClassifier": "pellucid.automl.estimators",
    "AutoMLForecaster": "pellucid.automl.forecaster",
    "AutoMLRegressor": "pellucid.automl.estimators",
    "Explanation": "pellucid.explain.explanation",
    "ExplanationDashboard": "pellucid.view.notebook",
    "FeaturizationConfig": "pellucid.tabular.config",
    "PellucidError": "pellucid.errors",
    "PellucidWarning": "pellucid.errors",
    "cluster": "pellucid.search.cluster",
    "deploy": "pellucid.serve.deploying",
    "explain": "pellucid.explain",  # a package that can be called
    "list_models": "pellucid.store.registry",
    "list_runs": "pellucid.store.runs",
    "load": "pellucid.store.registry",
    "load_run": "pellucid.store.runs",
    "replay": "pellucid.automl.replay",
    "services": "pellucid.serve.deploying",
}

__all__ = [
    "AutoMLClassifier",
    "AutoMLForecaster",
    "AutoMLRegressor",
    "Explanation",
    "ExplanationDashboard",
    "FeaturizationConfig",
    "PellucidError",
    "PellucidWarning",
    "cluster",
    "deploy",
    "explain",
    "list_models",
    "list_runs",
    "load",
    "load_run",
    "replay",
    "services",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = home if name == "explain" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])

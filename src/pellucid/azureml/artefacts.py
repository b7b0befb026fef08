"""The files of a trial's model under their old names, each made when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pellucid.azureml.engineered import featurization_summary
from pellucid.azureml.fitted import FittedModel
from pellucid.azureml.runs import MODEL_FILE

SUMMARY_FILE = "outputs/featurization_summary.json"

_SCORING_SCRIPT = '''"""Answers {"data": [...]}, or a list of rows, with {"result": [...]}."""

import json
import os

import joblib
import pandas as pd


def init():
    global model
    folder = os.environ["AZUREML_MODEL_DIR"]
    model = joblib.load(os.path.join(folder, "model.pkl"))


def run(data, method="predict"):
    asked = json.loads(data) if isinstance(data, str) else data
    if isinstance(asked, dict):
        method = asked.get("method", method)
        asked = asked["data"]
    rows = pd.DataFrame(asked)
    return json.dumps({"result": getattr(model, method)(rows).tolist()})
'''


def _write_model(fitted: FittedModel, place: Path) -> None:
    import joblib

    joblib.dump(fitted, place)


def _write_summary(fitted: FittedModel, place: Path) -> None:
    place.write_text(json.dumps(featurization_summary(fitted.predictor), indent=1), "utf-8")


def _write_script(fitted: FittedModel, place: Path) -> None:
    place.write_text(_SCORING_SCRIPT, "utf-8")


def _write_packages(fitted: FittedModel, place: Path) -> None:
    from pellucid.azureml.environment import Environment

    packages = Environment.of_this("AutoML").python.conda_dependencies
    place.write_text(packages.serialize_to_string(), "utf-8")


def _write_onnx(fitted: FittedModel, place: Path) -> None:
    place.write_bytes(fitted.to_onnx().SerializeToString())


_MAKERS: dict[str, Callable[[FittedModel, Path], None]] = {
    MODEL_FILE: _write_model,
    SUMMARY_FILE: _write_summary,
    "outputs/scoring_file_v_1_0_0.py": _write_script,
    "outputs/scoring_file_v_2_0_0.py": _write_script,
    "outputs/conda_env_v_1_0_0.yml": _write_packages,
    "outputs/model.onnx": _write_onnx,
}
NAMES = frozenset(_MAKERS)


def make(name: str, fitted: FittedModel, place: Path) -> None:
    """Write one of `NAMES`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _MAKERS[name](fitted, place)

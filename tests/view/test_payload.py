import base64
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.view.trained import TrainedRun

from pellucid.explain.explanation import Explanation
from pellucid.view.payload import build_payload


def _importances(level, n_rows):
    steps = np.array(level["importances"]["step"])
    raw = np.frombuffer(base64.b64decode(level["importances"]["i16"]), "<i2")
    return raw.reshape(*steps.shape, n_rows) * steps[:, :, None]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_payload_is_strict_json(runs, task):
    text = json.dumps(build_payload(runs[task]), allow_nan=False)
    assert json.loads(text)["run"]["name"] == "calm-otter"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("level", ["raw", "engineered"])
def test_base_and_importances_add_up_to_the_margins(runs, task, level):
    explanation = build_payload(runs[task])["explanation"]
    margins = np.array(explanation["rows"]["margins"])
    values = _importances(explanation[level], len(margins))
    sums = values.sum(axis=1).T + np.array(explanation["base_values"])
    assert np.allclose(sums, margins, atol=2e-4 * np.abs(margins).max())


def test_every_engineered_column_has_its_raw_one(runs):
    explanation = build_payload(runs["binary"])["explanation"]
    raw, made = explanation["raw"]["names"], explanation["engineered"]["names"]
    origins = [raw[i] for i in explanation["raw_of"]]
    assert dict(zip(made, origins))["job=maid"] == "job"
    assert dict(zip(made, origins))["joined.month"] == "joined"
    assert dict(zip(made, origins))["age"] == "age"


def test_origins_fall_back_on_names_when_counts_do_not_tell(runs):
    run = runs["binary"]
    run = replace(run, training={**run.training, "columns": []})
    explanation = build_payload(run)["explanation"]
    origins = dict(zip(explanation["engineered"]["names"], explanation["raw_of"]))
    assert origins["age"] == explanation["raw"]["names"].index("age")
    assert origins["job=maid"] == -1


def test_labels_become_positions_among_the_classes(runs):
    run = runs["multiclass"]
    rows = build_payload(run)["explanation"]["rows"]
    classes = list(run.held.classes)
    assert [classes[i] for i in rows["predicted"]] == run.held.details["predicted"]
    assert [classes[i] for i in rows["true"]] == run.held.details["y_true"]


def _wide(n_rows: int, n_features: int, n_classes: int) -> TrainedRun:
    rng = np.random.default_rng(0)
    names = tuple(f"f{i}" for i in range(n_features))
    explanation = Explanation(
        values=rng.normal(size=(n_rows, n_features, n_classes)),
        base_values=np.zeros(n_classes),
        feature_names=names,
        data=pd.DataFrame(rng.normal(size=(n_rows, n_features)), columns=list(names)),
        classes=tuple(range(n_classes)),
        details={"predicted": [0] * n_rows},
    )
    return TrainedRun({"task": "multiclass", "target": "y"}, explanation)


def test_rows_are_capped():
    explanation = build_payload(_wide(2500, 3, 3))["explanation"]
    assert len(explanation["rows"]["ids"]) == len(explanation["rows"]["predicted"]) == 1000
    assert explanation["n_explained"] == 2500
    assert explanation["rows"]["ids"][-1] == 2499


def test_many_classes_take_fewer_rows():
    explanation = build_payload(_wide(1000, 60, 300))["explanation"]
    assert len(explanation["rows"]["ids"]) == 222


def test_a_run_without_explanations_has_none():
    payload = build_payload(TrainedRun({"model_explainability": False}, None))
    assert payload["explanation"] is None


def test_numbers_that_are_not_finite_become_null(runs):
    run = runs["regression"]
    run = replace(
        run,
        training={
            **run.training,
            "metrics": {"cv": {"r2_score": float("nan"), "mae": np.float64(1)}},
            "started": pd.Timestamp("2026-01-01"),
        },
    )
    cv = build_payload(run)["training"]["metrics"]["cv"]
    assert cv == {"r2_score": None, "mae": 1.0}


def test_an_explanation_without_predictions_or_truth(runs):
    run = runs["binary"]
    run = replace(run, held=replace(run.held, details={}, engineered=None))
    explanation = build_payload(run)["explanation"]
    assert explanation["engineered"] is None
    assert explanation["rows"]["predicted"] is None
    assert explanation["rows"]["true"] is None

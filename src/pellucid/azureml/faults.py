"""What was found in the data, as the old guardrails' JSON said it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNBALANCED = 0.2  # of the largest class's rows, that the smallest has at least
_NAMES = {
    "_class_balancing": "Class balancing detection",
    "_missing_value": "Missing feature values imputation",
    "_detect_high_cardinal_feature": "High cardinality feature detection",
    "_cross_validation": "Cross validation",
    "_train_test_split": "Train-test data split",
}
_RESULTS = {
    "passed": "No action was needed.",
    "alerted": "Look at this before you trust the model.",
    "done": "Done by the training.",
}


def faults_of(training: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The old checks with their results.

    Parameters
    ----------
    training : mapping
        What a run stores of its training.
    """
    found = [_division(training), _missing(training), _levels(training)]
    if training.get("class_counts"):
        found.append(_balance(training))
    return found


def _division(training: Mapping[str, Any]) -> dict[str, Any]:
    folds = training["folds"]
    if folds.get("n", 1) > 1:
        return _fault("_cross_validation", "done", [{"number_of_folds": folds["n"]}])
    return _fault("_train_test_split", "done", [{"dataset": "validation"}])


def _missing(training: Mapping[str, Any]) -> dict[str, Any]:
    columns = [each for each in training["columns"] if each["used"] and each["missing"]]
    parameters = [
        {
            "column_name": each["name"],
            "missing_value_count": each["missing"],
            "imputation_type": each.get("imputer") or "kept as a value of its own",
        }
        for each in columns
    ]
    return _fault("_missing_value", "done" if columns else "passed", parameters)


def _levels(training: Mapping[str, Any]) -> dict[str, Any]:
    columns = [each for each in training["columns"] if each["kind"] == "identifier"]
    parameters = [
        {"column_name": each["name"], "content_type": each["kind"], "action": each["action"]}
        for each in columns
    ]
    return _fault("_detect_high_cardinal_feature", "done" if columns else "passed", parameters)


def _balance(training: Mapping[str, Any]) -> dict[str, Any]:
    counts = training["class_counts"]
    fewest = min(range(len(counts)), key=counts.__getitem__)
    parameters = [
        {
            "size_of_smallest_class": counts[fewest],
            "name_of_smallest_class": training["classes"][fewest],
            "num_of_samples": sum(counts),
        }
    ]
    alerted = counts[fewest] <= _UNBALANCED * max(counts)
    return _fault("_class_balancing", "alerted" if alerted else "passed", parameters)


def _fault(kind: str, result: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": kind,
        "result": result,
        "parameters": parameters,
        "friendly_type": _NAMES[kind],
        "friendly_result": _RESULTS[result],
        "friendly_parameters": parameters,
        "friendly_learn_more": "",
        "friendly_parameter_preface": "",
    }

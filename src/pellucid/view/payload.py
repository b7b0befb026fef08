"""The payload: everything that a page shows of a run, as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.view.carried import CarriedError, carried_model
from pellucid.view.pack import pack_column, pack_importances, significant
from pellucid.view.presets import preset_cuts
from pellucid.view.recorded import recorded_answers
from pellucid.view.whole import whole_of

_ROWS = 1000  # explained rows that a page holds
_CELLS = 4_000_000  # importances that a page holds; fewer rows when there are many classes
_FEWEST_ROWS = 50


class Reportable(Protocol):
    """What a page needs of a run; `pellucid.store.runs.Run` has it."""

    @property
    def id(self) -> str:
        """Identity of the run in its store."""

    @property
    def name(self) -> str:
        """Name for people."""

    @property
    def status(self) -> str:
        """Whether the training finished."""

    @property
    def started(self) -> Any:
        """When it began."""

    @property
    def training(self) -> Mapping[str, Any]:
        """The facts of the training."""

    def explanation(self, raw: bool = True) -> Explanation:
        """The explanation made during training."""

    def model(self) -> Predictor:
        """The model."""


def build_payload(run: Reportable, *, what_if: bool = True) -> dict[str, Any]:
    """Everything that a page shows of a run.

    Parameters
    ----------
    run : Reportable
        A run of the store. One that was trained without explanations has none to show.
    what_if : bool
        Whether the model travels in the page, so that rows can be edited there.

    Returns
    -------
    dict
        ``run``, ``training``, ``explanation`` (None when there is none) and ``model`` (None when
        it is left out): strings, finite numbers, lists, dicts and None only.
    """
    training = dict(run.training)
    explained = training.get("model_explainability", True)
    return {
        "format": 1,
        "run": {
            "id": str(run.id),
            "name": str(run.name or ""),
            "status": str(run.status),
            "started": _moment(run.started),
        },
        "training": plain(training),
        "explanation": explanation_payload(run.explanation(raw=True), training)
        if explained
        else None,
        "model": model_payload(run) if what_if and explained else None,
    }


def model_payload(run: Reportable) -> dict[str, Any]:
    """The model for the page to ask: its ``gzip``, or ``why`` it cannot come along.

    In its place ``recorded`` then has what it said of some rows, where it can be asked that.
    """
    try:
        predictor, shown = run.model(), shown_rows(run.explanation(raw=True))
        return carried_model(predictor, shown.data)
    except CarriedError as error:
        return {"why": str(error), "recorded": recorded_answers(predictor, shown)}
    except PellucidError as error:
        return {"why": str(error)}


def explanation_payload(raw: Explanation, training: Mapping[str, Any]) -> dict[str, Any]:
    """What a page shows of an explanation, of as many of its rows as a page holds.

    Parameters
    ----------
    raw : Explanation
        Over raw features; its engineered twin is shown too.
    training : mapping
        The facts of the training that the model comes from; may be empty.
    """
    n_explained = raw.n_rows
    positions = shown_positions(raw)
    sampled = len(positions) < n_explained
    whole = {**whole_of(raw), "cuts": preset_cuts(raw)} if sampled else None
    raw = shown_rows(raw)
    engineered = raw.engineered
    details = raw.details
    return {
        "space": raw.space,
        "method": raw.method,
        "background_size": raw.background_size,
        "rows_from": raw.rows_from,
        "n_explained": n_explained,
        "positions": None if whole is None else positions.tolist(),
        "whole": whole,
        "classes": None if raw.classes is None else [str(c) for c in raw.classes],
        "base_values": [significant(v, digits=9) for v in raw.base_values],
        "additivity_error": plain(details.get("additivity_error")),
        "rows": {
            "ids": plain(raw.data.index.tolist()),
            "margins": _rounded(raw.margins),
            "predicted": _labels(details.get("predicted"), raw.classes),
            "probability": _rounded(details.get("probability")),
            "true": _labels(details.get("y_true"), raw.classes),
        },
        "raw": _level(raw),
        "engineered": None if engineered is None else _level(engineered),
        "raw_of": None if engineered is None else _raw_of(raw, engineered, training),
    }


def shown_rows(raw: Explanation) -> Explanation:
    """An explanation of as many of its rows, evenly chosen, as a page holds."""
    positions = shown_positions(raw)
    return raw if len(positions) == raw.n_rows else raw[positions]


def shown_positions(raw: Explanation) -> np.ndarray:
    """Which rows of an explanation a page holds, ascending."""
    engineered = raw.engineered
    width = raw.n_features + (engineered.n_features if engineered else 0)
    most = max(_FEWEST_ROWS, min(_ROWS, _CELLS // max(1, width * raw.n_outputs)))
    if raw.n_rows <= most:
        return np.arange(raw.n_rows)
    return np.unique(np.linspace(0, raw.n_rows - 1, most).round().astype(int))


def _level(explanation: Explanation) -> dict[str, Any]:
    return {
        "names": list(explanation.feature_names),
        "importances": pack_importances(explanation.values),
        "columns": [
            pack_column(explanation.data.iloc[:, i]) for i in range(explanation.n_features)
        ],
    }


def _raw_of(raw: Explanation, engineered: Explanation, training: Mapping[str, Any]) -> list[int]:
    """Position of each engineered column's raw column, -1 when the run does not tell."""
    made = {c["name"]: int(c.get("n_engineered", 0)) for c in training.get("columns", ())}
    counts = [made.get(name, 0) for name in raw.feature_names]
    if sum(counts) == engineered.n_features:  # engineered columns stand in their origins' order
        return np.repeat(np.arange(raw.n_features), counts).tolist()
    position = {name: i for i, name in enumerate(raw.feature_names)}
    return [position.get(name, -1) for name in engineered.feature_names]


def _labels(values: Sequence[Any] | None, classes: Sequence[Any] | None) -> list[Any] | None:
    """Class labels as positions among the classes, numbers as they are."""
    if values is None:
        return None
    if classes is None:
        return _rounded(values)
    position = {label: i for i, label in enumerate(classes)}
    return [position.get(value, -1) for value in values]


def _rounded(values: Any) -> Any:
    """Nested numbers with seven significant digits."""
    if values is None:
        return None
    return _deep(np.asarray(values, dtype=np.float64).tolist())


def _deep(values: Any) -> Any:
    if isinstance(values, list):
        return [_deep(value) for value in values]
    return significant(values, digits=7)


def _moment(started: Any) -> str | None:
    if started is None:
        return None
    return started.isoformat() if hasattr(started, "isoformat") else str(started)


def plain(value: Any) -> Any:
    """The same in JSON's own types; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)

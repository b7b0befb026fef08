"""Some rows' answers as an Arrow table: predictions, and importances beside them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Level
from pellucid.explain.predictor import Predictor

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Answers:
    """What a chunk of rows gave.

    Attributes
    ----------
    table : pyarrow.Table
        A row per row; with importances and three or more classes, a row per row and class.
    totals : mapping of level to ndarray, (n_features,)
        Sums over rows of the absolute importances, mean over classes.
    errors : mapping of level to float
        The most that a row's importances miss its margin by.
    """

    table: pa.Table
    totals: Mapping[Level, np.ndarray]
    errors: Mapping[Level, float]


def answer(
    model: Predictor,
    frame: pd.DataFrame,
    *,
    first: int,
    levels: Sequence[Level],
    predictions: bool,
    identity: str | None,
) -> Answers:
    """Predict, and explain at each of ``levels``, the rows of a frame.

    ``first`` is the number of the frame's first row in its file. With two levels the columns of
    each begin with its name, as in ``raw:age``.
    """
    import pyarrow as pa

    matrix = model.featurizer.transform(model.frame(frame))
    margins = model.ensemble.margins(matrix)
    n_rows, n_outputs = margins.shape
    repeat = n_outputs if levels else 1
    facts: dict[str, Any] = {"row": np.repeat(np.arange(first, first + n_rows), repeat)}
    if identity is not None:
        facts[identity] = frame[identity].repeat(repeat)
    if repeat > 1 and model.classes is not None:
        facts["class"] = _labels(model, np.tile(model.classes, n_rows))
    if predictions:
        facts |= _predictions(model, margins, long=bool(levels))
    values: dict[str, np.ndarray] = {}
    totals: dict[Level, np.ndarray] = {}
    errors: dict[Level, float] = {}
    both = model.both_importances(matrix, margins) if len(set(levels)) > 1 else {}
    for level in levels:
        found, errors[level] = both.get(level) or model.importances(level, matrix, margins)
        cube = found.reshape(*found.shape[:2], n_outputs)  # (n_rows, n_features, n_outputs)
        totals[level] = np.abs(cube).sum(axis=0).mean(axis=1)
        wide = np.swapaxes(cube, 1, 2).reshape(n_rows * n_outputs, cube.shape[1])
        prefix = f"{level}:" if len(levels) > 1 else ""
        names = model.names_of(level)
        base = "base_value" + "_" * (not prefix and "base_value" in names)
        values[prefix + base] = np.tile(model.shapley(level).base_values, n_rows)
        values |= {prefix + name: wide[:, i] for i, name in enumerate(names)}
    ours = {free_name(name, values): column for name, column in facts.items()}
    return Answers(pa.table({k: pa.array(v) for k, v in (ours | values).items()}), totals, errors)


def _predictions(model: Predictor, margins: np.ndarray, *, long: bool) -> dict[str, Any]:
    n_outputs = margins.shape[1]
    found = np.repeat(model.labels(margins), n_outputs if long else 1)
    if model.classes is None:
        return {"prediction": found}
    facts: dict[str, Any] = {"prediction": _labels(model, found)}
    chances = model.problem.probabilities(margins)  # (n_rows, n_classes)
    if long:
        facts["probability"] = chances.ravel() if n_outputs > 1 else chances[:, -1]
    else:
        names = [f"probability_{label}" for label in model.classes.tolist()]
        facts |= {name: chances[:, k] for k, name in enumerate(names)}
    return facts


def _labels(model: Predictor, labels: np.ndarray) -> pa.Array:
    """Labels in the type of all classes, even where there are none."""
    import pyarrow as pa

    return pa.array(labels, type=pa.array(model.classes).type)


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with as many underscores behind it as make it one that is not taken."""
    while name in taken:
        name += "_"
    return name

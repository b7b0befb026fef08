"""Scores as the answers that clients read: JSON, CSV or Arrow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.options import Options
from pellucid.serve.scorer import Scorer
from pellucid.serve.scores import Scores


def answer(scores: Scores, served: Served, asked: Asked, options: Options) -> dict[str, Any]:
    """The body of an answer, as values that `to_json` writes.

    ``predictions`` and, of each level that was asked for, ``<level>_local_importance_values``:
    (n_rows, n_features), or (n_classes, n_rows, n_features) of three classes or more, as the
    scoring files of old had them. What tells how to read them stands beside.
    """
    if asked.form in ("method", "inputs"):
        name = "result" if asked.form == "method" else "Results"
        return {name: _result(scores, options)}
    predictor = served.scorer.predictor
    body: dict[str, Any] = {"predictions": scores.predictions.tolist()}
    if asked.form == "data":
        body["result"] = _result(scores, options)
    if scores.probabilities is not None and predictor.classes is not None:
        body["probabilities"] = scores.probabilities
        body["classes"] = predictor.classes.tolist()
    for level, found in scores.levels.items():
        if options.top is not None:
            body[f"{level}_reasons"] = scores.reasons(level, top=options.top)
            continue
        body[f"{level}_local_importance_values"] = np.ascontiguousarray(
            found.values if found.values.ndim == 2 else np.moveaxis(found.values, 2, 0)
        )
        body[f"{level}_feature_names"] = found.names
    if scores.levels:
        first = next(iter(scores.levels.values()))
        body["base_values"] = first.base_values
        body["space"] = first.space
        body["certificate"] = {
            "method": first.method,
            "additivity_error": max(each.error for each in scores.levels.values()),
            "standard_error": first.standard_error,
            "background_rows": len(predictor.background),
        }
    if scores.explained is not None:
        body["explained"] = scores.explained
    body["row_ids"] = list(asked.row_ids)
    body["model"] = served.facts
    if scores.notes:
        body["notes"] = scores.notes
    return body


def _result(scores: Scores, options: Options) -> Any:
    if options.method == "predict_proba" and scores.probabilities is not None:
        return scores.probabilities
    return scores.predictions.tolist()


def to_json(value: Any) -> bytes:
    """JSON in which every float is read back with the bits that it had."""
    import orjson

    return orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (set, frozenset, range, Sequence)):
        return list(value)
    return str(value)


def scores_frame(scores: Scores, scorer: Scorer) -> pd.DataFrame:
    """Scores as one table, a row a row.

    ``prediction``; ``probability_<class>``; of the levels that were asked for ``base_value`` and
    ``<level>.<feature>``, with ``[class]`` at the end of each where importances are of each class.
    """
    columns: dict[str, Any] = {"prediction": scores.predictions}
    classes = scorer.predictor.classes
    labels = [] if classes is None else [str(label) for label in classes.tolist()]
    if scores.probabilities is not None:
        for k, label in enumerate(labels):
            columns[f"probability_{label}"] = scores.probabilities[:, k]
    for level, found in scores.levels.items():
        cube = found.values if found.values.ndim == 3 else found.values[:, :, None]
        for c in range(cube.shape[2]):
            of_class = f"[{labels[c]}]" if cube.shape[2] > 1 else ""
            columns[f"base_value{of_class}"] = found.base_values[c]
            for k, name in enumerate(found.names):
                columns[f"{level}.{name}{of_class}"] = cube[:, k, c]
    return pd.DataFrame(columns)


def to_csv(frame: pd.DataFrame) -> bytes:
    """CSV with a header; floats have as many digits as their bits need."""
    return frame.to_csv(index=False).encode()


def to_arrow(frame: pd.DataFrame) -> bytes:
    """An Arrow IPC stream."""
    import pyarrow as pa

    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()

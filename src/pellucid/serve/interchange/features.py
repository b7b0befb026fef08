"""The featurizer as nodes of a graph, column by column.

Text and dates have no form in ONNX: their engineered columns are inputs of the graph instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from pellucid.serve.interchange.graph import ML, Graph
from pellucid.tabular.columns import Column
from pellucid.tabular.encoders import Encoder
from pellucid.tabular.encoders.boolean import BooleanEncoder
from pellucid.tabular.encoders.number_code import NumberCodeEncoder
from pellucid.tabular.encoders.numeric import NumericEncoder
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.reading.labels import Labels

ENGINEERED = ".engineered"  # ends the name of an input that takes engineered columns
_UNSEEN = "\x00"  # no label: labels are stripped


def engineered(graph: Graph, featurizer: Featurizer) -> tuple[str, dict[str, str]]:
    """Engineered rows, float32 (n_rows, n_engineered), and which columns are not made here, why."""
    parts, left_out = [], {}
    for column in featurizer.schema.columns:
        places = featurizer.places(column.name)
        if not places:
            continue
        encoders = [encoder for encoder, _ in places]
        width = places[-1][1].stop - places[0][1].start
        if column.kind == "numeric":
            parts.append(_numbers(graph, column.name, encoders))
        elif column.kind == "boolean":
            parts.append(_truths(graph, column.name, encoders))
        elif column.kind == "categorical":
            parts.append(_labels(graph, column.name, encoders))
        else:
            left_out[column.name] = _reason(column)
            parts.append(graph.input(column.name + ENGINEERED, TensorProto.FLOAT, width))
    return graph.join(parts), left_out


def _reason(column: Column) -> str:
    what = {"text": "splitting text into words", "datetime": "reading dates and time zones"}
    return f"{what.get(column.kind, column.kind)} has no form in ONNX"


def _numbers(graph: Graph, name: str, encoders: Sequence[Encoder]) -> str:
    x = graph.input(name, TensorProto.DOUBLE, 1)
    missing = graph.add("IsNaN", x)
    return graph.join(
        [
            _amount(graph, x, missing, encoder)
            if isinstance(encoder, NumericEncoder)
            else _number_code(graph, x, missing, encoder)
            for encoder in encoders
        ]
    )


def _amount(graph: Graph, x: str, missing: str, encoder: NumericEncoder) -> str:
    if encoder.filler is not None:
        x = graph.add("Where", missing, graph.constant(encoder.filler, np.float64), x)
    if encoder.offset:
        x = graph.add("Sub", x, graph.constant(encoder.offset, np.float64))
    single = graph.cast(x, TensorProto.FLOAT)
    positive = graph.add("Greater", single, graph.constant(0.0, np.float32))
    high, low = (graph.constant(each, np.float32) for each in (encoder.high, encoder.low))
    extreme = graph.add("Where", positive, high, low)
    value = graph.add("Where", graph.add("IsInf", single), extreme, single)
    if not encoder.missing:
        return value
    return graph.join([value, graph.cast(missing, TensorProto.FLOAT)])


def _number_code(graph: Graph, x: str, missing: str, encoder: Encoder) -> str:
    assert isinstance(encoder, NumberCodeEncoder)
    known = graph.add("Where", missing, graph.constant(0.5, np.float64), x)
    whole = graph.add("Equal", graph.add("Floor", known), known)
    small = graph.add("Less", graph.add("Abs", known), graph.constant(2.0**53, np.float64))
    sure = graph.add("And", whole, small)
    held = graph.add("Where", sure, known, graph.constant(0.0, np.float64))
    n_values = len(encoder.values)
    code = graph.add(
        "LabelEncoder", graph.cast(held, TensorProto.INT64), domain=ML,
        keys_int64s=list(encoder.values), values_int64s=list(range(n_values)),
        default_int64=n_values,
    )  # fmt: skip
    code = graph.add("Where", sure, code, graph.constant(n_values, np.int64))
    single = graph.cast(code, TensorProto.FLOAT)
    return graph.add("Where", missing, graph.constant(np.nan, np.float32), single)


def _truths(graph: Graph, name: str, encoders: Sequence[Encoder]) -> str:
    x = graph.input(name, TensorProto.DOUBLE, 1)
    single = graph.cast(x, TensorProto.FLOAT)
    (encoder,) = encoders
    if isinstance(encoder, BooleanEncoder) and encoder.missing:
        return graph.join([single, graph.cast(graph.add("IsNaN", x), TensorProto.FLOAT)])
    return single


def _labels(graph: Graph, name: str, encoders: Sequence[Encoder]) -> str:
    """All that a label becomes, looked up: the encoders themselves fill the table."""
    x = graph.input(name, TensorProto.STRING, 1)
    levels = list(dict.fromkeys(level for each in encoders for level in _levels(each)))
    n_levels = len(levels)
    every = Labels(np.array([*range(n_levels + 1), -1]), [*levels, _UNSEEN])
    tables = []
    for encoder in encoders:
        table = np.empty((n_levels + 2, len(encoder.features(name))), dtype=np.float32)
        encoder.fill(every, table)
        tables.append(table)
    place = graph.add(
        "LabelEncoder", x, domain=ML, keys_strings=[*levels, ""],
        values_int64s=[*range(n_levels), n_levels + 1], default_int64=n_levels,
    )  # fmt: skip
    return graph.look_up(np.concatenate(tables, axis=1), place)


def _levels(encoder: Encoder) -> tuple[str, ...]:
    return tuple(getattr(encoder, "levels", ()))

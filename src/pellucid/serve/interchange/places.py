"""Places in a table of what stands for each code, for an unknown one and for a missing one."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from pellucid.serve.interchange.graph import Graph


def code_places(graph: Graph, rows: str, column: int, n_codes: int) -> str:
    """Places of a column's codes, int64 (n_rows, 1): unknown ones come after, missing ones last."""
    codes = graph.double(graph.add("Gather", rows, graph.constant([column], np.int64), axis=1))
    missing = graph.add("IsNaN", codes)
    whole = graph.add("Where", missing, graph.constant(0.0, np.float64), codes)
    low = graph.add("LessOrEqual", whole, graph.constant(-1.0, np.float64))
    high = graph.add("GreaterOrEqual", whole, graph.constant(float(n_codes), np.float64))
    unknown = graph.constant(float(n_codes), np.float64)
    held = graph.add("Where", graph.add("Or", low, high), unknown, whole)
    places = graph.cast(held, TensorProto.INT64)  # toward zero, as the trees do
    return graph.add("Where", missing, graph.constant(n_codes + 1, np.int64), places)

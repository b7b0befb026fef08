"""Each family's margin as nodes of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from pellucid.models.ensemble import Ensemble
from pellucid.models.linear import LinearMember
from pellucid.models.spline import SplineMember
from pellucid.models.trees import TreeMember
from pellucid.models.view import ViewMember
from pellucid.serve.interchange.graph import Graph
from pellucid.serve.interchange.places import code_places
from pellucid.serve.interchange.trees import CannotExportError, tree_margins


def margins(graph: Graph, member: Any, rows: str) -> str:
    """Margins, double (n_rows, n_outputs), of engineered rows, float32 (n_rows, n_engineered).

    Raises
    ------
    CannotExportError
        A family that has no form in ONNX.
    """
    if isinstance(member, Ensemble):
        return _weighted(graph, member, rows)
    if isinstance(member, ViewMember):
        return margins(graph, member.inner, _see(graph, member, rows))
    if isinstance(member, TreeMember):
        return tree_margins(graph, member.trees, rows)
    if isinstance(member, LinearMember):
        return _linear(graph, member, rows)
    if isinstance(member, SplineMember):
        return _spline(graph, member, rows)
    raise CannotExportError("its family has no form in ONNX")


def _weighted(graph: Graph, ensemble: Ensemble, rows: str) -> str:
    total = graph.row(ensemble.intercept, rows)
    for weight, name, member in zip(ensemble.weights, ensemble.names, ensemble.members):
        try:
            own = margins(graph, member, rows)
        except CannotExportError as error:
            raise CannotExportError(f"member {name!r} ({member.family}): {error}") from None
        part = graph.add("Mul", own, graph.constant(weight, np.float64))
        total = graph.add("Add", total, part)
    return total


def _see(graph: Graph, view: ViewMember, rows: str) -> str:
    """The columns that a view keeps, and its statistics of codes."""
    parts = []
    if len(view.columns):
        parts.append(graph.add("Gather", rows, graph.constant(view.columns, np.int64), axis=1))
    for column, table in zip(view.encoded, view.tables):
        places = code_places(graph, rows, int(column), len(table) - 2)
        parts.append(graph.look_up(table.astype(np.float32), places))
    return graph.join(parts)


def _linear(graph: Graph, linear: LinearMember, rows: str) -> str:
    given = graph.double(rows)
    filled = graph.add("Where", graph.add("IsNaN", given), graph.constant(linear.fill[None]), given)
    low, high = (graph.constant(each[None], np.float64) for each in (linear.low, linear.high))
    held = graph.add("Min", graph.add("Max", filled, low), high)
    product = graph.add("MatMul", held, graph.constant(linear.coef.T.astype(np.float64)))
    return graph.add("Add", product, graph.constant(linear.intercept[None].astype(np.float64)))


def _spline(graph: Graph, spline: SplineMember, rows: str) -> str:
    total, curves = _linear(graph, spline.linear, rows), spline.curves
    for c in range(len(curves)):
        own = slice(curves.start[c], curves.start[c + 1])
        total = graph.add(
            "Add", total, _curve(graph, rows, int(curves.column[c]), curves.knot[own],
                                 curves.height[own])
        )  # fmt: skip
    return total


def _curve(graph: Graph, rows: str, column: int, knots: np.ndarray, heights: np.ndarray) -> str:
    """A piecewise linear curve: height at the knot to the left, and the slope after it."""
    x = graph.double(graph.add("Gather", rows, graph.constant([column], np.int64), axis=1))
    missing = graph.add("IsNaN", x)
    first, last = (graph.constant(float(knots[k]), np.float64) for k in (0, -1))
    at = graph.add("Where", missing, first, x)
    at = graph.add("Min", graph.add("Max", at, first), last)
    beyond = graph.add("GreaterOrEqual", at, graph.constant(knots[None, 1:-1].astype(np.float64)))
    beyond = graph.cast(beyond, TensorProto.INT64)  # inner knots that are not to the right
    left = graph.add("ReduceSum", beyond, graph.constant([1], np.int64), keepdims=1)
    gap = np.diff(knots)
    table = np.column_stack([knots[:-1], gap, heights[:-1], heights[1:]]).astype(np.float64)
    found = graph.look_up(table, left)
    k = heights.shape[1]
    start, width, low, high = (
        graph.add("Gather", found, graph.constant(np.arange(*part), np.int64), axis=1)
        for part in ((0, 1), (1, 2), (2, 2 + k), (2 + k, 2 + 2 * k))
    )
    share = graph.add("Div", graph.add("Sub", at, start), width)
    rest = graph.add("Sub", graph.constant(1.0, np.float64), share)
    value = graph.add("Add", graph.add("Mul", rest, low), graph.add("Mul", share, high))
    return graph.add("Where", missing, graph.constant(np.zeros((1, k))), value)

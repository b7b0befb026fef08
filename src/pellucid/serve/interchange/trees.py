"""Sums of trees as ONNX's TreeEnsemble, whichever library grew them.

Categories: a split on a set of codes becomes a column of its own, looked up by the code, which says
whether the row stays right; the tree then asks that column. So every split is ``x <= limit``.
"""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from pellucid.serve.errors import ServeError
from pellucid.serve.interchange.graph import ML, Graph
from pellucid.serve.interchange.places import code_places
from pellucid.shapley.trees import (
    CATEGORICAL,
    MISSING_LEFT,
    UNKNOWN_LEFT,
    ZERO_MISSING,
    TreeEnsemble,
)


class CannotExportError(ServeError):
    """A part of a model has what ONNX has not; `export_onnx` says whose it is."""


def tree_margins(graph: Graph, trees: TreeEnsemble, rows: str) -> str:
    """Margins, double (n_rows, n_outputs), of engineered rows, float32.

    Raises
    ------
    CannotExportError
        Linear leaves, or zeros that are missing values.
    """
    if trees.linear is not None:
        raise CannotExportError("its leaves are linear models")
    if (trees.flags & ZERO_MISSING).any():
        raise CannotExportError("it takes zeros for missing values")
    feature, threshold, sets = trees.feature.astype(np.int64), trees.threshold.copy(), []
    width = trees.n_columns
    for column in np.unique(feature[(trees.flags & CATEGORICAL) != 0]):
        nodes = np.flatnonzero((feature == column) & ((trees.flags & CATEGORICAL) != 0))
        table, question = _questions(trees, nodes)
        sets.append(graph.look_up(table, code_places(graph, rows, int(column), len(table) - 2)))
        feature[nodes], threshold[nodes] = width + question, 0.5
        width += table.shape[1]
    asked = graph.join([graph.double(rows), *sets])
    return _sums(graph, trees, feature, threshold, asked)


def _questions(trees: TreeEnsemble, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each code answers to each different set of one column's nodes.

    Returns
    -------
    table : float64 (n_codes + 2, n_sets), 0 where the code goes left; an unknown one, a missing one
    question : int64 (n_nodes,), column of the table for each node
    """
    n_codes = 32 * int(trees.cat_size[nodes].max(initial=0))
    known: dict[bytes, int] = {}
    columns: list[np.ndarray] = []
    question = []
    for node in nodes:
        start, flag = trees.cat_start[node], trees.flags[node]
        words = trees.cat_bits[start : start + trees.cat_size[node]]
        left = np.full(n_codes + 2, bool(flag & UNKNOWN_LEFT))
        left[: 32 * len(words)] = np.unpackbits(words.view(np.uint8), bitorder="little")
        left[-1] = bool(flag & MISSING_LEFT)
        key = left.tobytes()
        if key not in known:
            known[key] = len(columns)
            columns.append(~left)
        question.append(known[key])
    return np.stack(columns, axis=1).astype(np.float64), np.array(question)


def _sums(
    graph: Graph, trees: TreeEnsemble, feature: np.ndarray, threshold: np.ndarray, asked: str
) -> str:
    """Sum of leaves; a leaf of ONNX speaks of one output, so each output has trees of its own."""
    sizes, width = np.diff(trees.tree_bounds), trees.value.shape[1]
    alone = sizes == 1  # trees that are a leaf and no more
    constant = trees.intercept.copy()
    np.add.at(
        constant,
        trees.tree_output[alone][:, None] + np.arange(width),
        trees.value[trees.roots[alone]],
    )
    constant /= trees.divisor
    if alone.all():
        return graph.row(constant, asked)
    kept = np.repeat(~alone, sizes)
    inner, leaf = kept & (feature >= 0), kept & (feature < 0)
    n_inner, n_leaves = int(inner.sum()), int(leaf.sum())
    place = np.where(inner, np.cumsum(inner), np.cumsum(leaf)) - 1  # among its own sort

    def of_all(values: np.ndarray, step: int | np.ndarray = 0) -> list[int]:
        return [int(v) for j in range(width) for v in values + j * step]

    def children(side: np.ndarray) -> tuple[list[int], list[int]]:
        child = side[inner]
        return of_all(place[child], np.where(leaf[child], n_leaves, n_inner)), of_all(leaf[child])

    true, true_leaf = children(trees.left)
    false, false_leaf = children(trees.right)
    weights = (trees.value[leaf] / trees.divisor).T.ravel()
    modes = np.zeros(width * n_inner, dtype=np.uint8)  # x <= limit
    total = graph.add(
        "TreeEnsemble",
        asked,
        domain=ML,
        n_targets=trees.n_outputs,
        aggregate_function=1,
        post_transform=0,
        tree_roots=of_all(place[trees.roots[~alone]], n_inner),
        nodes_featureids=of_all(feature[inner]),
        nodes_modes=numpy_helper.from_array(modes, "modes"),
        nodes_splits=numpy_helper.from_array(np.tile(threshold[inner], width), "splits"),
        nodes_truenodeids=true,
        nodes_trueleafs=true_leaf,
        nodes_falsenodeids=false,
        nodes_falseleafs=false_leaf,
        nodes_missing_value_tracks_true=of_all((trees.flags[inner] & MISSING_LEFT) != 0),
        leaf_targetids=of_all(np.repeat(trees.tree_output, sizes)[leaf], 1),
        leaf_weights=numpy_helper.from_array(weights, "weights"),
    )
    return graph.add("Add", total, graph.constant(constant[None, :]))

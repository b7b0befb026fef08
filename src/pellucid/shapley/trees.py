"""One frozen array form for the trees of every library.

A reader (one file per library in `pellucid.shapley.readers`) fills a `TreeEnsemble`; everything
after it knows no library. The conventions, which a reader must translate into:

Margin
    ``margin[k] = (intercept[k] + sum of what the trees add to output k, in tree order) / divisor``
    in float64. A tree adds ``value[leaf, j]`` to output ``tree_output[tree] + j``; the width of
    ``value`` is 1 (one output a tree) or n_outputs (leaves that hold a vector; tree_output is 0).
    Weights of trees (dart, learning rates) are multiplied into the values by the reader.
Nodes
    The nodes of all trees are concatenated, a parent before its children; ``left`` and ``right``
    are absolute positions, -1 at leaves, as is ``feature``. ``roots[tree]`` is where a tree
    starts, and a tree ends where the next begins; the last ends with the last node.
Numeric test
    ``x <= threshold`` goes left. A library that tests ``x < t`` stores the next float below t (in
    the precision that it compares in). With ``float32`` set, rows are rounded to float32 first.
Missing values
    NaN goes left when the node has MISSING_LEFT, right otherwise, at numeric and categorical
    nodes alike. A library that reads NaN as zero sets the flag when ``0 <= threshold``. With
    ZERO_MISSING, ``abs(x) <= ZERO_WIDTH`` is missing too.
Categorical test
    A node with CATEGORICAL has ``cat_size[node]`` words of 32 bits in ``cat_bits`` from
    ``cat_start[node]`` on, which nodes of one split may share. The code is x truncated toward
    zero. A set bit goes left. Codes below zero or beyond the words go left with UNKNOWN_LEFT, right
    otherwise; a reader whose library has unknown codes inside the range sets or clears their bits
    accordingly.
Cover
    ``cover[node]``: the training weight that reached the node, in the library's own count; the
    path-dependent game takes its ratios from it. A parent's cover is the sum of its children's.
Linear leaves
    Optional: a leaf gives ``const + sum coef * x`` of its columns when none of these is NaN, and
    ``value`` otherwise (LightGBM's linear_tree).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.shapley.errors import ReaderError

CATEGORICAL = 1
MISSING_LEFT = 2
ZERO_MISSING = 4
UNKNOWN_LEFT = 8
_DTYPES = {
    "roots": "int32", "tree_output": "int32", "feature": "int32", "threshold": "float64",
    "flags": "uint8", "left": "int32", "right": "int32", "cat_start": "int64", "cat_size": "int32",
    "cat_bits": "uint32", "cover": "float64", "value": "float64", "intercept": "float64",
}  # fmt: skip
_NDIM = {"value": 2}
ZERO_WIDTH = float(np.float32(1e-35))  # LightGBM's kZeroThreshold is a float32 literal


@dataclass(frozen=True, eq=False)
class LinearLeaves:
    """Linear models in leaves.

    start : int64 (n_nodes + 1,); the terms of a node are ``column[start[n]:start[n + 1]]``.
    column : int32 (n_terms,); coef : float64 (n_terms,); const : float64 (n_nodes,)
    """

    start: np.ndarray
    column: np.ndarray
    coef: np.ndarray
    const: np.ndarray


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Trees as arrays; the module docstring gives the conventions.

    n_columns, n_outputs : int
    float32 : bool; rows are rounded to float32 before they are compared.
    float32_sums : bool; the library itself adds its leaves up in float32.
    roots : int32 (n_trees,)
    tree_output : int32 (n_trees,)
    feature : int32 (n_nodes,)
    threshold : float64 (n_nodes,)
    flags : uint8 (n_nodes,)
    left, right : int32 (n_nodes,)
    cat_start : int64 (n_nodes,); cat_size : int32 (n_nodes,); cat_bits : uint32 (n_words,)
    cover : float64 (n_nodes,)
    value : float64 (n_nodes, 1 or n_outputs); zero at inner nodes.
    intercept : float64 (n_outputs,)
    divisor : float
    columns : names of the columns when the model knows them.
    library : the library that the trees come from, for messages.
    linear : LinearLeaves, or None
    """

    n_columns: int
    n_outputs: int
    float32: bool
    roots: np.ndarray
    tree_output: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    flags: np.ndarray
    left: np.ndarray
    right: np.ndarray
    cat_start: np.ndarray
    cat_size: np.ndarray
    cat_bits: np.ndarray
    cover: np.ndarray
    value: np.ndarray
    intercept: np.ndarray
    divisor: float = 1.0
    columns: tuple[str, ...] | None = None
    library: str = ""
    linear: LinearLeaves | None = None
    float32_sums: bool = False

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def n_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.feature)

    @property
    def magnitude(self) -> np.ndarray:
        """The largest leaf of each tree, without its sign, and the intercept: (n_outputs,)."""
        size = np.abs(self.value)
        if self.linear is not None:
            size = np.maximum(size, np.abs(self.linear.const)[:, None])
        total = np.abs(self.intercept)
        if self.n_trees:
            largest = np.maximum.reduceat(size, self.roots)  # (n_trees, width)
            outputs = self.tree_output[:, None] + np.arange(size.shape[1])
            np.add.at(total, outputs, largest)
        return total / self.divisor

    @property
    def tree_bounds(self) -> np.ndarray:
        """Where each tree starts, and where the last ends: int32 (n_trees + 1,)."""
        return np.append(self.roots, self.n_nodes).astype(np.int32)


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """One tree, as a reader finds it; positions of nodes count from the tree's own root.

    What a library does not have may stay None: no categories, no linear leaves. ``cat_bits``
    lists the words of each node, and is empty at numeric nodes and leaves.
    """

    feature: np.ndarray
    threshold: np.ndarray
    flags: np.ndarray
    left: np.ndarray
    right: np.ndarray
    cover: np.ndarray
    value: np.ndarray  # (n_nodes,) or (n_nodes, width)
    output: int = 0
    cat_bits: list[np.ndarray] | None = None
    linear: list[tuple[np.ndarray, np.ndarray, float]] | None = None  # (columns, coef, const)


def join_trees(
    trees: list[TreeArrays],
    *,
    n_columns: int,
    n_outputs: int,
    float32: bool,
    float32_sums: bool = False,
    intercept: np.ndarray | None = None,
    divisor: float = 1.0,
    columns: tuple[str, ...] | None = None,
    library: str = "",
) -> TreeEnsemble:
    """Concatenate trees into an ensemble, with one dtype for each array, and check it.

    Raises
    ------
    ReaderError
        Arrays that contradict the conventions of this module: a fault of the reader.

    Examples
    --------
    >>> stump = TreeArrays(
    ...     feature=np.array([0, -1, -1]), threshold=np.array([0.5, 0, 0]),
    ...     flags=np.zeros(3), left=np.array([1, -1, -1]), right=np.array([2, -1, -1]),
    ...     cover=np.array([4.0, 3, 1]), value=np.array([0.0, -1, 1]))
    >>> join_trees([stump, stump], n_columns=1, n_outputs=1, float32=False).roots
    array([0, 3], dtype=int32)
    """
    sizes = np.array([len(tree.feature) for tree in trees], dtype=np.int64)
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if trees else np.zeros(0)

    def cat(name: str, dtype: type) -> np.ndarray:
        parts: list[np.ndarray] = [np.asarray(getattr(tree, name)).astype(dtype) for tree in trees]
        return np.concatenate(parts) if parts else np.zeros(0, dtype)

    def child(name: str) -> np.ndarray:
        parts: list[np.ndarray] = [np.asarray(getattr(tree, name)) for tree in trees]
        moved = [np.where(part < 0, -1, part + root) for part, root in zip(parts, roots)]
        return np.concatenate(moved).astype(np.int32) if moved else np.zeros(0, np.int32)

    values = [np.asarray(t.value, dtype=np.float64).reshape(len(t.feature), -1) for t in trees]
    words = [bits for tree in trees for bits in tree.cat_bits or [_NO_BITS] * len(tree.feature)]
    cat_size = np.array([len(bits) for bits in words], dtype=np.int32)
    ensemble = TreeEnsemble(
        n_columns=n_columns,
        n_outputs=n_outputs,
        float32=float32,
        roots=roots.astype(np.int32),
        tree_output=np.array([tree.output for tree in trees], dtype=np.int32),
        feature=cat("feature", np.int32),
        threshold=cat("threshold", np.float64),
        flags=cat("flags", np.uint8),
        left=child("left"),
        right=child("right"),
        cat_start=np.cumsum(cat_size, dtype=np.int64) - cat_size,
        cat_size=cat_size,
        cat_bits=np.concatenate(words).astype(np.uint32) if words else _NO_BITS,
        cover=cat("cover", np.float64),
        value=np.concatenate(values) if values else np.zeros((0, 1)),
        intercept=np.zeros(n_outputs) if intercept is None else np.asarray(intercept, np.float64),
        divisor=float(divisor),
        columns=columns,
        library=library,
        linear=_join_linear(trees),
        float32_sums=float32_sums,
    )
    check_ensemble(ensemble)
    return ensemble


_NO_BITS = np.zeros(0, dtype=np.uint32)
_NO_TERMS = (np.zeros(0, np.int32), np.zeros(0), 0.0)


def _join_linear(trees: list[TreeArrays]) -> LinearLeaves | None:
    if not any(tree.linear for tree in trees):
        return None
    terms: list[tuple[np.ndarray, np.ndarray, float]] = []
    for tree in trees:
        # a leaf of a tree without linear models is a constant one
        plain = [(_NO_TERMS[0], _NO_TERMS[1], float(v)) for v in np.ravel(tree.value)]
        terms += tree.linear or plain
    sizes = np.array([len(columns) for columns, _, _ in terms], dtype=np.int64)
    return LinearLeaves(
        start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        column=np.concatenate([columns for columns, _, _ in terms]).astype(np.int32),
        coef=np.concatenate([coef for _, coef, _ in terms]).astype(np.float64),
        const=np.array([const for _, _, const in terms], dtype=np.float64),
    )


def check_ensemble(ensemble: TreeEnsemble) -> None:
    """Hold an ensemble to the conventions, so that no kernel reads outside an array.

    Raises
    ------
    ReaderError
        The first convention that is broken.
    """
    who = f"reader of {ensemble.library or 'trees'}"
    _check_shapes(ensemble, who)
    inner = ensemble.feature >= 0
    nodes = np.arange(ensemble.n_nodes)
    tree = np.searchsorted(ensemble.roots, nodes, side="right")
    for name in ("left", "right"):
        child = getattr(ensemble, name)
        if ((child >= 0) != inner).any():
            raise ReaderError(f"{who}: a node has a feature without a {name} child, or the reverse")
        if (child[inner] <= nodes[inner]).any() or (child >= ensemble.n_nodes).any():
            raise ReaderError(f"{who}: a {name} child comes before its parent or after the end")
        if (tree[child[inner]] != tree[inner]).any():
            raise ReaderError(f"{who}: a {name} child lies in another tree")
    parents = np.bincount(np.concatenate([ensemble.left[inner], ensemble.right[inner]]))
    if (parents > 1).any():
        raise ReaderError(f"{who}: node {int(parents.argmax())} has two parents; this is no tree")
    if (ensemble.feature >= ensemble.n_columns).any():
        raise ReaderError(
            f"{who}: feature {ensemble.feature.max()} of {ensemble.n_columns} columns"
        )
    width = ensemble.value.shape[1]
    if width not in (1, ensemble.n_outputs):
        raise ReaderError(f"{who}: leaves hold {width} values for {ensemble.n_outputs} outputs")
    if len(ensemble.tree_output) and (
        ensemble.tree_output.min() < 0 or ensemble.tree_output.max() + width > ensemble.n_outputs
    ):
        raise ReaderError(f"{who}: a tree adds to an output beyond the {ensemble.n_outputs}")
    if ensemble.intercept.shape != (ensemble.n_outputs,):
        raise ReaderError(f"{who}: intercept has shape {ensemble.intercept.shape}")
    if not np.isfinite(ensemble.value).all():
        raise ReaderError(f"{who}: a leaf value is not finite; the model is damaged")


def _check_shapes(ensemble: TreeEnsemble, who: str) -> None:
    """Hold arrays that belong together to one length, and positions to the arrays they are in."""
    for name, dtype in _DTYPES.items():
        held = getattr(ensemble, name)
        if (
            not isinstance(held, np.ndarray)
            or held.dtype != dtype
            or held.ndim != _NDIM.get(name, 1)
        ):
            raise ReaderError(f"{who}: {name} is no array of {dtype} of its dimensions")
    per_node = ("threshold", "flags", "left", "right", "cat_start", "cat_size", "cover", "value")
    for name in per_node:
        length = len(getattr(ensemble, name))
        if length != ensemble.n_nodes:
            raise ReaderError(f"{who}: {name} has {length} entries for {ensemble.n_nodes} nodes")
    roots, linear = ensemble.roots, ensemble.linear
    starts_well = len(roots) == len(ensemble.tree_output) and (np.diff(roots) > 0).all()
    if not starts_well or (len(roots) > 0) != (ensemble.n_nodes > 0) or (roots[:1] != 0).any():
        raise ReaderError(f"{who}: the roots do not cut the nodes into trees")
    if len(roots) and roots[-1] >= ensemble.n_nodes:
        raise ReaderError(f"{who}: root {roots[-1]} of {ensemble.n_nodes} nodes")
    start, size, n_words = ensemble.cat_start, ensemble.cat_size, len(ensemble.cat_bits)
    if ((start < 0) | (start > n_words) | (size < 0) | (size > n_words - start)).any():
        raise ReaderError(f"{who}: a set of categories lies outside the {n_words}")
    if linear is not None and (
        len(linear.start) != ensemble.n_nodes + 1
        or len(linear.const) != ensemble.n_nodes
        or not len(linear.column) == len(linear.coef) == linear.start[-1]
        or (np.diff(linear.start, prepend=0) < 0).any()
        or ((linear.column < 0) | (linear.column >= ensemble.n_columns)).any()
    ):
        raise ReaderError(f"{who}: the linear leaves do not fit the nodes and columns")

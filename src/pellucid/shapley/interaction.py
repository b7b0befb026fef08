"""Exact pairwise Shapley interactions of a tree ensemble in the interventional game.

A leaf is a product game, whose interactions have a closed form as its values have; the sum over
leaves is the model's. There is no table: a pair's numbers would take a table half as wide again
for each player of a path, and interactions are asked for some rows, not in service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.groups import SHARES, build_groups
from pellucid.shapley.margins import as_block
from pellucid.shapley.paths import find_paths
from pellucid.shapley.players import resolve_players
from pellucid.shapley.readers import read_ensemble
from pellucid.shapley.rows import check_rows, check_weights, known_columns

_SUMS = 16 * 2**20  # bytes of a block's sums


def interactions(
    model: Any,
    X: Any,
    *,
    background: Any,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    weights: Any = None,
) -> np.ndarray:
    """Shapley interactions of every pair of players, for every row.

    Parameters
    ----------
    model : fitted tree model of a supported library, or a TreeEnsemble
    X : array (n_rows, n_columns)
    background : array (n_background, n_columns)
        Rows that stand for "absent".
    players : None, array of int (n_columns,), or mapping of name to columns
        As in `compile`.
    weights : array (n_background,), optional

    Returns
    -------
    ndarray, (n_rows, n_players, n_players), or (n_rows, n_players, n_players, n_outputs)
        Symmetric, float64, margin space. Off the diagonal half of the pair's interaction, on it
        what is left of the player's own value: each row of a matrix sums to the player's Shapley
        value, the whole matrix to the margin minus the base value.

    Raises
    ------
    ShapleyError
        Background, weights or players that do not fit the model, or linear leaves.
    ReaderError
        A model that no reader knows.

    Notes
    -----
    The Shapley interaction index of Grabisch and Roubens (1999), divided between the two players
    as Lundberg et al. (2020) do.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.shapley.trees import TreeArrays, join_trees
    >>> tree = TreeArrays(  # 1 where both columns are above zero
    ...     feature=np.array([0, -1, 1, -1, -1]), threshold=np.zeros(5), flags=np.zeros(5),
    ...     left=np.array([1, -1, 3, -1, -1]), right=np.array([2, -1, 4, -1, -1]),
    ...     cover=np.ones(5), value=np.array([0.0, 0, 0, 0, 1]))
    >>> model = join_trees([tree], n_columns=2, n_outputs=1, float32=False)
    >>> interactions(model, [[1.0, 1.0]], background=[[-1.0, -1.0]])
    array([[[0. , 0.5],
            [0.5, 0. ]]])
    """
    from pellucid.shapley import pairs

    trees = read_ensemble(model)
    if trees.linear is not None:
        raise ShapleyError("interactions of linear leaves are not known; fit without linear_tree")
    columns = known_columns(background, trees.columns)
    who = resolve_players(players, n_columns=trees.n_columns, columns=columns)
    rows = check_rows(X, n_columns=trees.n_columns, columns=columns)
    absent = check_rows(background, n_columns=trees.n_columns, columns=columns, what="background")
    paths = find_paths(trees, who.of_column)
    groups = build_groups(
        trees, paths, who.of_column, block=as_block(trees, absent),
        weights=check_weights(weights, n_rows=len(absent)), ratios=np.zeros(0), memory=None,
    )  # fmt: skip
    out = np.empty((len(rows), trees.n_outputs, who.n, who.n))
    size = max(16, _SUMS // (8 * out[:1].size)) if out.size else 1
    for start in range(0, len(rows), size):
        block = as_block(trees, rows[start : start + size])
        sums = np.zeros((trees.n_outputs * who.n * who.n, block.shape[1]))
        pairs.explain_pairs(
            block, trees.tree_bounds, trees.tree_output, trees.feature, trees.threshold,
            trees.flags, trees.cat_start, trees.cat_size, trees.cat_bits, trees.value,
            groups.tree_deep, groups.deep_leaf, groups.deep_start, groups.patterns, groups.shares,
            paths.leaf_node, paths.cond_start, paths.cond_node, paths.cond_left, paths.cond_slot,
            paths.slot_start, paths.slot_player, SHARES, who.n, trees.n_outputs, sums,
        )  # fmt: skip
        upper = np.ascontiguousarray(sums.T).reshape(-1, *out.shape[1:]) / trees.divisor
        out[start : start + size] = _symmetric(upper)
    moved = np.moveaxis(out, 1, -1)
    return moved[..., 0] if trees.n_outputs == 1 else np.ascontiguousarray(moved)


def _symmetric(upper: np.ndarray) -> np.ndarray:
    """Matrices of halved interactions from upper ones with values on their diagonal."""
    n = upper.shape[-1]
    values = np.einsum("...ii->...i", upper).copy()
    halves = np.triu(np.ones((n, n)), k=1) * upper / 2.0
    whole = halves + np.swapaxes(halves, -1, -2)
    np.einsum("...ii->...i", whole)[...] = values - whole.sum(axis=-1)
    return whole

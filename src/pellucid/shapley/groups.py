"""Groups of leaves and their tables, chosen under a memory cap.

A group is a subtree whose leaves share one table, indexed by the outcomes of the splits that
matter to it; `planning` says how a tree is cut. One look-up then serves several leaves, and the
tables of siblings cost half of what they would cost apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.paths import Paths
from pellucid.shapley.trees import TreeEnsemble

MOST_BITS = 12  # of a group's pattern: 4,096 entries a player
_MOST_SEEN = 256  # background rows with which one row finds the leaves that matter
_DEEP_COST = 150.0  # look-ups that walking a deep leaf costs, measured


@dataclass(frozen=True, eq=False)
class Groups:
    """Tables of groups in tree order, and the leaves that have none.

    tree_group : int64 (n_trees + 1,)
    cond_start : int64 (n_groups + 1,); cond_node : int32; cond_flip, cond_bit : uint8
        Bit ``cond_bit`` of the pattern is the OR of ``side ^ flip`` over its conditions.
    target_start : int64 (n_groups + 1,); target : int32
        Positions in (n_players, n_outputs), flat, that a table row adds to.
    table_start : int64 (n_groups + 1,); table : float64; rows by pattern, columns by target.
        Where a group's rows begin; they follow one another unless tables are shared (`sharing`).
    tree_deep : int64 (n_trees + 1,); deep_leaf : int64 (n_deep,)
    deep_start : int64 (n_deep + 1,); patterns : uint64; shares : float64
        Distinct background patterns of the deep leaves with their weights.
    mask_start : int64 (n_deep + 1,); masks : uint64
        For each slot of a deep leaf, which of its patterns meet it, as bits.
    deep_of : int32 (n_nodes,)
        Position in deep_leaf at a deep leaf, INNER above groups and deep leaves, else COVERED.
    n_seen : number of background rows that one row is held against to find the leaves that matter
        (`walks`); 0 in the path-dependent game, without deep leaves, or where rows are too many
    seen : uint64; for each node which of these rows go left, as bits, (n_nodes * n_words,)
    ratios : float64 (n_slots,); the cover ratio of each slot in the path-dependent game, or
        empty in the interventional one.
    """

    tree_group: np.ndarray
    cond_start: np.ndarray
    cond_node: np.ndarray
    cond_flip: np.ndarray
    cond_bit: np.ndarray
    target_start: np.ndarray
    target: np.ndarray
    table_start: np.ndarray
    table: np.ndarray
    tree_deep: np.ndarray
    deep_leaf: np.ndarray
    deep_start: np.ndarray
    patterns: np.ndarray
    shares: np.ndarray
    mask_start: np.ndarray
    masks: np.ndarray
    deep_of: np.ndarray
    n_seen: int
    seen: np.ndarray
    ratios: np.ndarray


def share_table() -> np.ndarray:
    """Tabulate ``a! b! / (a + b + 1)!``, the weight of one player among a + b others."""
    sizes = range(65)
    return np.array([[1.0 / ((a + b + 1) * comb(a + b, a)) for b in sizes] for a in sizes])


def quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points and weights on [0, 1]: row n has the n-point rule, n up to 32."""
    points, weights = np.zeros((33, 33)), np.zeros((33, 33))
    for n in range(1, 33):
        x, w = np.polynomial.legendre.leggauss(n)
        points[n, :n], weights[n, :n] = (x + 1.0) / 2.0, w / 2.0
    return points, weights


SHARES = share_table()
POINTS, POINT_WEIGHTS = quadrature()


def build_groups(
    ensemble: TreeEnsemble,
    paths: Paths,
    player_of: np.ndarray,
    *,
    block: np.ndarray,
    weights: np.ndarray,
    ratios: np.ndarray,
    memory: int | None,
) -> Groups:
    """Cut the trees into groups and fill their tables.

    Parameters
    ----------
    block : float64 (n_columns, n_background)
    weights : float64 (n_background,); empty in the path-dependent game
    ratios : float64 (n_slots,); empty in the interventional game
    memory : bytes that the tables may take; None makes no tables, so that every leaf is deep

    Raises
    ------
    ShapleyError
        A memory cap that is not positive.
    """
    from pellucid.shapley import filling, planning

    if memory is not None and memory <= 0:
        raise ShapleyError(f"memory is {memory}; expected a positive number of bytes")
    trees, width = ensemble, ensemble.value.shape[1]
    parent = planning.find_parents(trees.left, trees.right)
    question = questions(trees)
    if memory is None:
        state = np.where(trees.feature < 0, np.uint8(2), np.uint8(0))
    else:
        state = _plan(trees, parent, question, player_of, memory)
    starts = np.flatnonzero(state == 1)
    leaf_group = np.zeros(len(paths.leaf_node), dtype=np.int64)
    planning.assign_leaves(state, parent, paths.leaf_node, leaf_group)
    deep_leaf = np.flatnonzero(leaf_group < 0)
    node_output = np.repeat(trees.tree_output, np.diff(trees.tree_bounds))
    cond_start = np.zeros(len(starts) + 1, dtype=np.int64)
    target_start, table_start = np.zeros_like(cond_start), np.zeros_like(cond_start)
    n_path_bits = np.zeros(len(starts), dtype=np.int64)

    def lay_out(n_conds: int, n_targets: int) -> tuple[tuple[int, int, int], list[np.ndarray]]:
        conds = [np.zeros(n_conds, kind) for kind in (np.int32, np.uint8, np.uint8)]
        target = np.zeros(n_targets, np.int32)
        counts = planning.lay_out_groups(
            starts, MOST_BITS, width, trees.n_outputs, parent, trees.feature, question, trees.left,
            trees.right, player_of, node_output, cond_start, *conds,
            n_path_bits, target_start, target, table_start,
        )  # fmt: skip
        return counts, [*conds, target]

    (n_conds, n_targets, n_cells), _ = lay_out(0, 0)
    _, (cond_node, cond_flip, cond_bit, target) = lay_out(n_conds, n_targets)
    table = np.zeros(n_cells)
    deep_start = np.zeros(len(deep_leaf) + 1, dtype=np.int64)
    patterns, shares = filling.fill_tables(
        block, weights, ratios, POINTS, POINT_WEIGHTS, trees.tree_bounds, trees.tree_output,
        paths.tree_leaf, paths.leaf_node, paths.cond_start, paths.cond_node, paths.cond_left,
        paths.cond_slot, paths.slot_start, paths.slot_player, leaf_group, cond_start, cond_node,
        cond_bit, n_path_bits, target_start, target, table_start, trees.n_outputs, MOST_BITS,
        SHARES, question, trees.feature, trees.threshold, trees.flags, trees.cat_start,
        trees.cat_size, trees.cat_bits, trees.value, deep_start, table,
    )  # fmt: skip
    mask_start = np.zeros_like(deep_start)
    masks = np.zeros(0, dtype=np.uint64)
    if len(patterns):
        deep = (deep_leaf, paths.slot_start, deep_start, patterns, mask_start)
        masks = np.zeros(filling.fill_masks(*deep, masks), dtype=np.uint64)
        filling.fill_masks(*deep, masks)
    deep_of = np.where(state == 0, np.int32(planning.INNER), np.int32(planning.COVERED))
    deep_of[paths.leaf_node[deep_leaf]] = np.arange(len(deep_leaf))
    n_seen = len(weights) if len(deep_leaf) and len(weights) <= _MOST_SEEN else 0
    seen = np.zeros(trees.n_nodes * (-(-n_seen // 64)), dtype=np.uint64)
    if n_seen:
        filling.fill_seen(
            block, trees.feature, trees.threshold, trees.flags, trees.cat_start, trees.cat_size,
            trees.cat_bits, seen,
        )  # fmt: skip
    return Groups(
        tree_group=np.searchsorted(starts, trees.tree_bounds),
        cond_start=cond_start, cond_node=cond_node, cond_flip=cond_flip, cond_bit=cond_bit,
        target_start=target_start, target=target, table_start=table_start, table=table,
        tree_deep=np.searchsorted(deep_leaf, paths.tree_leaf),
        deep_leaf=deep_leaf, deep_start=deep_start, patterns=patterns, shares=shares,
        mask_start=mask_start, masks=masks, deep_of=deep_of, n_seen=n_seen, seen=seen,
        ratios=ratios,
    )  # fmt: skip


def questions(trees: TreeEnsemble) -> np.ndarray:
    """Number the splits of each node, int32 (n_nodes,): equal where they divide rows equally.

    Equal sets of categories are one question, wherever their bits lie.
    """
    sets = np.zeros(trees.n_nodes, dtype=np.int64)
    nodes = np.flatnonzero(trees.cat_size)
    places = np.stack([trees.cat_start[nodes], trees.cat_size[nodes]], axis=1)
    distinct, where = np.unique(places, axis=0, return_inverse=True)
    known: dict[bytes, int] = {}
    number = [
        known.setdefault(trees.cat_bits[start : start + size].tobytes(), len(known) + 1)
        for start, size in distinct
    ]
    sets[nodes] = np.array(number, dtype=np.int64)[where.reshape(-1)]
    asked = (sets, trees.flags, trees.threshold, trees.feature)
    order = np.lexsort(asked)
    changes = np.zeros(trees.n_nodes, dtype=bool)
    for column in asked:
        changes[1:] |= column[order][1:] != column[order][:-1]
    question = np.empty(trees.n_nodes, dtype=np.int32)
    question[order] = np.cumsum(changes)
    return question


def _plan(
    trees: TreeEnsemble,
    parent: np.ndarray,
    question: np.ndarray,
    player_of: np.ndarray,
    memory: int,
) -> np.ndarray:
    """Cut where look-ups are fewest, at the lowest price of a byte whose tables fit."""
    from pellucid.shapley import planning

    def cut(price: float) -> tuple[np.ndarray, float]:
        state, size = planning.plan_groups(
            parent, trees.feature, question, trees.left, trees.right, player_of,
            trees.value.shape[1], MOST_BITS, _DEEP_COST, price,
        )  # fmt: skip
        return state, size

    price = 1e-5
    state, size = cut(price)
    while size > memory:
        price *= 2.0
        state, size = cut(price)
    return state

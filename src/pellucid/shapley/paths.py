"""The path of each leaf, with its conditions merged by player.

The leaf is reached when every player on its path meets its merged condition; this conjunction is
all that a game needs to know of a tree (shapley values of a product game).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.trees import TreeEnsemble

MAX_SLOTS = 64  # a pattern is one machine word


@dataclass(frozen=True, eq=False)
class Paths:
    """Leaves in tree order; slots are the distinct players of one path.

    tree_leaf : int64 (n_trees + 1,); leaves of tree t are tree_leaf[t] .. tree_leaf[t + 1].
    leaf_node : int32 (n_leaves,)
    cond_start : int64 (n_leaves + 1,)
    cond_node : int32, cond_left : uint8, cond_slot : uint8 (n_conditions,)
    slot_start : int64 (n_leaves + 1,)
    slot_player : int32 (n_slots,)
    """

    tree_leaf: np.ndarray
    leaf_node: np.ndarray
    cond_start: np.ndarray
    cond_node: np.ndarray
    cond_left: np.ndarray
    cond_slot: np.ndarray
    slot_start: np.ndarray
    slot_player: np.ndarray


def find_paths(ensemble: TreeEnsemble, player_of: np.ndarray) -> Paths:
    """Follow every leaf to its root.

    Parameters
    ----------
    ensemble : TreeEnsemble
    player_of : ndarray of int32, (n_columns,)

    Raises
    ------
    ShapleyError
        A path with more than 64 distinct players.
    """
    from pellucid.shapley import kernels

    n_leaves, n_conditions, deepest = kernels.count_paths(
        ensemble.roots, ensemble.feature, ensemble.left, ensemble.right
    )
    tree_leaf = np.zeros(ensemble.n_trees + 1, dtype=np.int64)
    leaf_node = np.zeros(n_leaves, dtype=np.int32)
    cond_start = np.zeros(n_leaves + 1, dtype=np.int64)
    cond_node = np.zeros(n_conditions, dtype=np.int32)
    cond_left = np.zeros(n_conditions, dtype=np.uint8)
    cond_slot = np.zeros(n_conditions, dtype=np.uint8)
    slot_start = np.zeros(n_leaves + 1, dtype=np.int64)
    slot_player = np.zeros(n_conditions, dtype=np.int32)
    n_slots = kernels.fill_paths(
        ensemble.tree_bounds, ensemble.feature, ensemble.left, ensemble.right, player_of, deepest,
        tree_leaf, leaf_node, cond_start, cond_node, cond_left, cond_slot, slot_start, slot_player,
    )  # fmt: skip
    most = int(np.diff(slot_start).max(initial=0))
    if most > MAX_SLOTS:
        raise ShapleyError(
            f"a path of the {ensemble.library} model tests {most} distinct players; expected at "
            f"most {MAX_SLOTS}: limit the depth of the trees, or join columns into fewer players"
        )
    return Paths(
        tree_leaf, leaf_node, cond_start, cond_node, cond_left, cond_slot, slot_start,
        slot_player[:n_slots].copy(),
    )  # fmt: skip


def path_ratios(ensemble: TreeEnsemble, paths: Paths) -> np.ndarray:
    """Cover ratios of each slot of each leaf, multiplied over its conditions: (n_slots,).

    Raises
    ------
    ShapleyError
        A model that does not say how many rows reached its nodes.
    """
    from pellucid.shapley import kernels

    inner = ensemble.feature >= 0
    if not np.isfinite(ensemble.cover).all() or (ensemble.cover[inner] <= 0).any():
        raise ShapleyError(
            f"the {ensemble.library} model does not hold the cover of its nodes, which the "
            "path-dependent game needs; give background rows for the interventional game"
        )
    ratios = np.ones(len(paths.slot_player))
    kernels.multiply_ratios(
        paths.cond_start, paths.cond_node, paths.cond_left, paths.cond_slot, paths.slot_start,
        ensemble.left, ensemble.right, ensemble.cover, ratios,
    )  # fmt: skip
    return ratios


def path_base(ensemble: TreeEnsemble, paths: Paths, ratios: np.ndarray) -> np.ndarray:
    """Mean margin when every branch is taken by its cover ratio, (n_outputs,)."""
    reach = np.ones(len(paths.leaf_node))
    leaf_of_slot = np.repeat(np.arange(len(reach)), np.diff(paths.slot_start))
    np.multiply.at(reach, leaf_of_slot, ratios)
    base = ensemble.intercept.copy()
    output = np.repeat(ensemble.tree_output, np.diff(paths.tree_leaf))
    for j in range(ensemble.value.shape[1]):
        np.add.at(base, output + j, reach * ensemble.value[paths.leaf_node, j])
    return base / ensemble.divisor

"""Leaves that hold linear models: what they add beyond a constant, exactly.

A linear leaf gives ``value`` when one of its columns is NaN, and ``const + sum coef_j x_j``
otherwise. So it is a constant leaf of ``value``, which the tables hold, plus a correction on a
longer path: the conditions of the leaf and "column j is there" for each j. The correction is a
sum of product games:

- ``const - value``, a constant leaf;
- ``coef_j x_j`` where the player of j is present: the leaf's game with the background never
  meeting that player's condition, times the row's own ``x_j``;
- ``coef_j z_j`` where it is absent: the game with the row never meeting it, with background rows
  weighted by their ``z_j``.

Each has the Shapley values of `lookup.interventional_values`. The path-dependent game has no
value for ``x_j`` of an absent player, so linear leaves need background rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.groups import SHARES
from pellucid.shapley.paths import MAX_SLOTS, Paths
from pellucid.shapley.trees import LinearLeaves, TreeEnsemble


@dataclass(frozen=True, eq=False)
class Slopes:
    """Linear leaves, with the background as each sees it.

    leaf : int64 (n_linear,); positions in `Paths`.
    slot_start : int64 (n_linear + 1,); slot_player : int32; players of the path, then those of the
        columns that the path does not test.
    column_slot : int32 (n_terms,); the slot of each term's column, terms as in `LinearLeaves`.
    patterns : uint64 (n_linear, n_background); slots that each background row meets.
    background : float64 (n_columns, n_background); zero for NaN, which no term reads.
    weights : float64 (n_background,)
    """

    leaf: np.ndarray
    slot_start: np.ndarray
    slot_player: np.ndarray
    column_slot: np.ndarray
    patterns: np.ndarray
    background: np.ndarray
    weights: np.ndarray


def find_slopes(
    ensemble: TreeEnsemble,
    linear: LinearLeaves,
    paths: Paths,
    player_of: np.ndarray,
    *,
    block: np.ndarray,
    weights: np.ndarray,
) -> Slopes:
    """Extend the paths of the linear leaves, and see which slots the background rows meet.

    Raises
    ------
    ShapleyError
        A path and its columns with more than 64 distinct players.
    """
    from pellucid.shapley import linear_leaves

    sizes = np.diff(linear.start)[paths.leaf_node]
    offset = (linear.const != ensemble.value[:, 0])[paths.leaf_node]
    leaf = np.flatnonzero((sizes > 0) | offset)
    slots: list[np.ndarray] = []
    column_slot = np.zeros(len(linear.column), dtype=np.int32)
    for at in leaf:
        players = paths.slot_player[paths.slot_start[at] : paths.slot_start[at + 1]].tolist()
        node = paths.leaf_node[at]
        for term in range(linear.start[node], linear.start[node + 1]):
            player = int(player_of[linear.column[term]])
            if player not in players:
                players.append(player)
            column_slot[term] = players.index(player)
        slots.append(np.array(players, dtype=np.int32))
    counts = np.array([len(players) for players in slots], dtype=np.int64)
    if counts.max(initial=0) > MAX_SLOTS:
        raise ShapleyError(
            f"a linear leaf of the {ensemble.library} model depends on {counts.max()} distinct "
            f"players; expected at most {MAX_SLOTS}: join columns into fewer players"
        )
    found = Slopes(
        leaf=leaf,
        slot_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        slot_player=np.concatenate([*slots, np.zeros(0, np.int32)]).astype(np.int32),
        column_slot=column_slot,
        patterns=np.zeros((len(leaf), block.shape[1]), dtype=np.uint64),
        background=np.where(np.isnan(block), 0.0, block),
        weights=weights,
    )
    linear_leaves.failed_slots(
        block, *_nodes(ensemble), *_conditions(paths), *_terms(linear), found.leaf,
        found.slot_start, found.column_slot, paths.leaf_node, found.patterns,
    )  # fmt: skip
    np.invert(found.patterns, out=found.patterns)
    return found


def add_slopes(
    ensemble: TreeEnsemble, paths: Paths, slopes: Slopes, block: np.ndarray, out: np.ndarray
) -> None:
    """Add the corrections for the rows of ``block`` (n_columns, n_rows) to ``out``.

    ``out`` is (n_players * n_outputs, n_rows), contiguous.
    """
    from pellucid.shapley import linear_leaves

    linear = ensemble.linear
    assert linear is not None
    failed = np.zeros((len(slopes.leaf), block.shape[1]), dtype=np.uint64)
    linear_leaves.failed_slots(
        block, *_nodes(ensemble), *_conditions(paths), *_terms(linear), slopes.leaf,
        slopes.slot_start, slopes.column_slot, paths.leaf_node, failed,
    )  # fmt: skip
    output = np.repeat(ensemble.tree_output, np.diff(paths.tree_leaf))[slopes.leaf]
    linear_leaves.add_linear_leaves(
        block, failed, slopes.patterns, slopes.background, slopes.weights, *_terms(linear),
        linear.coef, linear.const, ensemble.value, slopes.leaf, slopes.slot_start,
        slopes.slot_player, slopes.column_slot, paths.leaf_node, output, SHARES,
        ensemble.n_outputs, out,
    )  # fmt: skip


def _nodes(trees: TreeEnsemble) -> tuple[np.ndarray, ...]:
    return (
        trees.feature, trees.threshold, trees.flags, trees.cat_start, trees.cat_size,
        trees.cat_bits,
    )  # fmt: skip


def _conditions(paths: Paths) -> tuple[np.ndarray, ...]:
    return paths.cond_start, paths.cond_node, paths.cond_left, paths.cond_slot


def _terms(linear: LinearLeaves) -> tuple[np.ndarray, np.ndarray]:
    return linear.start, linear.column

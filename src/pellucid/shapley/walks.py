"""How one row goes down to the leaves that have no table, written out once.

The players, slots and background rows of a path do not depend on the row that is explained, so each
step down is a record, in the order of a walk that goes left first. What remains for a row is
whether it goes that way, and which background rows are left; where none is, the walk goes on behind
the subtree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.shapley.compiled import kernel
from pellucid.shapley.planning import INNER
from pellucid.shapley.trees import TreeEnsemble


@dataclass(frozen=True, eq=False)
class Walk:
    """Steps above deep leaves, tree by tree; n_words = ceil(background rows held / 64).

    tree_step : int64 (n_trees + 1,)
    node : int32 (n_steps,); the split that the step comes from
    goes_left : uint8 (n_steps,); which way it goes
    depth : uint8 (n_steps,); 1 below the root
    slot : uint8 (n_steps,); of the split's player on this path
    behind : int32 (n_steps,); the first step that is not below this one
    deep : int32 (n_steps,); position among the deep leaves of the one that it reaches, else INNER
    met : uint64 (n_steps * n_words,); background rows that meet this condition and those that the
        same player has above, as bits
    """

    tree_step: np.ndarray
    node: np.ndarray
    goes_left: np.ndarray
    depth: np.ndarray
    slot: np.ndarray
    behind: np.ndarray
    deep: np.ndarray
    met: np.ndarray


def lay_out_walk(
    trees: TreeEnsemble,
    player_of: np.ndarray,
    deep_of: np.ndarray,
    seen: np.ndarray,
    *,
    deepest: int,
) -> Walk:
    """Write the steps out.

    Parameters
    ----------
    player_of : int32 (n_columns,)
    deep_of, seen : as in `groups.Groups`
    deepest : splits on the longest path
    """
    n_words = len(seen) // max(1, trees.n_nodes)
    bounds = trees.tree_bounds
    nodes = (trees.feature, trees.left, trees.right, player_of, deep_of, seen)
    tree_step = np.zeros(len(bounds), dtype=np.int64)
    n_steps = _write_steps(bounds, *nodes, n_words, deepest, tree_step, *_steps(0, 0))
    steps = _steps(n_steps, n_words)
    _write_steps(bounds, *nodes, n_words, deepest, tree_step, *steps)
    return Walk(tree_step, *steps)


def _steps(n_steps: int, n_words: int) -> tuple[np.ndarray, ...]:
    small = [np.zeros(n_steps, dtype=kind) for kind in (np.int32, *[np.uint8] * 3)]
    return (
        *small,
        np.zeros(n_steps, dtype=np.int32),
        np.zeros(n_steps, dtype=np.int32),
        np.zeros(n_steps * n_words, dtype=np.uint64),
    )


@kernel
def _write_steps(  # type: ignore[no-untyped-def]
    bounds, feature, left, right, player_of, deep_of, seen, n_words, deepest,
    tree_step, step_node, step_left, step_depth, step_slot, behind, deep, met,
):  # fmt: skip
    """Count the steps, and write them where there is room for them."""
    writing = len(step_node) > 0
    wanted = deep_of >= 0
    for node in range(len(feature) - 1, -1, -1):  # a parent comes before its children
        if deep_of[node] == INNER:
            wanted[node] = wanted[left[node]] or wanted[right[node]]
    stack, depths = np.empty(deepest + 2, np.int64), np.empty(deepest + 2, np.int64)
    path, player, n_slots = np.empty_like(stack), np.empty_like(stack), np.empty_like(stack)
    step_at = np.empty_like(stack)
    step, n_slots[0] = 0, 0
    for tree in range(len(bounds) - 1):
        tree_step[tree] = step
        if bounds[tree] == bounds[tree + 1] or not wanted[bounds[tree]]:
            continue
        stack[0], depths[0], top, within = bounds[tree], 0, 1, 0
        while top > 0:
            top -= 1
            node, depth = stack[top], depths[top]
            path[depth] = node
            if depth > 0:
                if writing:
                    for above in range(depth, within + 1):
                        behind[step_at[above]] = step
                    up = path[depth - 1]
                    player[depth] = player_of[feature[up]]
                    came = depth - 1
                    while came > 0 and player[came] != player[depth]:
                        came -= 1
                    n_slots[depth] = n_slots[depth - 1] + (came == 0)
                    slot = step_slot[step_at[came]] if came > 0 else n_slots[depth - 1]
                    step_node[step], step_left[step] = up, left[up] == node
                    step_depth[step], step_slot[step] = depth, slot
                    deep[step] = deep_of[node]
                    for word in range(n_words):
                        meets = seen[up * n_words + word]
                        if left[up] != node:
                            meets = ~meets
                        if came > 0:
                            meets &= met[step_at[came] * n_words + word]
                        met[step * n_words + word] = meets
                    step_at[depth], within = step, depth
                step += 1
            if deep_of[node] == INNER:
                for child in (right[node], left[node]):
                    if wanted[child]:
                        stack[top], depths[top] = child, depth + 1
                        top += 1
        for above in range(1, within + 1):
            behind[step_at[above]] = step
    tree_step[len(bounds) - 1] = step
    return step

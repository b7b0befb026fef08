"""The Numba loops that explain one row: those of `lookup` without blocks.

They add the same numbers in the same order, so a row alone gives the bits that it has in a batch.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import prefetch
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import goes_left
from pellucid.shapley.lookup import interventional_values, path_values
from pellucid.shapley.trees import CATEGORICAL, MISSING_LEFT, ZERO_MISSING

AHEAD = 4  # trees between asking for a table's lines and using them
NEAR = 4  # deep leaves between asking for their background patterns and using them


@kernel
def live_leaves(
    first, behind_last, sides, step_node, step_left, step_depth, step_slot, behind, deep, met,
    n_words, failed, alive, live, live_failed,
):  # fmt: skip
    """Write to ``live`` the deep leaves of a walk that some background row matters to; count them.

    Where the row fails a player's conditions so far only those background rows stay ``alive``, by
    depth, that meet them, and a subtree that has none left is zero for all its players. With no
    words of them nothing is left out. ``live_failed`` are the slots whose conditions the row fails.
    """
    count, step = 0, first
    while step < behind_last:
        depth, slot = np.int64(step_depth[step]), np.uint64(step_slot[step])
        wrong = np.uint64(sides[step_node[step]] ^ step_left[step])
        fails = failed[depth - 1] | wrong << slot
        at, above = depth * n_words, (depth - 1) * n_words
        if fails >> slot & np.uint64(1):
            some = n_words == 0
            for word in range(n_words):
                rest = alive[above + word] & met[step * n_words + word]
                alive[at + word] = rest
                some |= rest != 0
            if not some:
                step = behind[step]
                continue
        else:
            for word in range(n_words):
                alive[at + word] = alive[above + word]
        failed[depth] = fails
        live[count], live_failed[count] = deep[step], fails
        count += deep[step] >= 0
        step += 1
    return count


@kernel
def explain_row(
    row, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, mask_start, masks, leaf_node,
    slot_start, slot_player, ratios, points, point_weights, share_table, n_outputs, n_seen, deepest,
    tree_step, step_node, step_left, step_depth, step_slot, behind, step_deep, met, out,
):  # fmt: skip
    """Add the Shapley values of all trees for one row.

    ``out`` is (n_players * n_outputs,).
    """
    width, n_trees = value.shape[1], len(bounds) - 1
    sides = np.empty(len(feature), dtype=np.uint8)
    for node in range(len(feature)):
        if feature[node] < 0:
            continue
        x, flag = row[feature[node]], flags[node]
        if flag & (CATEGORICAL | ZERO_MISSING):
            words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
            sides[node] = goes_left(x, threshold[node], flag, words)
        elif flag & MISSING_LEFT:
            sides[node] = not (x > threshold[node])  # NaN is not greater
        else:
            sides[node] = x <= threshold[node]
    place = np.empty(tree_group[n_trees], dtype=np.int64)
    values, before = np.empty(64), np.empty(65)
    n_words = (n_seen + 63) >> 6
    failed = np.zeros(deepest + 2, dtype=np.uint64)
    alive = np.zeros((deepest + 2) * n_words, dtype=np.uint64)
    for row_held in range(n_seen):
        alive[row_held >> 6] |= np.uint64(1) << np.uint64(row_held & 63)
    most = 0
    for tree in range(n_trees):
        most = max(most, tree_deep[tree + 1] - tree_deep[tree])
    live, live_failed = np.empty(most + 1, np.int64), np.empty(most + 1, np.uint64)
    for ahead in range(n_trees + AHEAD):
        # large tables are far away: ask for their lines some trees before they are used
        for group in range(tree_group[min(ahead, n_trees)], tree_group[min(ahead + 1, n_trees)]):
            pattern = 0
            for cond in range(group_cond[group], group_cond[group + 1]):
                pattern |= np.int64(sides[group_node[cond]] ^ group_flip[cond]) << group_bit[cond]
            n_targets = target_start[group + 1] - target_start[group]
            place[group] = table_start[group] + pattern * n_targets
            for line in range(0, n_targets, 8):
                prefetch(table, place[group] + line)
            prefetch(table, place[group] + n_targets - 1)
        tree = ahead - AHEAD
        if tree < 0:
            continue
        for group in range(tree_group[tree], tree_group[tree + 1]):
            first, at = target_start[group], place[group]
            for k in range(target_start[group + 1] - first):
                out[target[first + k]] += table[at + k]
        n_live = 0
        if tree_deep[tree] < tree_deep[tree + 1]:
            n_live = live_leaves(
                tree_step[tree], tree_step[tree + 1], sides, step_node, step_left, step_depth,
                step_slot, behind, step_deep, met, n_words, failed, alive, live, live_failed,
            )  # fmt: skip
        for k in range(n_live):
            deep, near = live[k], live[min(k + NEAR, n_live - 1)]
            leaf = deep_leaf[deep]
            far = live[min(k + 2 * NEAR, n_live - 1)]
            prefetch(deep_start, far)
            prefetch(mask_start, far)
            prefetch(deep_leaf, far)
            prefetch(slot_start, deep_leaf[far])
            prefetch(leaf_node, deep_leaf[far])
            prefetch(slot_player, slot_start[deep_leaf[near]])
            prefetch(value, leaf_node[deep_leaf[near]] * width)
            for line in range(mask_start[near], mask_start[near + 1], 8):
                prefetch(masks, line)
            # those that match most rows come first
            for line in range(
                deep_start[near], min(deep_start[near] + 32, deep_start[near + 1]), 8
            ):
                prefetch(patterns, line)
                prefetch(shares, line)
            first = slot_start[leaf]
            n_here = slot_start[leaf + 1] - first
            touched = True
            if len(ratios) > 0:
                n_points = (n_here + 1) // 2
                path_values(
                    live_failed[k], ratios[first : first + n_here], points[n_points, :n_points],
                    point_weights[n_points, :n_points], before, values,
                )  # fmt: skip
            else:
                touched = interventional_values(
                    live_failed[k], n_here, deep_start[deep], deep_start[deep + 1], patterns,
                    shares, mask_start[deep], masks, share_table, values,
                )  # fmt: skip
            if touched:
                for j in range(width):
                    told = value[leaf_node[leaf], j]
                    if told != 0.0:  # a pure leaf of a forest speaks of one class
                        for slot in range(n_here):
                            column = slot_player[first + slot] * n_outputs + tree_output[tree] + j
                            out[column] += values[slot] * told

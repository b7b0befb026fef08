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
from pellucid.shapley.planning import INNER
from pellucid.shapley.trees import CATEGORICAL, MISSING_LEFT, ZERO_MISSING

AHEAD = 4  # trees between asking for a table's lines and using them
NEAR = 4  # deep leaves between asking for their background patterns and using them


@kernel
def live_leaves(
    root, sides, feature, left, right, player_of, deep_of, seen, n_seen, last, by_depth, failed,
    alive, met, live, live_failed,
):  # fmt: skip
    """Write to ``live`` the deep leaves that some background row matters to; give how many.

    The row goes down both branches. For each player on the path, ``met`` are the background rows
    that meet all its conditions so far; where the row fails one of them only those stay ``alive``,
    and a subtree that has none left is zero for all its players. ``seen`` holds for each node the
    background rows that go left, as bits; where it is empty nothing is left out. ``live_failed``
    are the slots whose conditions the row fails. ``last``, the depth where a player came last, is 0
    for each before and after.
    """
    stack, depths, path = by_depth[0], by_depth[1], by_depth[2]
    before, slot_of, n_slots = by_depth[3], by_depth[4], by_depth[5]
    n_words = (n_seen + 63) >> 6
    for word in range(n_words):
        alive[word] = ~np.uint64(0)
        if word == n_words - 1 and n_seen & 63:
            alive[word] = (np.uint64(1) << np.uint64(n_seen & 63)) - np.uint64(1)
    count, top, deepest = 0, 1, 0
    stack[0], depths[0], n_slots[0], failed[0] = root, 0, 0, 0
    while top > 0:
        top -= 1
        node, depth = stack[top], depths[top]
        while deepest > 0 and deepest >= depth:  # go back up to where this branch begins
            last[player_of[feature[path[deepest - 1]]]] = before[deepest]
            deepest -= 1
        if depth > 0:
            up, above = path[depth - 1], depth - 1
            goes_left_here = left[up] == node
            wrong = sides[up] != goes_left_here
            player = player_of[feature[up]]
            earlier = last[player]
            before[depth], last[player], deepest = earlier, depth, depth
            n_slots[depth] = n_slots[above]
            if earlier == 0:
                slot_of[depth] = n_slots[above]
                n_slots[depth] += 1
            else:
                slot_of[depth] = slot_of[earlier]
            failed[depth] = failed[above] | np.uint64(wrong) << np.uint64(slot_of[depth])
            fails = (failed[depth] >> np.uint64(slot_of[depth])) & np.uint64(1) != 0
            some = n_words == 0
            for word in range(n_words):
                meets = seen[up * n_words + word]
                if not goes_left_here:
                    meets = ~meets
                if earlier > 0:
                    meets &= met[earlier * n_words + word]
                met[depth * n_words + word] = meets
                rest = alive[above * n_words + word]
                if fails:
                    rest &= meets
                alive[depth * n_words + word] = rest
                some |= rest != 0
            if not some:
                continue
        path[depth] = node
        if deep_of[node] >= 0:
            live[count], live_failed[count] = deep_of[node], failed[depth]
            count += 1
        elif deep_of[node] == INNER:
            stack[top], depths[top] = right[node], depth + 1
            stack[top + 1], depths[top + 1] = left[node], depth + 1
            top += 2
    while deepest > 0:
        last[player_of[feature[path[deepest - 1]]]] = before[deepest]
        deepest -= 1
    return count


@kernel
def explain_row(
    row, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, mask_start, masks, leaf_node,
    slot_start, slot_player, ratios, points, point_weights, share_table, n_outputs, left, right,
    player_of, n_players, deep_of, seen, n_seen, deepest, out,
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
    n_words, last = (n_seen + 63) >> 6, np.zeros(n_players, dtype=np.int64)
    by_depth = np.empty((6, deepest + 2), dtype=np.int64)
    failed = np.empty(deepest + 2, dtype=np.uint64)
    alive = np.empty((deepest + 2) * n_words, dtype=np.uint64)
    met = np.empty_like(alive)
    most = 0
    for tree in range(n_trees):
        most = max(most, tree_deep[tree + 1] - tree_deep[tree])
    live, live_failed = np.empty(most, np.int64), np.empty(most, np.uint64)
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
                bounds[tree], sides, feature, left, right, player_of, deep_of, seen, n_seen, last,
                by_depth, failed, alive, met, live, live_failed,
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

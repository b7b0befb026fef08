"""The Numba loop that explains blocks of rows from tables, tree by tree.

`one_row` explains a single row, by the same sums in the same order. Two sets of players are
explained in one pass: splits are asked once, and groups that ask the same, as most do, have the
same patterns and often the same table, whose entries are still near.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import hash_size, largest_tree, split_block
from pellucid.shapley.lookup import (
    deep_table,
    failed_patterns,
    group_patterns,
    look_up,
    look_up_some,
    most_slots,
    number_patterns,
)


@kernel
def make_room(n_rows, width, deep_leaf, slot_start):
    """What `add_tree` writes to for its own use, for blocks of so many rows."""
    deepest = most_slots(deep_leaf, slot_start)
    n_seen = n_rows if len(deep_leaf) > 0 else 0
    return (
        np.empty(n_rows, dtype=np.uint16),
        np.empty(n_seen, dtype=np.uint64),
        np.empty(n_seen, dtype=np.uint64),
        np.empty(hash_size(n_seen), dtype=np.int32),
        np.empty(64),
        np.empty(deepest * width, dtype=np.int32),
        np.empty(width, dtype=np.int64),
        np.empty(width),
        np.empty(n_seen * deepest * width),
        np.empty(n_seen, dtype=np.uint8),
        np.empty(n_seen, dtype=np.int64),
    )


@kernel
def add_tree(
    tree, start, output, sides, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, mask_start, masks, leaf_node,
    cond_start, cond_node, cond_left, cond_slot, slot_start, slot_player, ratios, points,
    point_weights, share_table, n_outputs, room, twin, theirs, kept, out,
):  # fmt: skip
    """Add the Shapley values of one tree, whose splits went as ``sides`` has it, to ``out``.

    A group whose ``twin`` is not negative has the patterns that are in ``theirs`` at that place;
    those of the others are left in ``kept`` at their own, the last one's at its end.
    """
    row_patterns, failed, found, slots, values, targets, told, weight, small, live, told_rows = room
    n_rows, width, first = sides.shape[1], value.shape[1], tree_group[tree]
    for group in range(first, tree_group[tree + 1]):
        if twin[group] >= 0:
            group_bits = theirs[twin[group]]
        else:
            group_bits = kept[min(group - first, len(kept) - 1)]
            group_patterns(
                start, group_cond[group], group_cond[group + 1], group_node, group_flip,
                group_bit, sides, group_bits,
            )  # fmt: skip
        look_up(
            group_bits, table[table_start[group] :],
            target[target_start[group] : target_start[group + 1]], out,
        )  # fmt: skip
    for deep in range(tree_deep[tree], tree_deep[tree + 1]):
        leaf = deep_leaf[deep]
        failed_patterns(
            start, cond_start[leaf], cond_start[leaf + 1], cond_node, cond_left, cond_slot,
            sides, failed,
        )  # fmt: skip
        slots[:] = -1
        count = number_patterns(failed, slots, row_patterns, found)
        n_slots = slot_start[leaf + 1] - slot_start[leaf]
        n_points = (n_slots + 1) // 2
        # a pure leaf of a forest speaks of one class
        n_told = 0
        for j in range(width):
            if value[leaf_node[leaf], j] != 0.0:
                told[n_told], weight[n_told] = j, value[leaf_node[leaf], j]
                n_told += 1
        deep_table(
            found, count, n_slots, deep_start[deep], deep_start[deep + 1], patterns, shares,
            mask_start[deep], masks, share_table,
            ratios[slot_start[leaf] : slot_start[leaf + 1]], points[n_points, :n_points],
            point_weights[n_points, :n_points], weight[:n_told], values, small, live,
        )  # fmt: skip
        n_rows_told = 0  # to most rows a leaf of a deep tree says nothing
        for row in range(n_rows):
            told_rows[n_rows_told] = row
            n_rows_told += live[row_patterns[row]]
        for slot in range(n_slots):
            player = slot_player[slot_start[leaf] + slot]
            for k in range(n_told):
                targets[slot * n_told + k] = player * n_outputs + output + told[k]
        n_targets = n_slots * n_told
        if 2 * n_rows_told < n_rows:
            look_up_some(told_rows, n_rows_told, row_patterns, small, targets[:n_targets], out)
            continue
        for k in range(count):
            if not live[k]:
                small[k * n_targets : (k + 1) * n_targets] = 0.0
        look_up(row_patterns, small, targets[:n_targets], out)


@kernel
def explain_block(
    block, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    one, other, twin, n_kept, out, other_out,
):  # fmt: skip
    """Add the Shapley values of all trees for the rows of ``block`` (n_columns, n_rows).

    ``one`` and ``other`` are the tables of two sets of players, as `add_tree` takes them from
    ``tree_group`` to ``n_outputs``; ``twin`` tells which patterns of groups they have in common,
    of the first ``n_kept`` of a tree. Without players in ``other_out`` only ``one`` is asked.

    ``out`` is (n_players * n_outputs, n_rows), so that each look-up runs along contiguous rows.
    """
    n_rows, width = block.shape[1], value.shape[1]
    sides = np.zeros((largest_tree(bounds), n_rows), dtype=np.uint8)
    kept, spare = np.empty((n_kept, n_rows), np.uint16), np.empty((1, n_rows), np.uint16)
    room = make_room(n_rows, width, one[10], one[21])
    other_room = make_room(n_rows if len(other_out) > 0 else 0, width, other[10], other[21])
    alone = np.full(len(one[1]), -1, dtype=np.int32)
    for tree in range(len(bounds) - 1):
        start, output = bounds[tree], tree_output[tree]
        split_block(
            block, start, bounds[tree + 1], feature, threshold, flags, cat_start, cat_size,
            cat_bits, sides,
        )  # fmt: skip
        add_tree(tree, start, output, sides, value, *one, room, alone, kept, kept, out)
        if len(other_out) > 0:
            add_tree(
                tree, start, output, sides, value, *other, other_room, twin, kept, spare, other_out
            )

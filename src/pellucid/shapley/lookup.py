"""The Numba loops that explain blocks of rows from tables, tree by tree.

`one_row` explains a single row, by the same sums in the same order.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import lowest_bit, popcount
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import hash_size, largest_tree, split_block


@kernel
def group_patterns(start, first, last, cond_node, cond_flip, cond_bit, sides, patterns):
    """``patterns[row]``: the group's bits; conditions of one player join by OR of failures."""
    patterns[:] = 0
    for cond in range(first, last):
        side = sides[cond_node[cond] - start]
        flip = cond_flip[cond]
        # a product, unlike a shift, stays in 16 bits and so in short vector lanes
        worth = np.uint16(1 << cond_bit[cond])
        for row in range(len(patterns)):
            patterns[row] |= np.uint16(side[row] ^ flip) * worth


@kernel
def failed_patterns(start, first, last, cond_node, cond_left, cond_slot, sides, patterns):
    """``patterns[row]``: bit i is set when the row fails a condition of the leaf's slot i."""
    patterns[:] = 0
    for cond in range(first, last):
        side = sides[cond_node[cond] - start]
        wanted, slot = cond_left[cond], np.uint64(cond_slot[cond])
        for row in range(len(patterns)):
            patterns[row] |= np.uint64(side[row] ^ wanted) << slot


@kernel
def most_slots(leaves, slot_start):
    """Slots of the leaf that has most, at least one."""
    most = 1
    for leaf in leaves:
        most = max(most, slot_start[leaf + 1] - slot_start[leaf])
    return most


@kernel
def look_up(patterns, table, targets, out):
    """Add to ``out[target, row]`` the table's entry for the row's pattern."""
    n_targets = len(targets)
    for k in range(n_targets):
        sums = out[targets[k]]
        for row in range(len(patterns)):
            sums[row] += table[np.int64(patterns[row]) * n_targets + k]


@kernel
def look_up_some(rows, count, patterns, table, targets, out):
    """The same, for the first ``count`` of ``rows`` only."""
    n_targets = len(targets)
    for k in range(n_targets):
        sums = out[targets[k]]
        for i in range(count):
            sums[rows[i]] += table[np.int64(patterns[rows[i]]) * n_targets + k]


@kernel
def number_patterns(patterns, slots, numbers, found):
    """Number the distinct patterns in order of appearance; ``slots`` is an empty hash table."""
    mask = np.uint64(len(slots) - 1)
    count = 0
    for row in range(len(patterns)):
        pattern = patterns[row]
        at = ((pattern * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
        while slots[at] >= 0 and found[slots[at]] != pattern:
            at = (at + np.uint64(1)) & mask
        if slots[at] < 0:
            slots[at] = count
            found[count] = pattern
            count += 1
        numbers[row] = slots[at]
    return count


@kernel
def interventional_values(
    failed, n_slots, first, last, patterns, shares, mask, masks, share_table, values
):
    """Write to ``values`` the interventional values of a leaf of weight one; give if any is not 0.

    B is what the row fails. A background pattern c (bit i: meets condition i), one of
    ``patterns[first:last]``, counts when it meets all of B; A is what c fails. ``masks`` holds for
    each slot the patterns that meet it, as bits, from ``mask`` on. The formulas are those of
    `filling.interventional_leaf`. Offsets instead of slices: a slice counts references.
    """
    n_words = (last - first + 63) >> 6
    full = ~np.uint64(0) >> np.uint64(64 - n_slots)
    n_theirs = popcount(failed)
    loss, touched = 0.0, False
    for word in range(n_words):
        alive = ~np.uint64(0)
        if word == n_words - 1 and (last - first) & 63:
            alive = (np.uint64(1) << np.uint64((last - first) & 63)) - np.uint64(1)
        rest = failed
        while rest:
            alive &= masks[mask + lowest_bit(rest) * n_words + word]
            rest &= rest - np.uint64(1)
        if alive and not touched:
            touched = True
            for slot in range(n_slots):
                values[slot] = 0.0
        while alive:
            k = first + 64 * word + lowest_bit(alive)
            alive &= alive - np.uint64(1)
            ours = full & ~patterns[k]
            n_ours = popcount(ours)
            if n_theirs > 0:
                loss += shares[k] * share_table[n_ours, n_theirs - 1]
            if n_ours > 0:
                gain = shares[k] * share_table[n_ours - 1, n_theirs]
                while ours:
                    values[lowest_bit(ours)] += gain
                    ours &= ours - np.uint64(1)
    if touched:
        rest = failed
        while rest:
            values[lowest_bit(rest)] = -loss
            rest &= rest - np.uint64(1)
    return touched


@kernel
def path_values(failed, ratios, points, point_weights, before, values):
    """Write to ``values`` the path-dependent values of a leaf of weight one.

    The formula is that of `filling.path_leaf`.
    """
    n_slots = len(ratios)
    values[:n_slots] = 0.0
    for q in range(len(points)):
        t = points[q]
        before[0] = 1.0
        for slot in range(n_slots):
            met = np.float64(((failed >> np.uint64(slot)) & np.uint64(1)) ^ np.uint64(1))
            before[slot + 1] = before[slot] * (t * met + (1.0 - t) * ratios[slot])
        after = point_weights[q]
        for slot in range(n_slots - 1, -1, -1):
            met = np.float64(((failed >> np.uint64(slot)) & np.uint64(1)) ^ np.uint64(1))
            values[slot] += before[slot] * after
            after *= t * met + (1.0 - t) * ratios[slot]
    for slot in range(n_slots):
        met = np.float64(((failed >> np.uint64(slot)) & np.uint64(1)) ^ np.uint64(1))
        values[slot] *= met - ratios[slot]


@kernel
def deep_table(
    found, count, n_slots, first, last, patterns, shares, mask, masks, share_table, ratios, points,
    point_weights, leaf_values, values, table, live,
):  # fmt: skip
    """Fill ``table`` with a deep leaf's values for each pattern that the rows of a block show.

    ``live`` tells of each pattern whether its values are not all zero; of others nothing is told.
    """
    width = len(leaf_values)
    before = np.empty(n_slots + 1)
    for k in range(count):
        if len(ratios) > 0:
            path_values(found[k], ratios, points, point_weights, before, values)
            touched = True
        else:
            touched = interventional_values(
                found[k], n_slots, first, last, patterns, shares, mask, masks, share_table, values
            )
        at, live[k] = k * n_slots * width, touched
        if touched:
            for slot in range(n_slots):
                for j in range(width):
                    table[at + slot * width + j] = values[slot] * leaf_values[j]


@kernel
def explain_block(
    block, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, mask_start, masks, leaf_node,
    cond_start, cond_node, cond_left, cond_slot, slot_start, slot_player, ratios, points,
    point_weights, share_table, n_outputs, out,
):  # fmt: skip
    """Add the Shapley values of all trees for the rows of ``block`` (n_columns, n_rows).

    ``out`` is (n_players * n_outputs, n_rows), so that each look-up runs along contiguous rows.
    """
    n_rows, width = block.shape[1], value.shape[1]
    deepest = most_slots(deep_leaf, slot_start)
    sides = np.zeros((largest_tree(bounds), n_rows), dtype=np.uint8)
    row_patterns = np.empty(n_rows, dtype=np.uint16)
    n_seen = n_rows if len(deep_leaf) > 0 else 0
    failed = np.empty(n_seen, dtype=np.uint64)
    found = np.empty(n_seen, dtype=np.uint64)
    slots = np.empty(hash_size(n_seen), dtype=np.int32)
    values, targets = np.empty(64), np.empty(deepest * width, dtype=np.int32)
    told, weight = np.empty(width, dtype=np.int64), np.empty(width)
    small, live = np.empty(n_seen * deepest * width), np.empty(n_seen, dtype=np.uint8)
    told_rows = np.empty(n_seen, dtype=np.int64)
    for tree in range(len(bounds) - 1):
        start = bounds[tree]
        split_block(
            block, start, bounds[tree + 1], feature, threshold, flags, cat_start, cat_size,
            cat_bits, sides,
        )  # fmt: skip
        for group in range(tree_group[tree], tree_group[tree + 1]):
            group_patterns(
                start, group_cond[group], group_cond[group + 1], group_node, group_flip,
                group_bit, sides, row_patterns,
            )  # fmt: skip
            look_up(
                row_patterns, table[table_start[group] :],
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
                    targets[slot * n_told + k] = player * n_outputs + tree_output[tree] + told[k]
            n_targets = n_slots * n_told
            if 2 * n_rows_told < n_rows:
                look_up_some(told_rows, n_rows_told, row_patterns, small, targets[:n_targets], out)
                continue
            for k in range(count):
                if not live[k]:
                    small[k * n_targets : (k + 1) * n_targets] = 0.0
            look_up(row_patterns, small, targets[:n_targets], out)

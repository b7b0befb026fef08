"""The Numba loops that fill the tables of groups, and list the backgrounds of deep leaves."""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import popcount
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import (
    distinct_patterns,
    hash_size,
    largest_tree,
    met_patterns,
    split_block,
)


@kernel
def interventional_leaf(patterns, shares, n_slots, share_table, table):
    """Fill ``table[b * n_slots + i]`` with player i's value at a leaf of weight one.

    With A = {b=1, c=0} and B = {b=0, c=1}: players in A gain (|A|-1)! |B|! / (|A|+|B|)!, players
    in B lose |A|! (|B|-1)! / (|A|+|B|)!, where b | c is full. Only such b are visited.
    """
    full = (np.uint64(1) << np.uint64(n_slots)) - np.uint64(1)
    table[: np.int64(full + np.uint64(1)) * n_slots] = 0.0
    for k in range(len(patterns)):
        other = patterns[k]
        ours = full & ~other
        n_ours = popcount(ours)
        both = other
        while True:  # subsets of the background's pattern, from all of it to none
            theirs = other & ~both
            n_theirs = popcount(theirs)
            at = np.int64(ours | both) * n_slots
            gain = shares[k] * share_table[n_ours - 1, n_theirs] if n_ours > 0 else 0.0
            loss = shares[k] * share_table[n_ours, n_theirs - 1] if n_theirs > 0 else 0.0
            for slot in range(n_slots):
                bit = np.uint64(slot)
                table[at + slot] += gain * np.float64((ours >> bit) & np.uint64(1))
                table[at + slot] -= loss * np.float64((theirs >> bit) & np.uint64(1))
            if both == 0:
                break
            both = (both - np.uint64(1)) & other
    return full


@kernel
def path_leaf(ratios, points, point_weights, table):
    """Fill ``table[b * n_slots + i]`` with player i's path-dependent value, leaf weight one.

    ``(b_i - r_i)`` times the integral over t in [0, 1] of the product over j != i of
    ``t b_j + (1 - t) r_j``: a polynomial, for which Gauss-Legendre points are exact.
    """
    n_slots = len(ratios)
    before = np.empty(n_slots + 1)
    for pattern in range(1 << n_slots):
        at = pattern * n_slots
        table[at : at + n_slots] = 0.0
        for q in range(len(points)):
            t = points[q]
            before[0] = 1.0
            for slot in range(n_slots):
                met = (pattern >> slot) & 1
                before[slot + 1] = before[slot] * (t * met + (1.0 - t) * ratios[slot])
            after = point_weights[q]
            for slot in range(n_slots - 1, -1, -1):
                met = (pattern >> slot) & 1
                table[at + slot] += before[slot] * after
                after *= t * met + (1.0 - t) * ratios[slot]
        for slot in range(n_slots):
            table[at + slot] *= ((pattern >> slot) & 1) - ratios[slot]


@kernel
def add_leaf(
    leaf_table, n_slots, leaf_players, leaf_values, conds, leaf_cond_node, leaf_cond_left,
    leaf_cond_slot, group_node, group_bit, n_path, targets, n_outputs, output,
    question, fails, table,
):  # fmt: skip
    """Add a leaf's table, over its own bits, to the table of its group, over the group's."""
    n_bits = 0
    for cond in range(len(group_bit)):
        n_bits = max(n_bits, group_bit[cond] + 1)
    if_clear = np.zeros(n_bits, dtype=np.uint32)
    if_set = np.zeros(n_bits, dtype=np.uint32)
    for cond in range(conds):
        node = leaf_cond_node[cond]
        failing = np.uint32(1) << np.uint32(leaf_cond_slot[cond])
        for k in range(len(group_node)):
            bit = group_bit[k]
            if bit < n_path:
                if group_node[k] == node:  # above the group: the bit says "fails"
                    if_set[bit] |= failing
                    break
            elif question[group_node[k]] == question[node]:
                if leaf_cond_left[cond]:
                    if_clear[bit] |= failing
                else:
                    if_set[bit] |= failing
                break
    fails[0] = 0
    for bit in range(n_bits):
        half = 1 << bit
        for p in range(half):
            fails[half + p] = fails[p] | if_set[bit]
            fails[p] |= if_clear[bit]
    width = len(leaf_values)
    n_targets = len(targets)
    place = np.empty(n_slots, dtype=np.int64)
    for slot in range(n_slots):
        k = 0
        while targets[k] != leaf_players[slot] * n_outputs + output:
            k += width
        place[slot] = k
    full = np.uint32((1 << n_slots) - 1)
    for p in range(1 << n_bits):
        at = np.int64(full & ~fails[p]) * n_slots
        for slot in range(n_slots):
            value = leaf_table[at + slot]
            if value != 0.0:
                for j in range(width):
                    table[p * n_targets + place[slot] + j] += value * leaf_values[j]


@kernel
def put_fullest_first(patterns, shares, n_slots, ordered, ordered_shares):
    """Copy patterns by falling number of set bits: those that match most rows lie together."""
    at = 0
    for size in range(n_slots, -1, -1):
        for k in range(len(patterns)):
            if popcount(patterns[k]) == size:
                ordered[at], ordered_shares[at] = patterns[k], shares[k]
                at += 1


@kernel
def fill_tables(
    block, weights, ratios, points, point_weights, bounds, tree_output, tree_leaf, leaf_node,
    cond_start, cond_node, cond_left, cond_slot, slot_start, slot_player, leaf_group,
    group_cond, group_node, group_bit, group_path, target_start, target, table_start,
    n_outputs, most, share_table, question, feature, threshold, flags, cat_start, cat_size,
    cat_bits, value, deep_start, table,
):  # fmt: skip
    """Fill the tables of all groups; give the background patterns of the deep leaves.

    With background rows (``weights`` not empty) the game is interventional; without, it is
    path-dependent, with ``ratios`` for each slot of each leaf.
    """
    n_rows = len(weights)
    sides = np.zeros((largest_tree(bounds), n_rows), dtype=np.uint8)
    slots = np.empty(hash_size(n_rows), dtype=np.int64)
    row_patterns = np.empty(n_rows, dtype=np.uint64)
    found, found_share = np.empty(n_rows, dtype=np.uint64), np.empty(n_rows)
    leaf_table = np.empty(most << most)
    fails = np.empty(1 << most, dtype=np.uint32)
    capacity = 1024
    deep, deep_share = np.empty(capacity, dtype=np.uint64), np.empty(capacity)
    n_deep, deep_leaf = 0, 0
    for tree in range(len(bounds) - 1):
        start = bounds[tree]
        if n_rows > 0:
            split_block(
                block, start, bounds[tree + 1], feature, threshold, flags, cat_start, cat_size,
                cat_bits, sides,
            )  # fmt: skip
        for leaf in range(tree_leaf[tree], tree_leaf[tree + 1]):
            first, last = cond_start[leaf], cond_start[leaf + 1]
            group = leaf_group[leaf]
            n_slots = slot_start[leaf + 1] - slot_start[leaf]
            count = 0
            if n_rows > 0:
                met_patterns(
                    start, first, last, cond_node, cond_left, cond_slot, sides, row_patterns
                )
                count = distinct_patterns(row_patterns, weights, slots, found, found_share)
            if group < 0:
                deep_start[deep_leaf] = n_deep
                deep_leaf += 1
                if capacity < n_deep + count:
                    capacity = 2 * (n_deep + count)
                    grown, grown_share = np.empty(capacity, np.uint64), np.empty(capacity)
                    grown[:n_deep], grown_share[:n_deep] = deep[:n_deep], deep_share[:n_deep]
                    deep, deep_share = grown, grown_share
                put_fullest_first(found[:count], found_share[:count], n_slots, deep[n_deep:],
                                  deep_share[n_deep:])  # fmt: skip
                n_deep += count
                continue
            if n_rows > 0:
                interventional_leaf(
                    found[:count], found_share[:count], n_slots, share_table, leaf_table
                )
            else:
                n_points = (n_slots + 1) // 2
                path_leaf(
                    ratios[slot_start[leaf] : slot_start[leaf + 1]], points[n_points, :n_points],
                    point_weights[n_points, :n_points], leaf_table,
                )  # fmt: skip
            conds = slice(group_cond[group], group_cond[group + 1])
            add_leaf(
                leaf_table, n_slots, slot_player[slot_start[leaf] : slot_start[leaf + 1]],
                value[leaf_node[leaf]], last - first, cond_node[first:last], cond_left[first:last],
                cond_slot[first:last], group_node[conds], group_bit[conds],
                group_path[group], target[target_start[group] : target_start[group + 1]],
                n_outputs, tree_output[tree], question, fails,
                table[table_start[group] : table_start[group + 1]],
            )  # fmt: skip
    deep_start[deep_leaf] = n_deep
    return deep[:n_deep].copy(), deep_share[:n_deep].copy()


@kernel
def fill_masks(deep_leaf, slot_start, deep_start, patterns, mask_start, masks):
    """For each slot of a deep leaf, the background patterns that meet it, as bits.

    Called once with empty ``masks`` to count, and once to write.
    """
    total = 0
    for deep in range(len(deep_leaf)):
        leaf = deep_leaf[deep]
        n_slots = slot_start[leaf + 1] - slot_start[leaf]
        n_words = (deep_start[deep + 1] - deep_start[deep] + 63) // 64
        mask_start[deep] = total
        if len(masks) > 0:
            for k in range(deep_start[deep + 1] - deep_start[deep]):
                pattern = patterns[deep_start[deep] + k]
                for slot in range(n_slots):
                    met = (pattern >> np.uint64(slot)) & np.uint64(1)
                    masks[total + slot * n_words + (k >> 6)] |= met << np.uint64(k & 63)
        total += n_slots * n_words
    mask_start[len(deep_leaf)] = total
    return total


@kernel
def fill_seen(block, feature, threshold, flags, cat_start, cat_size, cat_bits, seen):
    """For each node, the background rows that go left, as bits."""
    n_words = (block.shape[1] + 63) >> 6
    sides = np.zeros((1, block.shape[1]), dtype=np.uint8)
    for node in range(len(feature)):
        if feature[node] < 0:
            continue
        split_block(
            block, node, node + 1, feature, threshold, flags, cat_start, cat_size, cat_bits, sides
        )
        for row in range(block.shape[1]):
            seen[node * n_words + (row >> 6)] |= np.uint64(sides[0, row]) << np.uint64(row & 63)

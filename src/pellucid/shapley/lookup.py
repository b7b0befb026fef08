"""The Numba loops that explain rows from tables: blocks of rows tree by tree, or one row at a time.

Both add the same numbers to a row in the same order, so a row gives the same bits either way.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np
from numba import njit

from pellucid.shapley.kernels import goes_left, popcount, split_block


@njit(cache=True, nogil=True)
def group_patterns(start, first, last, cond_node, cond_flip, cond_bit, sides, patterns):
    """``patterns[row]``: the group's bits; conditions of one player join by OR of failures."""
    patterns[:] = 0
    for cond in range(first, last):
        side = sides[cond_node[cond] - start]
        flip, bit = np.uint16(cond_flip[cond]), np.uint16(cond_bit[cond])
        for row in range(len(patterns)):
            patterns[row] |= (np.uint16(side[row]) ^ flip) << bit


@njit(cache=True, nogil=True)
def look_up(patterns, table, targets, out):
    """Add to each row of ``out`` the table's entries for the row's pattern."""
    n_targets = len(targets)
    for row in range(len(patterns)):
        at = np.int64(patterns[row]) * n_targets
        for k in range(n_targets):
            out[row, targets[k]] += table[at + k]


@njit(cache=True, nogil=True)
def pack_sides(sides, words):
    """Pack 0/1 bytes into bits, 64 rows a word; rows beyond the block are zero."""
    gather = np.uint64(0x0102040810204080)
    for node in range(len(sides)):
        eights = sides[node].view(np.uint64)
        for word in range(words.shape[1]):
            packed = np.uint64(0)
            for k in range(8):
                # the product collects eight bytes' lowest bits, first row lowest, at the top
                bits = (eights[8 * word + k] * gather) >> np.uint64(56)
                packed |= bits << np.uint64(8 * k)
            words[node, word] = packed


@njit(cache=True, nogil=True)
def walk_deep(
    start, first, last, cond_node, cond_left, cond_slot, words, valid, met, n_rows,
    patterns, shares, players, leaf_values, n_outputs, output, share_table, gains, losses, out,
):  # fmt: skip
    """Add one deep leaf's interventional values, 64 rows a word.

    A background pattern c is alive for the rows that meet every condition that c fails. For such
    rows B is what the row fails and A what c fails, so the formulas of `interventional_leaf` need
    the sizes only.
    """
    n_slots, n_words = len(players), words.shape[1]
    for word in range(n_words):
        for slot in range(n_slots):
            met[slot, word] = valid[word]
    for cond in range(first, last):
        node, slot = cond_node[cond] - start, cond_slot[cond]
        turn = np.uint64(0) if cond_left[cond] else ~np.uint64(0)
        for word in range(n_words):
            met[slot, word] &= words[node, word] ^ turn
    absent = np.empty(n_slots, dtype=np.int64)
    for word in range(n_words):
        touched = np.uint64(0)
        for k in range(len(patterns)):
            other = patterns[k]
            alive = valid[word]
            n_ours = 0
            for slot in range(n_slots):
                if (other >> np.uint64(slot)) & np.uint64(1) == 0:
                    alive &= met[slot, word]
                    absent[n_ours] = slot
                    n_ours += 1
            fresh = alive & ~touched
            touched |= alive
            while fresh != 0:
                lowest = fresh & (~fresh + np.uint64(1))
                at = popcount(lowest - np.uint64(1))
                fresh ^= lowest
                losses[at, 0] = 0.0
                n_failed = 0
                for slot in range(n_slots):
                    gains[at, slot] = 0.0
                    n_failed += (met[slot, word] & lowest) == 0
                losses[at, 1] = n_failed
            share = shares[k]
            while alive != 0:
                lowest = alive & (~alive + np.uint64(1))
                at = popcount(lowest - np.uint64(1))
                alive ^= lowest
                n_theirs = np.int64(losses[at, 1])
                if n_ours > 0:
                    gain = share * share_table[n_ours - 1, n_theirs]
                    for i in range(n_ours):
                        gains[at, absent[i]] += gain
                if n_theirs > 0:
                    losses[at, 0] += share * share_table[n_ours, n_theirs - 1]
        while touched != 0:
            lowest = touched & (~touched + np.uint64(1))
            at = popcount(lowest - np.uint64(1))
            touched ^= lowest
            for slot in range(n_slots):
                value = gains[at, slot] if met[slot, word] & lowest else -losses[at, 0]
                for j in range(len(leaf_values)):
                    column = players[slot] * n_outputs + output + j
                    out[64 * word + at, column] += value * leaf_values[j]


@njit(cache=True, nogil=True)
def path_deep(
    n_rows, start, first, last, cond_node, cond_left, cond_slot, sides, ratios, points,
    point_weights, players, leaf_values, n_outputs, output, out,
):  # fmt: skip
    """Add one deep leaf's path-dependent values; the formula is that of `path_leaf`."""
    n_slots = len(players)
    met, before, value = np.empty(n_slots), np.empty(n_slots + 1), np.empty(n_slots)
    for row in range(n_rows):
        met[:] = 1.0
        for cond in range(first, last):
            if sides[cond_node[cond] - start, row] != cond_left[cond]:
                met[cond_slot[cond]] = 0.0
        value[:] = 0.0
        for q in range(len(points)):
            t = points[q]
            before[0] = 1.0
            for slot in range(n_slots):
                before[slot + 1] = before[slot] * (t * met[slot] + (1.0 - t) * ratios[slot])
            after = point_weights[q]
            for slot in range(n_slots - 1, -1, -1):
                value[slot] += before[slot] * after
                after *= t * met[slot] + (1.0 - t) * ratios[slot]
        for slot in range(n_slots):
            for j in range(len(leaf_values)):
                column = players[slot] * n_outputs + output + j
                out[row, column] += (met[slot] - ratios[slot]) * value[slot] * leaf_values[j]


@njit(cache=True, nogil=True)
def explain_block(
    block, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, leaf_node, cond_start, cond_node,
    cond_left, cond_slot, slot_start, slot_player, ratios, points, point_weights, share_table,
    n_outputs, out,
):  # fmt: skip
    """Add the Shapley values of all trees for the rows of ``block`` (n_columns, n_rows)."""
    n_rows = block.shape[1]
    n_words = (n_rows + 63) // 64
    largest, deepest = 0, 1
    for tree in range(len(bounds) - 1):
        largest = max(largest, bounds[tree + 1] - bounds[tree])
    for leaf in deep_leaf:
        deepest = max(deepest, slot_start[leaf + 1] - slot_start[leaf])
    sides = np.zeros((largest, 64 * n_words), dtype=np.uint8)
    words = np.empty((largest, n_words), dtype=np.uint64)
    met = np.empty((deepest, n_words), dtype=np.uint64)
    gains, losses = np.empty((64, deepest)), np.empty((64, 2))
    valid = np.full(n_words, ~np.uint64(0))
    if n_rows % 64:
        valid[n_words - 1] = (np.uint64(1) << np.uint64(n_rows % 64)) - np.uint64(1)
    row_patterns = np.empty(n_rows, dtype=np.uint16)
    for tree in range(len(bounds) - 1):
        start, stop = bounds[tree], bounds[tree + 1]
        split_block(
            block, start, stop, feature, threshold, flags, cat_start, cat_size, cat_bits, sides
        )
        for group in range(tree_group[tree], tree_group[tree + 1]):
            group_patterns(
                start, group_cond[group], group_cond[group + 1], group_node, group_flip,
                group_bit, sides, row_patterns,
            )  # fmt: skip
            look_up(
                row_patterns, table[table_start[group] : table_start[group + 1]],
                target[target_start[group] : target_start[group + 1]], out,
            )  # fmt: skip
        if tree_deep[tree] == tree_deep[tree + 1]:
            continue
        if len(ratios) == 0:
            pack_sides(sides[: stop - start], words)
        for deep in range(tree_deep[tree], tree_deep[tree + 1]):
            leaf = deep_leaf[deep]
            players = slot_player[slot_start[leaf] : slot_start[leaf + 1]]
            if len(ratios) == 0:
                these = slice(deep_start[deep], deep_start[deep + 1])
                walk_deep(
                    start, cond_start[leaf], cond_start[leaf + 1], cond_node, cond_left,
                    cond_slot, words, valid, met, n_rows, patterns[these], shares[these], players,
                    value[leaf_node[leaf]], n_outputs, tree_output[tree], share_table, gains,
                    losses, out,
                )  # fmt: skip
            else:
                n_points = (len(players) + 1) // 2
                path_deep(
                    n_rows, start, cond_start[leaf], cond_start[leaf + 1], cond_node, cond_left,
                    cond_slot, sides, ratios[slot_start[leaf] : slot_start[leaf + 1]],
                    points[n_points, :n_points], point_weights[n_points, :n_points], players,
                    value[leaf_node[leaf]], n_outputs, tree_output[tree], out,
                )  # fmt: skip


@njit(cache=True, nogil=True)
def explain_row(
    row, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_group, group_cond, group_node, group_flip, group_bit, target_start, target, table_start,
    table, tree_deep, deep_leaf, deep_start, patterns, shares, leaf_node, cond_start, cond_node,
    cond_left, cond_slot, slot_start, slot_player, share_table, n_outputs, out,
):  # fmt: skip
    """Add the interventional values of all trees for one row; a deep leaf ends early.

    ``out`` is (n_players * n_outputs,).
    """
    largest = 0
    for tree in range(len(bounds) - 1):
        largest = max(largest, bounds[tree + 1] - bounds[tree])
    sides = np.zeros(largest, dtype=np.uint8)
    gains = np.empty(64)
    for tree in range(len(bounds) - 1):
        start = bounds[tree]
        for node in range(start, bounds[tree + 1]):
            if feature[node] >= 0:
                words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
                sides[node - start] = goes_left(
                    row[feature[node]], threshold[node], flags[node], words
                )
        for group in range(tree_group[tree], tree_group[tree + 1]):
            pattern = 0
            for cond in range(group_cond[group], group_cond[group + 1]):
                pattern |= (sides[group_node[cond] - start] ^ group_flip[cond]) << group_bit[cond]
            first = target_start[group]
            at = table_start[group] + pattern * (target_start[group + 1] - first)
            for k in range(target_start[group + 1] - first):
                out[target[first + k]] += table[at + k]
        for deep in range(tree_deep[tree], tree_deep[tree + 1]):
            leaf = deep_leaf[deep]
            failed = np.uint64(0)
            for cond in range(cond_start[leaf], cond_start[leaf + 1]):
                wrong = sides[cond_node[cond] - start] ^ cond_left[cond]
                failed |= np.uint64(wrong) << np.uint64(cond_slot[cond])
            n_slots = slot_start[leaf + 1] - slot_start[leaf]
            n_theirs = popcount(failed)
            touched, loss = False, 0.0
            for k in range(deep_start[deep], deep_start[deep + 1]):
                if failed & ~patterns[k]:
                    continue
                if not touched:
                    touched = True
                    gains[:n_slots] = 0.0
                n_ours = n_slots - popcount(patterns[k])
                if n_ours > 0:
                    gain = shares[k] * share_table[n_ours - 1, n_theirs]
                    for slot in range(n_slots):
                        if (patterns[k] >> np.uint64(slot)) & np.uint64(1) == 0:
                            gains[slot] += gain
                if n_theirs > 0:
                    loss += shares[k] * share_table[n_ours, n_theirs - 1]
            if touched:
                for slot in range(n_slots):
                    bad = (failed >> np.uint64(slot)) & np.uint64(1)
                    change = -loss if bad else gains[slot]
                    player = slot_player[slot_start[leaf] + slot]
                    for j in range(value.shape[1]):
                        column = player * n_outputs + tree_output[tree] + j
                        out[column] += change * value[leaf_node[leaf], j]

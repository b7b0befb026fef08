"""The Numba loops over trees, and nothing else: one loop nest a function.

All are compiled once per machine and cached on disk; they release the GIL, so that threads over
row blocks run side by side. None reassociates sums, so a row gives the same bits in any batch.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.compiled import kernel
from pellucid.shapley.trees import (
    CATEGORICAL,
    MISSING_LEFT,
    UNKNOWN_LEFT,
    ZERO_MISSING,
    ZERO_WIDTH,
)


@kernel(inline="always")
def goes_left(x, threshold, flag, words):
    """Whether value ``x`` takes the left branch; the conventions are in `trees`."""
    if np.isnan(x):
        return (flag & MISSING_LEFT) != 0
    if flag & CATEGORICAL:
        if not (x > -1.0 and x < 32.0 * len(words)):
            return (flag & UNKNOWN_LEFT) != 0
        code = np.int64(x)
        return (words[code >> 5] >> np.uint32(code & 31)) & np.uint32(1) != 0
    if flag & ZERO_MISSING and -ZERO_WIDTH <= x <= ZERO_WIDTH:
        return (flag & MISSING_LEFT) != 0
    return x <= threshold


@kernel
def leaf_sums(
    block, roots, tree_output, feature, threshold, flags, left, right, cat_start, cat_size,
    cat_bits, value, linear_start, linear_column, linear_coef, linear_const, out,
):  # fmt: skip
    """Add what each tree gives to each row of ``block`` (n_columns, n_rows) to ``out``.

    With linear leaves (``linear_start`` not empty) a leaf gives ``const + coef . x`` when none of
    its columns is NaN.
    """
    for tree in range(len(roots)):
        for row in range(block.shape[1]):
            node = roots[tree]
            while feature[node] >= 0:
                words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
                x = block[feature[node], row]
                node = (
                    left[node] if goes_left(x, threshold[node], flags[node], words) else right[node]
                )
            if len(linear_start) > 0:
                total = linear_const[node]
                for term in range(linear_start[node], linear_start[node + 1]):
                    x = block[linear_column[term], row]
                    if np.isnan(x):
                        total = value[node, 0]
                        break
                    total += linear_coef[term] * x
                out[row, tree_output[tree]] += total
            else:
                for j in range(value.shape[1]):
                    out[row, tree_output[tree] + j] += value[node, j]


@kernel
def count_paths(roots, feature, left, right):
    """Count leaves, conditions on all paths together, and the deepest path."""
    leaves, conditions, deepest = 0, 0, 0
    depth = np.zeros(len(feature), dtype=np.int64)
    for node in range(len(feature)):  # a parent comes before its children
        if feature[node] >= 0:
            depth[left[node]] = depth[node] + 1
            depth[right[node]] = depth[node] + 1
        else:
            leaves += 1
            conditions += depth[node]
        deepest = max(deepest, depth[node])
    return leaves, conditions, deepest


@kernel
def fill_paths(
    bounds, feature, left, right, player_of, deepest,
    tree_leaf, leaf_node, cond_start, cond_node, cond_left, cond_slot, slot_start, slot_player,
):  # fmt: skip
    """Write the leaves of each tree, and for each the conditions on its path, root first.

    Slots number the distinct players of a path in order of appearance.
    """
    stack = np.empty(deepest + 2, dtype=np.int64)
    stack_depth = np.empty(deepest + 2, dtype=np.int64)
    path = np.empty(deepest + 2, dtype=np.int64)
    leaf, cond, slot = 0, 0, 0
    for tree in range(len(bounds) - 1):
        tree_leaf[tree] = leaf
        if bounds[tree] == bounds[tree + 1]:
            continue
        top = 1
        stack[0], stack_depth[0] = bounds[tree], 0
        while top > 0:
            top -= 1
            node, depth = stack[top], stack_depth[top]
            path[depth] = node
            if feature[node] >= 0:
                stack[top], stack_depth[top] = right[node], depth + 1
                stack[top + 1], stack_depth[top + 1] = left[node], depth + 1
                top += 2
                continue
            leaf_node[leaf], cond_start[leaf], slot_start[leaf] = node, cond, slot
            for step in range(depth):
                player = player_of[feature[path[step]]]
                found = slot_start[leaf]
                while found < slot and slot_player[found] != player:
                    found += 1
                if found == slot:
                    slot_player[slot] = player
                    slot += 1
                cond_node[cond] = path[step]
                cond_left[cond] = left[path[step]] == path[step + 1]
                cond_slot[cond] = found - slot_start[leaf]
                cond += 1
            leaf += 1
    tree_leaf[len(bounds) - 1] = leaf
    cond_start[leaf], slot_start[leaf] = cond, slot
    return slot


@kernel
def largest_tree(bounds):
    """Nodes of the tree that has most."""
    largest = 0
    for tree in range(len(bounds) - 1):
        largest = max(largest, bounds[tree + 1] - bounds[tree])
    return largest


@kernel
def hash_size(n):
    """Places of a hash table for ``n`` patterns: a power of two, at least twice as many."""
    size = 4
    while size < 2 * n:
        size *= 2
    return size


@kernel
def split_codes(values, flag, words, side):
    """``side[row]`` is what `goes_left` says of a split of at most 64 codes, without a branch."""
    codes = np.uint64(words[0])
    if len(words) > 1:
        codes |= np.uint64(words[1]) << np.uint64(32)
    unknown, missing = (flag & UNKNOWN_LEFT) != 0, (flag & MISSING_LEFT) != 0
    end = 32.0 * len(words)
    for row in range(len(values)):
        x = values[row]
        has_place = (x > -1.0) & (x < end)
        code = np.uint64(np.int64(x if has_place else 0.0))
        goes = (codes >> code) & np.uint64(1) != 0
        side[row] = goes if has_place else (missing if np.isnan(x) else unknown)


@kernel
def split_block(
    block, start, stop, feature, threshold, flags, cat_start, cat_size, cat_bits, sides
):
    """``sides[node - start, row]`` is 1 where the row goes left; leaves are left alone."""
    for node in range(start, stop):
        if feature[node] < 0:
            continue
        flag, limit = flags[node], threshold[node]
        words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
        side = sides[node - start]
        values = block[feature[node]]
        if flag & CATEGORICAL and 0 < len(words) <= 2:
            split_codes(values, flag, words, side)
        elif flag & (CATEGORICAL | ZERO_MISSING):
            for row in range(block.shape[1]):
                side[row] = goes_left(values[row], limit, flag, words)
        elif flag & MISSING_LEFT:
            for row in range(block.shape[1]):
                side[row] = not (values[row] > limit)  # NaN is not greater
        else:
            for row in range(block.shape[1]):
                side[row] = values[row] <= limit


@kernel
def met_patterns(start, first, last, cond_node, cond_left, cond_slot, sides, patterns):
    """``patterns[row]``: bit i is set when the row meets every condition of the leaf's slot i."""
    failed = np.zeros(len(patterns), dtype=np.uint64)
    slots = np.uint64(0)
    for cond in range(first, last):
        bit = np.uint64(1) << np.uint64(cond_slot[cond])
        slots |= bit
        side = sides[cond_node[cond] - start]
        wanted = cond_left[cond]
        for row in range(len(patterns)):
            if side[row] != wanted:
                failed[row] |= bit
    for row in range(len(patterns)):
        patterns[row] = slots & ~failed[row]


@kernel
def distinct_patterns(patterns, weights, slots, found, found_weight):
    """Distinct values of ``patterns`` in order of appearance, with their summed weights.

    ``slots`` is a hash table of positions, at least twice as long as ``patterns`` and a power of
    two.
    """
    slots[:] = -1
    mask = np.uint64(len(slots) - 1)
    count = 0
    for row in range(len(patterns)):
        pattern = patterns[row]
        at = (pattern * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20) & mask
        while slots[at] >= 0 and found[slots[at]] != pattern:
            at = (at + np.uint64(1)) & mask
        if slots[at] < 0:
            slots[at] = count
            found[count] = pattern
            found_weight[count] = 0.0
            count += 1
        found_weight[slots[at]] += weights[row]
    return count


@kernel
def multiply_ratios(
    cond_start, cond_node, cond_left, cond_slot, slot_start, left, right, cover, ratios
):
    """Multiply into each slot's ratio the share of cover that takes each of its conditions.

    The share is of the children's covers, so that siblings sum to one.
    """
    for leaf in range(len(cond_start) - 1):
        for cond in range(cond_start[leaf], cond_start[leaf + 1]):
            node = cond_node[cond]
            both = cover[left[node]] + cover[right[node]]
            taken = cover[left[node]] if cond_left[cond] else cover[right[node]]
            ratios[slot_start[leaf] + cond_slot[cond]] *= taken / both

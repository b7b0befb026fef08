"""The Numba loops over the rows of a block: patterns, tables, and leaves that have none."""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import lowest_bit, popcount
from pellucid.shapley.compiled import kernel


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

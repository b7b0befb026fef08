"""The Numba loops over linear leaves; `slopes` says what they add up."""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import popcount
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import goes_left


@kernel
def failed_slots(
    block, feature, threshold, flags, cat_start, cat_size, cat_bits, cond_start, cond_node,
    cond_left, cond_slot, term_start, term_column, leaves, slot_start, column_slot, leaf_node,
    failed,
):  # fmt: skip
    """Set bit i of ``failed[k, row]`` where the row fails slot i of linear leaf k.

    Bits beyond the slots are set too, so that the complement holds the slots met, and only them.
    """
    for k in range(len(leaves)):
        leaf = leaves[k]
        n_slots = slot_start[k + 1] - slot_start[k]
        beyond = np.uint64(0)
        if n_slots < 64:
            beyond = ~np.uint64(0) << np.uint64(n_slots)
        node_of_leaf = leaf_node[leaf]
        for row in range(block.shape[1]):
            wrong = beyond
            for cond in range(cond_start[leaf], cond_start[leaf + 1]):
                node = cond_node[cond]
                words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
                left = goes_left(block[feature[node], row], threshold[node], flags[node], words)
                if left != (cond_left[cond] != 0):
                    wrong |= np.uint64(1) << np.uint64(cond_slot[cond])
            for term in range(term_start[node_of_leaf], term_start[node_of_leaf + 1]):
                if np.isnan(block[term_column[term], row]):
                    wrong |= np.uint64(1) << np.uint64(column_slot[term])
            failed[k, row] = wrong


@kernel
def add_product_game(met, other, share, n_slots, share_table, values):
    """Add to ``values`` the Shapley values of one pair of a row and a background row.

    ``met`` and ``other`` hold the slots that each meets; the formula is that of
    `filling.interventional_leaf`, for a weight of ``share``.
    """
    ours, theirs = met & ~other, other & ~met
    n_ours, n_theirs = popcount(ours), popcount(theirs)
    gain = share * share_table[n_ours - 1, n_theirs] if n_ours > 0 else 0.0
    loss = share * share_table[n_ours, n_theirs - 1] if n_theirs > 0 else 0.0
    for slot in range(n_slots):
        bit = np.uint64(1) << np.uint64(slot)
        if ours & bit:
            values[slot] += gain
        elif theirs & bit:
            values[slot] -= loss


@kernel
def add_linear_leaves(
    block, failed, patterns, background, weights, term_start, term_column, coef, const, value,
    leaves, slot_start, slot_player, column_slot, leaf_node, output, share_table, n_outputs, out,
):  # fmt: skip
    """Add to ``out[target, row]`` what linear leaves give beyond their constant value."""
    values = np.empty(64)
    for k in range(len(leaves)):
        node = leaf_node[leaves[k]]
        first, n_slots = slot_start[k], slot_start[k + 1] - slot_start[k]
        full = ~np.uint64(0) >> np.uint64(64 - n_slots)
        for row in range(block.shape[1]):
            met = ~failed[k, row]
            values[:n_slots] = 0.0
            for z in range(len(weights)):
                other = patterns[k, z]
                if (met | other) != full:
                    continue
                share = weights[z] * (const[node] - value[node, 0])
                add_product_game(met, other, share, n_slots, share_table, values)
                for term in range(term_start[node], term_start[node + 1]):
                    bit = np.uint64(1) << np.uint64(column_slot[term])
                    column, slope = term_column[term], weights[z] * coef[term]
                    if met & bit:
                        share = slope * block[column, row]
                        add_product_game(met, other & ~bit, share, n_slots, share_table, values)
                    if other & bit:
                        share = slope * background[column, z]
                        add_product_game(met & ~bit, other, share, n_slots, share_table, values)
            for slot in range(n_slots):
                out[slot_player[first + slot] * n_outputs + output[k], row] += values[slot]

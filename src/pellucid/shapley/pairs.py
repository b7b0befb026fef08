"""The Numba loops that work out interactions of pairs of players, leaf by leaf."""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import lowest_bit, popcount
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import hash_size, largest_tree, split_block
from pellucid.shapley.lookup import failed_patterns, look_up, most_slots, number_patterns


@kernel
def leaf_pairs(failed, n_slots, first, last, patterns, shares, share_table, table, at):
    """Write to ``table``, from ``at`` on, what the pairs of slots of a leaf of weight one get.

    Slots i <= j in rows: their interaction, or at i = j the value of i. B is what the row fails,
    A what a background row fails that meets all of B; with a = |A|, b = |B| a pair gets

    - (a - 2)! b! / (a + b - 1)! when both are in A,
    - a! (b - 2)! / (a + b - 1)! when both are in B,
    - minus (a - 1)! (b - 1)! / (a + b - 1)! when one is in each.
    """
    full = ~np.uint64(0) >> np.uint64(64 - n_slots)
    b = popcount(failed)
    table[at : at + n_slots * (n_slots + 1) // 2] = 0.0
    for k in range(first, last):
        if failed & ~patterns[k]:
            continue
        ours = full & ~patterns[k]
        a = popcount(ours)
        value_ours = shares[k] * share_table[a - 1, b] if a > 0 else 0.0
        value_theirs = -shares[k] * share_table[a, b - 1] if b > 0 else 0.0
        both_ours = shares[k] * share_table[a - 2, b] if a > 1 else 0.0
        both_theirs = shares[k] * share_table[a, b - 2] if b > 1 else 0.0
        apart = -shares[k] * share_table[a - 1, b - 1] if a > 0 and b > 0 else 0.0
        rest = ours | failed
        while rest:
            i = lowest_bit(rest)
            rest &= rest - np.uint64(1)
            i_ours = (ours >> np.uint64(i)) & np.uint64(1) != 0
            row = at + i * n_slots - i * (i - 1) // 2 - i
            table[row + i] += value_ours if i_ours else value_theirs
            others = rest
            while others:
                j = lowest_bit(others)
                others &= others - np.uint64(1)
                j_ours = (ours >> np.uint64(j)) & np.uint64(1) != 0
                if i_ours == j_ours:
                    table[row + j] += both_ours if i_ours else both_theirs
                else:
                    table[row + j] += apart


@kernel
def explain_pairs(
    block, bounds, tree_output, feature, threshold, flags, cat_start, cat_size, cat_bits, value,
    tree_deep, deep_leaf, deep_start, patterns, shares, leaf_node, cond_start, cond_node,
    cond_left, cond_slot, slot_start, slot_player, share_table, n_players, n_outputs, out,
):  # fmt: skip
    """Add what all leaves give to the pairs of players, for the rows of ``block``.

    ``block`` is (n_columns, n_rows), ``out`` (n_outputs * n_players * n_players, n_rows). A pair is
    written once, to the lower player's row.
    """
    n_rows, width = block.shape[1], value.shape[1]
    deepest = most_slots(deep_leaf, slot_start)
    sides = np.zeros((largest_tree(bounds), n_rows), dtype=np.uint8)
    failed = np.empty(n_rows, dtype=np.uint64)
    found = np.empty(n_rows, dtype=np.uint64)
    numbers = np.empty(n_rows, dtype=np.uint16)
    slots = np.empty(hash_size(n_rows), dtype=np.int32)
    most = deepest * (deepest + 1) // 2
    pairs, scaled = np.empty(n_rows * most), np.empty(n_rows * most)
    targets = np.empty(most, dtype=np.int32)
    for tree in range(len(bounds) - 1):
        start = bounds[tree]
        split_block(
            block, start, bounds[tree + 1], feature, threshold, flags, cat_start, cat_size,
            cat_bits, sides,
        )  # fmt: skip
        for deep in range(tree_deep[tree], tree_deep[tree + 1]):
            leaf = deep_leaf[deep]
            failed_patterns(
                start, cond_start[leaf], cond_start[leaf + 1], cond_node, cond_left, cond_slot,
                sides, failed,
            )  # fmt: skip
            slots[:] = -1
            count = number_patterns(failed, slots, numbers, found)
            first, n_slots = slot_start[leaf], slot_start[leaf + 1] - slot_start[leaf]
            n_pairs = n_slots * (n_slots + 1) // 2
            for k in range(count):
                leaf_pairs(
                    found[k], n_slots, deep_start[deep], deep_start[deep + 1], patterns, shares,
                    share_table, pairs, k * n_pairs,
                )  # fmt: skip
            for j in range(width):
                for k in range(count * n_pairs):
                    scaled[k] = pairs[k] * value[leaf_node[leaf], j]
                at = 0
                for one in range(n_slots):
                    for other in range(one, n_slots):
                        p, q = slot_player[first + one], slot_player[first + other]
                        row = (tree_output[tree] + j) * n_players + min(p, q)
                        targets[at] = row * n_players + max(p, q)
                        at += 1
                look_up(numbers, scaled, targets[:n_pairs], out)

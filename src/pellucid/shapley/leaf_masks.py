"""The Numba loop that predicts blocks of rows: every split for all rows, instead of row by row.

A row that walks down a tree waits for each split, and the processor guesses half of them wrong. So
all splits of a tree are tested for all rows, and each that sends a row right strikes out the leaves
of its left side; the first leaf that is left is the row's (Lucchese et al., "QuickScorer", SIGIR
2015). A tree of more than 64 leaves is walked.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.bits import lowest_bit
from pellucid.shapley.compiled import kernel
from pellucid.shapley.kernels import goes_left, largest_tree, split_block

_MOST = 64  # leaves, one a bit


@kernel
def number_leaves(start, stop, feature, left, right, first, count, leaves):
    """Number a tree's leaves from left to right; give how many there are.

    ``first[node - start]`` and ``count[node - start]`` are where the leaves below a node begin, and
    how many they are; ``leaves[number]`` is a leaf, of a tree that has no more than fit.
    """
    for node in range(stop - 1, start - 1, -1):  # a parent comes before its children
        inner = feature[node] >= 0
        at = node - start
        count[at] = count[left[node] - start] + count[right[node] - start] if inner else 1
    first[0] = 0
    for node in range(start, stop):
        at = node - start
        if feature[node] >= 0:
            first[left[node] - start] = first[at]
            first[right[node] - start] = first[at] + count[left[node] - start]
        elif first[at] < len(leaves):
            leaves[first[at]] = node
    return count[0]


@kernel
def mask_sums(
    block, bounds, tree_output, feature, threshold, flags, left, right, cat_start, cat_size,
    cat_bits, value, out,
):  # fmt: skip
    """Add what each tree gives to each row of ``block`` (n_columns, n_rows) to ``out``.

    The sums are those of `kernels.leaf_sums`, in the same order; leaves are constants.
    """
    n_rows, size = block.shape[1], largest_tree(bounds)
    sides = np.zeros((size, n_rows), dtype=np.uint8)
    open_leaves = np.empty(n_rows, dtype=np.uint64)
    first, count = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    leaves = np.empty(_MOST, dtype=np.int64)
    for tree in range(len(bounds) - 1):
        start, stop, output = bounds[tree], bounds[tree + 1], tree_output[tree]
        if number_leaves(start, stop, feature, left, right, first, count, leaves) > _MOST:
            for row in range(n_rows):
                node = start
                while feature[node] >= 0:
                    words = cat_bits[cat_start[node] : cat_start[node] + cat_size[node]]
                    x = block[feature[node], row]
                    went = goes_left(x, threshold[node], flags[node], words)
                    node = left[node] if went else right[node]
                for j in range(value.shape[1]):
                    out[row, output + j] += value[node, j]
            continue
        split_block(
            block, start, stop, feature, threshold, flags, cat_start, cat_size, cat_bits, sides
        )
        open_leaves[:] = ~np.uint64(0)
        for node in range(start, stop):
            if feature[node] < 0:
                continue
            below = left[node] - start
            side = sides[node - start]
            # fewer than 64 leaves are on one side
            struck = ((np.uint64(1) << np.uint64(count[below])) - np.uint64(1)) << np.uint64(
                first[below]
            )
            for row in range(n_rows):
                open_leaves[row] &= ~(struck & (np.uint64(side[row]) - np.uint64(1)))
        for row in range(n_rows):
            leaf = leaves[lowest_bit(open_leaves[row])]
            for j in range(value.shape[1]):
                out[row, output + j] += value[leaf, j]

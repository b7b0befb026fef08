"""The Numba loops that cut trees into groups of leaves.

A group is a subtree. Its pattern has one bit for each player on the path down to it (does the row
fail that player's merged condition?) and one for each distinct question inside it (does the row go
left?). All leaves of the group share one table over these bits, so that one look-up serves them
all. Where even a single leaf has too many bits it stays "deep", and is walked.
"""

# mypy: disable-error-code="no-untyped-def"
# Numba infers the types of arguments

from __future__ import annotations

import numpy as np

from pellucid.shapley.compiled import kernel

INNER, COVERED = -1, -2  # nodes above groups and deep leaves, and those below


@kernel
def measure_subtree(
    root, most, parent, feature, question, left, right, player_of, stack, splits, players
):
    """Count path players, all players and distinct splits of the group below ``root``.

    Gives (path players, players, splits), with the last more than ``most`` when the group needs
    more than that many bits. Fills ``splits`` and ``players``, path players in order from the
    root first.
    """
    n_path = 0
    node = root
    while parent[node] >= 0:
        node = parent[node]
        player = player_of[feature[node]]
        known = False
        for k in range(n_path):
            known |= players[k] == player
        if not known:
            players[n_path] = player
            n_path += 1
            if n_path > most:
                return n_path, n_path, most + 1
    for k in range(n_path // 2):
        players[k], players[n_path - 1 - k] = players[n_path - 1 - k], players[k]
    n_players, n_splits = n_path, 0
    top = 1
    stack[0] = root
    while top > 0:
        top -= 1
        node = stack[top]
        if feature[node] < 0:
            continue
        known = False
        for k in range(n_splits):
            known |= question[splits[k]] == question[node]
        if not known:
            splits[n_splits] = node
            n_splits += 1
            if n_path + n_splits > most:
                return n_path, n_players, most + 1
        player = player_of[feature[node]]
        known = False
        for k in range(n_players):
            known |= players[k] == player
        if not known:
            players[n_players] = player
            n_players += 1
        stack[top], stack[top + 1] = right[node], left[node]
        top += 2
    return n_path, n_players, n_splits


@kernel
def find_parents(left, right):
    """Parent of each node, -1 at roots."""
    parent = np.full(len(left), -1, dtype=np.int32)
    for node in range(len(left)):
        if left[node] >= 0:
            parent[left[node]] = node
            parent[right[node]] = node
    return parent


@kernel
def plan_groups(
    parent, feature, question, left, right, player_of, width, most, deep_cost, byte_cost
):
    """Cut every tree where the sum of what its groups cost is least.

    The cost of a group is in look-ups a row, plus ``byte_cost`` for each byte of its table; a deep
    leaf costs ``deep_cost``. Gives for each node 1 where a group starts, 2 at a deep leaf, and
    the bytes of all tables.
    """
    n_nodes = len(feature)
    cost = np.empty(n_nodes)
    size = np.zeros(n_nodes)
    whole = np.zeros(n_nodes, dtype=np.uint8)
    stack = np.empty(2 * most + 4, dtype=np.int64)
    splits = np.empty(most + 2, dtype=np.int64)
    players = np.empty(2 * most + 4, dtype=np.int64)
    for node in range(n_nodes - 1, -1, -1):
        n_path, n_players, n_splits = measure_subtree(
            node, most, parent, feature, question, left, right, player_of, stack, splits, players
        )  # fmt: skip
        n_bits = n_path + n_splits
        alone = np.inf
        if n_bits <= most:
            size[node] = 8.0 * n_players * width * 2.0**n_bits
            # large tables miss the first-level cache
            far = 1.0 if n_bits <= 9 else 1.0 + 0.25 * (n_bits - 9)
            alone = 3.0 + (n_players * width) * far + 0.25 * n_bits + byte_cost * size[node]
        if feature[node] < 0:
            whole[node] = 1 if alone <= deep_cost else 2
            cost[node] = min(alone, deep_cost)
            continue
        parts = cost[left[node]] + cost[right[node]]
        whole[node] = alone <= parts
        cost[node] = min(alone, parts)
    total = 0.0
    state = np.zeros(n_nodes, dtype=np.uint8)
    covered = np.zeros(n_nodes, dtype=np.uint8)
    for node in range(n_nodes):
        if parent[node] >= 0 and covered[parent[node]]:
            covered[node] = 1
        elif whole[node]:
            covered[node] = 1
            state[node] = whole[node]
            total += size[node] if whole[node] == 1 else 0.0
    return state, total


@kernel
def assign_leaves(state, parent, leaf_node, leaf_group):
    """Write the group of each leaf, -1 at deep ones; groups are numbered in node order."""
    rank = np.cumsum(state == 1)
    for leaf in range(len(leaf_node)):
        node = leaf_node[leaf]
        while state[node] == 0:
            node = parent[node]
        leaf_group[leaf] = rank[node] - 1 if state[node] == 1 else -1


@kernel
def lay_out_groups(
    starts, most, width, n_outputs, parent, feature, question, left, right, player_of, node_output,
    cond_start, cond_node, cond_flip, cond_bit, n_path_bits, target_start, target,
    table_start,
):  # fmt: skip
    """Write the bits and the targets of each group that starts at one of ``starts``.

    The bit of a path player is set where the row fails; the bit of a split where it goes left.
    Called once with empty output arrays to count, and once to write.
    """
    writing = len(cond_node) > 0
    stack = np.empty(2 * most + 4, dtype=np.int64)
    splits = np.empty(most + 2, dtype=np.int64)
    players = np.empty(2 * most + 4, dtype=np.int64)
    cond, targets, cells = 0, 0, 0
    for group in range(len(starts)):
        root = starts[group]
        n_path, n_players, n_splits = measure_subtree(
            root, most, parent, feature, question, left, right, player_of, stack, splits, players
        )  # fmt: skip
        cond_start[group], target_start[group], table_start[group] = cond, targets, cells
        n_path_bits[group] = n_path
        node = root
        while parent[node] >= 0:
            child, node = node, parent[node]
            if writing:
                bit = 0
                while players[bit] != player_of[feature[node]]:
                    bit += 1
                cond_node[cond], cond_bit[cond] = node, bit
                cond_flip[cond] = left[node] == child
            cond += 1
        for k in range(n_splits):
            if writing:
                cond_node[cond], cond_bit[cond], cond_flip[cond] = splits[k], n_path + k, 0
            cond += 1
        if writing:
            for k in range(n_players):
                for j in range(width):
                    target[targets + k * width + j] = players[k] * n_outputs + node_output[root] + j
        targets += n_players * width
        cells += (n_players * width) << (n_path + n_splits)
    cond_start[len(starts)], target_start[len(starts)] = cond, targets
    table_start[len(starts)] = cells
    return cond, targets, cells

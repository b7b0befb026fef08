"""Tables of one model for two sets of players, kept once where they are the same.

Most trees ask no two columns of one raw feature, so a group of leaves has the same table whether
raw or engineered features play: only whom it speaks of differs. Kept once, both take half the
memory, and a row that is explained for both finds its entries near the second time.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pellucid.shapley.groups import Groups
from pellucid.shapley.tables import TreeTables


def share_tables(one: TreeTables, other: TreeTables) -> tuple[TreeTables, TreeTables]:
    """The same two, over a single array that holds equal tables once; values keep their bits.

    Parameters
    ----------
    one, other : TreeTables
        Of the same trees; of others, nothing is shared.
    """
    if one.groups.table is other.groups.table:
        return one, other
    known = {key: (start, stop) for key, start, stop in _groups(one.groups)}
    held, given = one.groups.table, other.groups.table
    places, own, end = [], [], len(held)
    for key, start, stop in _groups(other.groups):
        at, last = known.get(key, (0, 0))
        if last - at == stop - start and np.array_equal(held[at:last], given[start:stop]):
            places.append(at)
            continue
        places.append(end)
        own.append(given[start:stop])
        end += stop - start
    table = np.concatenate([held, *own])
    starts = np.array([*places, end], dtype=np.int64)
    return (
        replace(one, groups=replace(one.groups, table=table)),
        replace(other, groups=replace(other.groups, table=table, table_start=starts)),
    )


def asked_by(groups: Groups) -> list[bytes]:
    """What each group asks of a row: equal where rows have equal patterns."""
    starts = groups.cond_start.tolist()
    asked = np.stack([groups.cond_node, groups.cond_flip, groups.cond_bit], axis=1)
    return [asked[first:last].tobytes() for first, last in pairwise(starts)]


def _groups(groups: Groups) -> list[tuple[bytes, int, int]]:
    """What each group asks, and where its table begins and ends."""
    bounds = groups.table_start.tolist()
    return list(zip(asked_by(groups), bounds[:-1], bounds[1:]))

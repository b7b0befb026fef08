"""Two sets of players explained in one pass over the trees, by the bits of one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.shapley.margins import as_block
from pellucid.shapley.rows import check_rows
from pellucid.shapley.sharing import asked_by
from pellucid.shapley.tables import TreeTables

_KEPT = 64  # groups of a tree whose patterns are kept for the other players


@dataclass(frozen=True, eq=False)
class Both:
    """Tables of the same trees for two sets of players; made by `both_of`."""

    one: TreeTables
    other: TreeTables

    def values(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """What `TreeTables.values` gives of each."""
        from pellucid.shapley import blocks

        trees, tables = self.one.ensemble, (self.one, self.other)
        rows = check_rows(X, n_columns=trees.n_columns, columns=self.one.players.columns)
        if len(rows) == 1:  # has a kernel of its own
            return self.one.values(rows), self.other.values(rows)
        outs = [np.empty((len(rows), each.n_players * each.n_outputs)) for each in tables]
        size = min(each.block_size(len(rows)) for each in tables)
        for at in range(0, len(rows), size):
            block = as_block(trees, rows[at : at + size])
            sums = [np.zeros((out.shape[1], block.shape[1])) for out in outs]
            levels = self.one.level, self.other.level
            blocks.explain_block(block, *self.one.nodes, *levels, self._twins, _KEPT, *sums)
            for out, found in zip(outs, sums):
                out[at : at + size] = found.T
        return self.one.shaped(outs[0]), self.other.shaped(outs[1])

    @cached_property
    def _twins(self) -> np.ndarray:
        """Of each group of the other's, which of the one's in its tree asks the same, else -1."""
        one, other = self.one.groups, self.other.groups
        twins = np.full(len(other.cond_start) - 1, -1, dtype=np.int32)
        ours, theirs = asked_by(one), asked_by(other)
        for tree in range(len(one.tree_group) - 1):
            first, stop = one.tree_group[tree : tree + 2].tolist()
            known = {
                asked: at for at, asked in enumerate(ours[first : min(stop, first + _KEPT - 1)])
            }
            for group in range(*other.tree_group[tree : tree + 2].tolist()):
                twins[group] = known.get(theirs[group], -1)
        return twins


def both_of(one: TreeTables, other: TreeTables) -> Both | None:
    """Two tables that can go through their trees together, or None.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.shapley import compile
    >>> from pellucid.shapley.trees import TreeArrays, join_trees
    >>> stump = TreeArrays(
    ...     feature=np.array([1, -1, -1]), threshold=np.array([0.5, 0, 0]),
    ...     flags=np.zeros(3), left=np.array([1, -1, -1]), right=np.array([2, -1, -1]),
    ...     cover=np.array([4.0, 3, 1]), value=np.array([0.0, -1, 1]))
    >>> model = join_trees([stump], n_columns=2, n_outputs=1, float32=False)
    >>> rows = np.array([[0.0, 0.0], [7.0, 1.0]])
    >>> fine = compile(model, background=rows[:1])
    >>> coarse = compile(model, background=rows[:1], players=[0, 0])
    >>> [values.tolist() for values in both_of(fine, coarse).values(rows)]
    [[[0.0, 0.0], [0.0, 2.0]], [[0.0], [2.0]]]
    """
    together = one.ensemble is other.ensemble and one.slopes is None and other.slopes is None
    return Both(one, other) if together and one.n_jobs == other.n_jobs == 1 else None

"""Lineage: which input columns each output column is made of; many to many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Lineage:
    """Input columns, output columns, and the ones behind each other.

    Attributes
    ----------
    inputs, outputs : tuple of str
    parents : sparse bool, (n_inputs, n_outputs)
        True where an output is made of an input. An output may have several parents, or none.
    probed : bool
        Whether some of it was found by moving inputs instead of being read from structure.

    Examples
    --------
    >>> scale = identity(("a", "b"))
    >>> sum_up = of_pairs(("a", "b"), ("total",), [(0, 0), (1, 0)])
    >>> scale.then(sum_up).parents_of(0)
    ('a', 'b')
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parents: sparse.csr_array
    probed: bool = False

    def then(self, following: Lineage) -> Lineage:
        """The lineage of both, one after the other."""
        reached = self.parents.astype(np.int64) @ following.parents.astype(np.int64)
        return Lineage(
            self.inputs,
            following.outputs,
            sparse.csr_array(reached > 0),
            self.probed or following.probed,
        )

    def parents_of(self, output: int) -> tuple[str, ...]:
        """Names of the inputs that an output is made of."""
        column = self.parents[:, [output]].toarray().ravel()
        return tuple(self.inputs[i] for i in np.flatnonzero(column))

    def named(self, outputs: Sequence[str]) -> Lineage:
        """The same with other names of its outputs."""
        return replace(self, outputs=tuple(outputs))

    def groups(self, player_of: np.ndarray) -> np.ndarray:
        """The player of each output, when every input belongs to one: int (n_outputs,).

        -1 where an output is made of inputs of several players. One without parents never moves,
        and goes to the first player.
        """
        owner = np.zeros(len(self.outputs), dtype=np.int64)
        columns = sparse.csc_array(self.parents)
        for output in range(len(self.outputs)):
            at = columns.indices[columns.indptr[output] : columns.indptr[output + 1]]
            owners = np.unique(player_of[at])
            owner[output] = owners[0] if len(owners) == 1 else (-1 if len(owners) else 0)
        return owner


def of_pairs(
    inputs: Sequence[str], outputs: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> Lineage:
    """A lineage of pairs of an input's and an output's position."""
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    shape = (len(inputs), len(outputs))
    cells = (np.ones(len(at), dtype=bool), (at[:, 0], at[:, 1]))
    return Lineage(tuple(inputs), tuple(outputs), sparse.csr_array(cells, shape=shape, dtype=bool))


def of_owners(inputs: Sequence[str], outputs: Sequence[str], owners: Sequence[int]) -> Lineage:
    """A lineage in which each output has one parent."""
    return of_pairs(inputs, outputs, [(int(owner), i) for i, owner in enumerate(owners)])


def identity(names: Sequence[str]) -> Lineage:
    """Each column is itself."""
    return of_owners(names, names, range(len(names)))


def mixed(inputs: Sequence[str], outputs: Sequence[str]) -> Lineage:
    """Every output is made of every input."""
    full = sparse.csr_array(np.ones((len(inputs), len(outputs)), dtype=bool))
    return Lineage(tuple(inputs), tuple(outputs), full)


def placed(part: Lineage, inputs: Sequence[str], at: Sequence[int]) -> Lineage:
    """A lineage of some columns as one of all, ``at`` being their positions among all."""
    cells = sparse.coo_array(part.parents)
    rows = np.asarray(at, dtype=np.int64)[cells.row] if cells.nnz else cells.row
    wide = sparse.csr_array(
        (cells.data, (rows, cells.col)), shape=(len(inputs), len(part.outputs)), dtype=bool
    )
    return Lineage(tuple(inputs), part.outputs, wide, part.probed)


def side_by_side(parts: Sequence[Lineage], inputs: Sequence[str]) -> Lineage:
    """Outputs of several lineages of the same inputs, one after the other."""
    if not parts:
        return of_pairs(inputs, (), [])
    joined = sparse.csr_array(sparse.hstack([part.parents for part in parts]), dtype=bool)
    names = tuple(name for part in parts for name in part.outputs)
    return Lineage(tuple(inputs), names, joined, any(part.probed for part in parts))

"""An ensemble explained for two sets of players at once, as raw and engineered features are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pellucid.models.ensemble import EnsembleTables
from pellucid.models.family import Shapley
from pellucid.models.view import Scattered
from pellucid.shapley.both import both_of
from pellucid.shapley.tables import TreeTables

_Two = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Levels:
    """Tables of one ensemble for two sets of players.

    one, other : EnsembleTables
        Of the same ensemble.
    """

    one: EnsembleTables
    other: EnsembleTables

    def values(self, X: np.ndarray) -> _Two:
        """What `EnsembleTables.values` gives of each, in less time where rows are many."""
        blocks, long = self.one.blocks_of(X), self.one.is_long or self.other.is_long
        if len(X) == 1 or (len(blocks) == 1 and long):
            return self.one.values(X), self.other.values(X)
        if len(blocks) == 1:
            return self._alone(X)
        with ThreadPoolExecutor(self.one.n_cores) as pool:  # kernels release the GIL
            ours, theirs = zip(*pool.map(self._alone, blocks))
        return np.concatenate(ours), np.concatenate(theirs)

    def _alone(self, X: np.ndarray) -> _Two:
        found = [values_of(X) for values_of in self._parts]
        ours, theirs = zip(*found)
        return self.one.weigh(X, ours), self.other.weigh(X, theirs)

    @cached_property
    def _parts(self) -> list[Callable[[np.ndarray], _Two]]:
        return [_both(*parts) for parts in zip(self.one.parts, self.other.parts)]


def _both(one: Shapley, other: Shapley) -> Callable[[np.ndarray], _Two]:
    """What gives the values of both, in one pass where that is possible."""
    if isinstance(one, TreeTables) and isinstance(other, TreeTables):
        both = both_of(one, other)
        if both is not None:
            return both.values
    if isinstance(one, Scattered) and isinstance(other, Scattered) and one.member is other.member:
        see, inner = one.member.see, _both(one.inner, other.inner)

        def seen(X: np.ndarray) -> _Two:
            ours, theirs = inner(see(X))
            return one.scatter(ours), other.scatter(theirs)

        return seen
    return lambda X: (one.values(X), other.values(X))

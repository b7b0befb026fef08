"""Learning from rows of which each of several processes holds a share.

Boosting libraries add up the histograms of all shares over connections of their own, linear members
the sums that their solver takes, so that every process ends with the same member. What a fit on all
rows would look up in them beforehand, every process must take alike: it is in `Peers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from pellucid.models.boosting import Start
from pellucid.models.family import Config, Member, able_family, get_family
from pellucid.models.problem import Problem
from pellucid.models.reduction import Reduction, reduction
from pellucid.models.stored import StoredRows


@dataclass(frozen=True, eq=False)
class Peers:
    """Those who learn together, and what they agree on.

    addresses : "host:port" by rank, where LightGBM or a `reduction` listens.
    rank : of this process.
    tracker : how XGBoost's processes find one another.
    n_rows : of all shares.
    start : where boosting starts.
    codes : column of categories -> codes that may be in it, ascending.
    secret : by which a `reduction` knows the others.
    """

    addresses: tuple[str, ...]
    rank: int
    tracker: Mapping[str, Any]
    n_rows: int
    start: Start
    codes: Mapping[int, np.ndarray] = field(default_factory=dict)
    secret: bytes = field(default=b"", repr=False)

    def reduction(self) -> AbstractContextManager[Reduction]:
        """Meet the others, to add up numbers with them."""
        return reduction(self.addresses, self.rank, self.secret)

    def seeing(self, columns: np.ndarray) -> Peers:
        """The same, for a family that sees some of the columns, (n_kept,)."""
        places = {int(column): i for i, column in enumerate(columns)}
        codes = {places[at]: found for at, found in self.codes.items() if at in places}
        return replace(self, codes=codes)


class SharedFamily(Protocol):
    """A family whose processes can learn together."""

    name: str

    def fit_shared(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        peers: Peers,
    ) -> Member:
        """Learn so much from all shares, of which ``train`` is this process's."""
        ...


def learns_shared(name: str) -> bool:
    """Whether several processes can learn a family's member together.

    Examples
    --------
    >>> learns_shared("linear"), learns_shared("spline")
    (True, False)
    """
    return hasattr(get_family(name), "fit_shared")


def shared_family(name: str) -> SharedFamily:
    """The family whose processes learn together.

    Raises
    ------
    FamilyError
        It needs its rows in one place.
    """
    family: SharedFamily = able_family(name, "fit_shared", where="in one place")
    return family

"""A weighted sum of margins: itself a member, so it is explained exactly too."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.models.family import Member, Shapley, get_family
from pellucid.models.view import Scattered
from pellucid.shapley import AdditivityError
from pellucid.shapley.additivity import hold_to_margins
from pellucid.shapley.sharing import share_tables
from pellucid.shapley.tables import TreeTables

_PART = 200  # rows that are worth a thread
_LEAVES = 5_000  # leaves without a table, of all members and for few rows, that are worth threads


def available_cores() -> int:
    """Cores that this process may use, with its affinity and its container's quota."""
    import joblib

    return max(1, int(joblib.cpu_count()))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """``margin = intercept + sum of weight * member margin``.

    members : the fitted models, in the order of their weights.
    weights : (n_members,), not negative; intercept : (n_outputs,).
    names : what the leaderboard calls the members.
    """

    members: tuple[Member, ...]
    weights: np.ndarray
    intercept: np.ndarray
    names: tuple[str, ...]
    family: str = "ensemble"
    rounds: int = 0

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        total = np.tile(self.intercept, (len(X), 1))
        for weight, member in zip(self.weights, self.members):
            total += weight * member.margins(X)
        return total

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> EnsembleTables:
        """The weighted sum of the members' exact values: Shapley values are linear in the game."""

        def compile_member(member: Member) -> Shapley:
            return member.shapley(background=background, players=players)

        with ThreadPoolExecutor(max_workers=available_cores()) as pool:  # kernels release the GIL
            parts = list(pool.map(compile_member, self.members))
        return EnsembleTables(self, tuple(parts), int(players.max(initial=-1)) + 1)

    def to_files(self) -> dict[str, bytes]:
        """Each member's files in its folder, and the weights as JSON (which keeps every bit)."""
        facts = {
            "weights": self.weights.tolist(),
            "intercept": self.intercept.tolist(),
            "names": list(self.names),
            "families": [member.family for member in self.members],
        }
        files = {"ensemble.json": json.dumps(facts, indent=1).encode()}
        for i, member in enumerate(self.members):
            files |= {f"members/{i}/{name}": data for name, data in member.to_files().items()}
        return files


@dataclass(frozen=True, eq=False)
class EnsembleTables:
    """Shapley values of an ensemble: members' values, weighted and added in a fixed order.

    parts : tables of each member.
    """

    ensemble: Ensemble
    parts: tuple[Shapley, ...]
    n_players: int

    def sharing(self, other: EnsembleTables) -> tuple[EnsembleTables, EnsembleTables]:
        """These and others of the same ensemble, with what is the same in memory once."""
        pairs = [_shared(*pair) for pair in zip(self.parts, other.parts)]
        ours, theirs = zip(*pairs)
        return replace(self, parts=ours), replace(other, parts=theirs)

    @cached_property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        total = self.ensemble.intercept.copy()
        for weight, part in zip(self.ensemble.weights, self.parts):
            total += weight * part.base_values
        return total

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        return f"ensemble of {len(self.parts)} members"

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        total = np.abs(self.ensemble.intercept)
        for weight, part in zip(self.ensemble.weights, self.parts):
            total += abs(weight) * part.magnitude
        return total

    def verify(self, values: np.ndarray, margins: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Hold the values of rows to their margins; what each sum misses, (n_rows, n_outputs).

        Raises
        ------
        AdditivityError
            Values that do not add up: it names the first member that they come from, its reader
            and the row.
        """
        try:
            return hold_to_margins(self, values, margins)
        except AdditivityError:
            for name, member, part in zip(self.ensemble.names, self.ensemble.members, self.parts):
                try:
                    hold_to_margins(part, part.values(X), member.margins(X))
                except AdditivityError as error:
                    raise AdditivityError(f"member {name!r}, {error}") from None
            raise

    def values(self, X: np.ndarray) -> np.ndarray:
        """Values of rows, whose bits depend on each row alone: threads share them out.

        Many rows go in blocks, few to several members at a time, where these have long ways.
        """
        blocks = self.blocks_of(X)
        if len(blocks) == 1 and not self.is_long:
            return self._alone(X)
        with ThreadPoolExecutor(self.n_cores) as pool:  # kernels release the GIL
            if len(blocks) == 1:
                found = {i: pool.submit(self.parts[i].values, X) for i in self._longest_first}
                return self.weigh(X, (found[i].result() for i in range(len(self.parts))))
            return np.concatenate(list(pool.map(self._alone, blocks)))

    def blocks_of(self, X: np.ndarray) -> list[np.ndarray]:
        """The rows as threads share them out: one block where there is not work for two."""
        n_blocks = min(self.n_cores, len(X) // _PART)
        return np.array_split(X, n_blocks) if n_blocks > 1 else [X]

    def _alone(self, X: np.ndarray) -> np.ndarray:
        return self.weigh(X, (part.values(X) for part in self.parts))

    def weigh(self, X: np.ndarray, by_part: Iterable[np.ndarray]) -> np.ndarray:
        """Values of each member, in order, as values of the ensemble."""
        n_outputs = len(self.ensemble.intercept)
        shape: tuple[int, ...] = (len(X), self.n_players)
        total = np.zeros(shape if n_outputs == 1 else (*shape, n_outputs))
        for weight, values in zip(self.ensemble.weights, by_part):
            total += weight * values
        return total

    @cached_property
    def n_cores(self) -> int:
        """Cores that blocks of rows are shared out to."""
        return available_cores()  # counting them costs as much as a row

    @cached_property
    def _walked(self) -> list[int]:
        return [_walked_leaves(part) for part in self.parts]

    @cached_property
    def is_long(self) -> bool:
        """Whether few rows are worth threads, since many leaves have no table."""
        return sum(self._walked) > _LEAVES and len(self.parts) > 1 and self.n_cores > 1

    @cached_property
    def _longest_first(self) -> list[int]:
        return sorted(range(len(self.parts)), key=lambda i: -self._walked[i])


def _walked_leaves(part: Shapley) -> int:
    """Leaves that a row finds by going down the trees, for want of a table."""
    inner = part.inner if isinstance(part, Scattered) else part
    return len(inner.groups.deep_leaf) if isinstance(inner, TreeTables) else 0


def _shared(one: Shapley, other: Shapley) -> tuple[Shapley, Shapley]:
    if isinstance(one, TreeTables) and isinstance(other, TreeTables):
        return share_tables(one, other)
    if isinstance(one, Scattered) and isinstance(other, Scattered):
        ours, theirs = _shared(one.inner, other.inner)
        return replace(one, inner=ours), replace(other, inner=theirs)
    return one, other


def read_ensemble(files: Mapping[str, bytes]) -> Ensemble:
    """Rebuild an ensemble from what `Ensemble.to_files` gave."""
    facts: dict[str, Any] = json.loads(files["ensemble.json"])
    members = []
    for i, family in enumerate(facts["families"]):
        folder = f"members/{i}/"
        own = {name[len(folder) :]: files[name] for name in files if name.startswith(folder)}
        members.append(get_family(family).from_files(own))
    return Ensemble(
        members=tuple(members),
        weights=np.array(facts["weights"], dtype=np.float64),
        intercept=np.array(facts["intercept"], dtype=np.float64),
        names=tuple(facts["names"]),
    )

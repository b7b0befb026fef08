"""A weighted sum of margins: itself a member, so it is explained exactly too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.models.family import Member, Shapley, get_family

_PART = 200  # rows that are worth a thread


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

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """The weighted sum of the members' exact values: Shapley values are linear in the game."""

        def compile_member(member: Member) -> Shapley:
            return member.shapley(background=background, players=players)

        with ThreadPoolExecutor(max_workers=available_cores()) as pool:  # kernels release the GIL
            parts = list(pool.map(compile_member, self.members))
        return _Sum(tuple(parts), self.weights, self.intercept, int(players.max(initial=-1)) + 1)

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
class _Sum:
    """Shapley values of an ensemble: members' values, weighted and added in a fixed order."""

    parts: tuple[Shapley, ...]
    weights: np.ndarray
    intercept: np.ndarray
    n_players: int

    @property
    def base_values(self) -> np.ndarray:
        total = self.intercept.copy()
        for weight, part in zip(self.weights, self.parts):
            total += weight * part.base_values
        return total

    def values(self, X: np.ndarray) -> np.ndarray:
        """A row's bits depend on that row alone, so many rows are shared out among threads."""
        n_parts = min(available_cores(), len(X) // _PART)
        if n_parts < 2:
            return self._values(X)
        with ThreadPoolExecutor(max_workers=n_parts) as pool:  # kernels release the GIL
            return np.concatenate(list(pool.map(self._values, np.array_split(X, n_parts))))

    def _values(self, X: np.ndarray) -> np.ndarray:
        n_outputs = len(self.intercept)
        shape: tuple[int, ...] = (len(X), self.n_players)
        total = np.zeros(shape if n_outputs == 1 else (*shape, n_outputs))
        for weight, part in zip(self.weights, self.parts):
            total += weight * part.values(X)
        return total


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

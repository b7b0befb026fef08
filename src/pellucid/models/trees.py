"""A member that is a sum of trees, whichever library grew them.

The trees are kept in the one array form of `pellucid.shapley`, so the margin that is predicted is
the sum that is explained, to the last bit, and a stored member is read and scored without the
library that it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pellucid import shapley
from pellucid.models.family import Shapley
from pellucid.shapley.files import trees_from_bytes, trees_to_bytes
from pellucid.shapley.margins import ensemble_margins
from pellucid.shapley.trees import TreeEnsemble

_TABLES = 64 * 2**20  # bytes of look-up tables: filling more takes longer than it saves


@dataclass(frozen=True, eq=False)
class TreeMember:
    """Trees, the family that grew them, and for how many rounds."""

    trees: TreeEnsemble
    rounds: int
    family: str

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Sum of leaves, float64 (n_rows, n_outputs); a row's bits do not depend on the others."""
        return ensemble_margins(self.trees, X)

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """Compile the trees into lookup tables."""
        tables: Shapley = shapley.compile(
            self.trees, background=background, players=players, memory=_TABLES
        )
        return tables

    def to_files(self) -> dict[str, bytes]:
        """The arrays of the trees, and the facts as JSON."""
        facts = json.dumps({"rounds": self.rounds, "family": self.family})
        return {"trees.bin": trees_to_bytes(self.trees), "trees.json": facts.encode()}


def read_trees(files: Mapping[str, bytes]) -> TreeMember:
    """Rebuild a member from its files."""
    facts = json.loads(files["trees.json"])
    return TreeMember(
        trees_from_bytes(files["trees.bin"], name="trees.bin"),
        rounds=int(facts["rounds"]),
        family=str(facts["family"]),
    )

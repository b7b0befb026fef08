"""Exact values of a member that changes rows before its tables read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Prepared:
    """Tables behind a change of the featurizer's rows; each column stays in its place.

    source : where the margin comes from, as messages call it.
    """

    tables: Any
    prepare: Callable[[np.ndarray], np.ndarray]
    source: str

    @property
    def base_values(self) -> np.ndarray:
        """As the tables have them, (n_outputs,)."""
        base: np.ndarray = self.tables.base_values
        return base

    @property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers that margins are sums of, (n_outputs,)."""
        total: np.ndarray = self.tables.magnitude
        return total

    def values(self, X: np.ndarray) -> np.ndarray:
        """Exact values of rows as the featurizer gives them."""
        values: np.ndarray = self.tables.values(self.prepare(X))
        return values

"""A number whose exact value tells something, such as a zip code, as the position of its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.code import MOST_CODES
from pellucid.tabular.lineage import Feature

_FEWEST_ROWS = 500  # below, values repeat by chance
_FEWEST_VALUES, _MOST_VALUES = 10, 10_000
_ROWS_PER_VALUE = 3
_SPARSE = 10  # whole numbers in the range of the middle values, for each one that occurs


@dataclass(frozen=True)
class NumberCodeEncoder:
    """0 for the most frequent value, 1 for the next, and so on; NaN where there is none.

    values : whole numbers with a code of their own, the most frequent first.
    rare : whether further training values share the last code, which unseen ones then use.

    Trees that split by size need many splits to find one value among its neighbours.
    """

    values: tuple[int, ...]
    rare: bool

    type: ClassVar[str] = "number code"

    @classmethod
    def fit(cls, cells: np.ndarray) -> NumberCodeEncoder:
        """Learn the values of a column, float64 (n_rows,)."""
        values, counts = np.unique(cells[np.isfinite(cells)], return_counts=True)
        order = np.lexsort((values, -counts))
        kept = order[counts[order] >= 2][:MOST_CODES]
        return cls(tuple(values[kept].astype(np.int64).tolist()), len(kept) < len(order))

    @property
    def n_levels(self) -> int:
        """Codes that training rows have."""
        return len(self.values) + self.rare

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Values in ascending order, and the code of each."""
        values = np.array(self.values, dtype=np.float64)
        order = np.argsort(values)
        return values[order], order

    def features(self, column: str) -> tuple[Feature, ...]:
        """``zip#code``."""
        return (Feature(f"{column}#code", "code", self.n_levels),)

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        return f"its exact value as one of {self.n_levels} codes" + (
            ", rare values share one" if self.rare else ""
        )

    def fill(self, cells: np.ndarray, out: np.ndarray) -> None:
        """Write codes; a value that training did not have is one past the last own code."""
        values, codes = self._sorted
        at = np.minimum(np.searchsorted(values, cells), len(values) - 1)
        out[:, 0] = np.where(values[at] == cells, codes[at], len(values))
        out[np.isnan(cells), 0] = np.nan

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {"values": list(self.values), "rare": self.rare}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> NumberCodeEncoder:
        """Rebuild an encoder from its state."""
        return cls(tuple(facts["values"]), facts["rare"])


def repeats_sparsely(cells: np.ndarray) -> bool:
    """Whether numbers are whole, repeated and far apart, as codes and amounts from a list are.

    Where most values lie, counts and measured amounts leave few whole numbers out. Values with a
    fraction do not count: codes of them made models worse (bike_hourly's temperatures, the rates of
    bank_additional), while those of adult's capital gains and losses improved them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> repeats_sparsely(rng.choice(rng.integers(0, 99_999, 200), 5000).astype(float))
    True
    >>> repeats_sparsely(rng.lognormal(5, 1, 5000).round())
    False
    """
    known = cells[np.isfinite(cells)]
    if len(known) < _FEWEST_ROWS or (known != np.round(known)).any():
        return False
    values = np.unique(known)
    if not _FEWEST_VALUES <= len(values) <= min(_MOST_VALUES, len(known) / _ROWS_PER_VALUE):
        return False
    if np.abs(values[[0, -1]]).max() >= 2**53:  # whole numbers are not exact there
        return False
    tenth = len(values) // 10
    middle = values[tenth : len(values) - tenth]
    step = np.gcd.reduce(np.diff(values).astype(np.int64))  # round amounts are multiples
    return bool(middle[-1] - middle[0] >= _SPARSE * step * len(middle))

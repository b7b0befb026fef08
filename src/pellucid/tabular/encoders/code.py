"""A category as the position of its level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.onehot import by_frequency, targets
from pellucid.tabular.lineage import Feature
from pellucid.tabular.reading.labels import Labels

MOST_CODES = 10_000  # levels with a code of their own


@dataclass(frozen=True)
class CodeEncoder:
    """0 for the most frequent level, 1 for the next, and so on; NaN where there is none.

    levels : those with a code of their own, the most frequent first.
    rare : whether further training levels, such as those of a single row, share the last code.

    A level that training did not have counts as rare; where no level was, it is one past the last
    code. Levels of a single row are not remembered, so they cannot be told from new ones.
    """

    levels: tuple[str, ...]
    rare: bool

    type: ClassVar[str] = "code"

    @classmethod
    def fit(cls, cells: Labels) -> CodeEncoder:
        """Learn the levels of a column."""
        counts = cells.counts()
        order = by_frequency(cells)
        kept = [cells.levels[i] for i in order if counts[i] >= 2][:MOST_CODES]
        return cls(tuple(kept), len(kept) < len(order))

    @cached_property
    def _position(self) -> dict[str, int]:
        return {level: i for i, level in enumerate(self.levels)}

    @property
    def n_levels(self) -> int:
        """Codes that training rows have."""
        return len(self.levels) + self.rare

    def features(self, column: str) -> tuple[Feature, ...]:
        """``job``."""
        return (Feature(column, "code", self.n_levels),)

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        return f"one of {self.n_levels} codes" + (", rare levels share one" if self.rare else "")

    def fill(self, cells: Labels, out: np.ndarray) -> None:
        """Write codes."""
        target = targets(cells, self._position, unseen=len(self.levels), missing=-1)
        out[:, 0] = target
        out[target < 0, 0] = np.nan

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {"levels": list(self.levels), "rare": self.rare}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> CodeEncoder:
        """Rebuild an encoder from its state."""
        return cls(tuple(facts["levels"]), facts["rare"])

"""A category with many levels: how frequent each is, and columns for the most frequent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.encoders.onehot import by_frequency, mark, rare_below, targets
from pellucid.tabular.lineage import Feature
from pellucid.tabular.reading.labels import Labels

MOST_OWN = 20  # levels with a column of their own
_MOST = 20_000  # levels whose frequency is kept


@dataclass(frozen=True)
class FrequencyEncoder:
    """Share of the training rows that have a row's level, and 1 in the column of a frequent one.

    levels : the most frequent first.
    counts : training rows of each level; levels of a single row count as unseen, like new ones.
    n_rows : training rows.
    n_own : first levels that have a column of their own.
    missing : whether training rows had missing values, which then get a column of their own.
    """

    levels: tuple[str, ...]
    counts: tuple[int, ...]
    n_rows: int
    n_own: int
    missing: bool

    type: ClassVar[str] = "frequency"

    @classmethod
    def fit(cls, cells: Labels, *, mark: bool = True, most: int = MOST_OWN) -> FrequencyEncoder:
        """Learn the levels of a column, ``most`` at most with a column of their own."""
        counts = cells.counts()
        n_rows = len(cells.codes)
        order = [i for i in by_frequency(cells) if counts[i] >= 2][:_MOST]
        n_own = sum(counts[i] >= rare_below(n_rows) for i in order[:most])
        return cls(
            tuple(cells.levels[i] for i in order),
            tuple(counts[order].tolist()),
            n_rows,
            int(n_own),
            mark and bool((cells.codes < 0).any()),
        )

    @cached_property
    def _position(self) -> dict[str, int]:
        return {level: i for i, level in enumerate(self.levels)}

    @cached_property
    def _share(self) -> np.ndarray:
        """Share of each level, then of an unseen one and of a missing one; float32."""
        share = np.array(self.counts, dtype=np.float64) / self.n_rows
        return np.append(share, [0.0, np.nan]).astype(np.float32)

    def features(self, column: str) -> tuple[Feature, ...]:
        """``city#frequency``, ``city=Rome`` for frequent levels, then ``city=(missing)``."""
        own = [Feature(f"{column}={level}", "indicator") for level in self.levels[: self.n_own]]
        share = Feature(f"{column}#frequency", "share")
        return (share, *own, *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        own = f", and a column for each of the {self.n_own} most frequent" if self.n_own else ""
        return f"how frequent a level is{own}" + missing_note(self.missing)

    def fill(self, cells: Labels, out: np.ndarray) -> None:
        """Write shares and marks; a level that training did not have has share 0."""
        n_levels = len(self.levels)
        target = targets(cells, self._position, unseen=n_levels, missing=n_levels + 1)
        out[:, 0] = self._share[target]
        own = np.where(target < self.n_own, target, -1)
        if self.missing:
            own[target == n_levels + 1] = self.n_own
        mark(own, out[:, 1:])

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {
            "levels": list(self.levels),
            "counts": list(self.counts),
            "n_rows": self.n_rows,
            "n_own": self.n_own,
            "missing": self.missing,
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> FrequencyEncoder:
        """Rebuild an encoder from its state."""
        levels, counts = tuple(facts["levels"]), tuple(facts["counts"])
        return cls(levels, counts, facts["n_rows"], facts["n_own"], facts["missing"])

"""A category with few levels: one column a level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.lineage import Feature
from pellucid.tabular.reading.labels import Labels

MOST_LEVELS = 40
_AFFIRMATIVE = frozenset(("yes", "true", "y", "t", "on"))


@dataclass(frozen=True)
class OneHotEncoder:
    """1 in the column of a row's level, 0 elsewhere.

    levels : those with a column of their own, the most frequent first.
    rare : whether further training levels share a column, which unseen levels then use.
    missing : whether training rows had missing values, which then get a column of their own.

    A category of two levels needs one column only: that of "yes" or the like, else that of the less
    frequent level. An unseen level, or a missing one, is NaN there.
    """

    levels: tuple[str, ...]
    rare: bool
    missing: bool

    type: ClassVar[str] = "onehot"

    @classmethod
    def fit(cls, cells: Labels, *, mark: bool = True, most: int = MOST_LEVELS) -> OneHotEncoder:
        """Learn the levels of a column, ``most`` at most; further ones are rare."""
        counts = cells.counts()
        order = by_frequency(cells)
        fewest = rare_below(len(cells.codes))
        kept = [cells.levels[i] for i in order if counts[i] >= fewest][:most]
        missing = mark and bool((cells.codes < 0).any())
        if len(order) == len(kept) == 2 and not missing and kept[0].lower() in _AFFIRMATIVE:
            kept.reverse()
        return cls(tuple(kept), len(kept) < len(order), missing)

    @cached_property
    def single(self) -> bool:
        """Whether one column says it all."""
        return len(self.levels) == 2 and not self.rare and not self.missing

    @cached_property
    def _position(self) -> dict[str, int]:
        if self.single:
            return {self.levels[0]: -2, self.levels[1]: 0}
        return {level: i for i, level in enumerate(self.levels)}

    def features(self, column: str) -> tuple[Feature, ...]:
        """``job=clerk`` for each level, then ``job=(rare)`` and ``job=(missing)``."""
        shown = self.levels[1:] if self.single else (*self.levels, *["(rare)"] * self.rare)
        own = [Feature(f"{column}={level}", "indicator") for level in shown]
        return (*own, *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        if self.single:
            return f"1 for {self.levels[1]}, 0 for {self.levels[0]}"
        rare = ", rare levels together" if self.rare else ""
        return "one column a level" + rare + missing_note(self.missing)

    def fill(self, cells: Labels, out: np.ndarray) -> None:
        """Write the level's 1; a level that training did not have is rare, or all zeros."""
        target = targets(
            cells,
            self._position,
            unseen=len(self.levels) if self.rare else -1,
            missing=len(self.levels) + self.rare if self.missing else -1,
        )
        if self.single:
            out[:, 0] = np.select([target == 0, target == -2], [1.0, 0.0], np.nan)
        else:
            mark(target, out)

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {"levels": list(self.levels), "rare": self.rare, "missing": self.missing}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> OneHotEncoder:
        """Rebuild an encoder from its state."""
        return cls(tuple(facts["levels"]), facts["rare"], facts["missing"])


def by_frequency(cells: Labels) -> list[int]:
    """Positions of the levels that rows have, the most frequent first, ties by name."""
    counts = cells.counts()
    seen = np.flatnonzero(counts).tolist()
    return sorted(seen, key=lambda i: (-counts[i], cells.levels[i]))


def rare_below(n_rows: int) -> int:
    """Rows below which a level is too rare to learn from: 1 in 1,000, between 2 and 20."""
    return max(2, min(20, n_rows // 1000))


def targets(cells: Labels, position: Mapping[str, int], *, unseen: int, missing: int) -> np.ndarray:
    """What each row's label stands for, int (n_rows,)."""
    of_level = [position.get(level, unseen) for level in cells.levels]
    return np.array([*of_level, missing], dtype=np.int64)[cells.codes]  # code -1 finds the last


def mark(target: np.ndarray, out: np.ndarray) -> None:
    """Write 1 in each row's target column and 0 elsewhere; a negative target is all zeros."""
    out[:] = 0.0
    rows = np.flatnonzero(target >= 0)
    out[rows, target[rows]] = 1.0

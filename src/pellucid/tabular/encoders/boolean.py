"""Truth values as 1 and 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.lineage import Feature


@dataclass(frozen=True)
class BooleanEncoder:
    """1 for true, 0 for false; missing values get a column of their own if training had any."""

    missing: bool

    type: ClassVar[str] = "boolean"

    @classmethod
    def fit(cls, cells: np.ndarray, *, mark: bool = True) -> BooleanEncoder:
        """Learn from truth values, float64 (n_rows,) of 1, 0 and NaN."""
        return cls(mark and bool(np.isnan(cells).any()))

    def features(self, column: str) -> tuple[Feature, ...]:
        """``paid``, and ``paid=(missing)`` when training rows had missing values."""
        return (Feature(column, "indicator"), *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        return "1 for true, 0 for false" + missing_note(self.missing)

    def fill(self, cells: np.ndarray, out: np.ndarray) -> None:
        """Write 1, 0 or NaN, and the mark of missing ones."""
        out[:, 0] = cells
        if self.missing:
            out[:, 1] = np.isnan(cells)

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> BooleanEncoder:
        """Rebuild an encoder from its state."""
        return cls(**facts)

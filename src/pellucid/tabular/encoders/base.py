"""What every encoder of a column offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from pellucid.tabular.lineage import Feature


class Encoder(Protocol):
    """One raw column's fitted way into engineered columns: frozen, a row at a time, JSON-able.

    ``cells`` are what the column's reader gives: float64 (numbers and truth values), `Labels`,
    datetime64[us], or a list of texts.
    """

    type: ClassVar[str]

    def features(self, column: str) -> tuple[Feature, ...]:
        """The engineered columns made of raw column ``column``."""
        ...

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        ...

    def fill(self, cells: Any, out: np.ndarray) -> None:
        """Write engineered values into ``out``, float32 (n_rows, n_features)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        ...

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Encoder:
        """Rebuild an encoder from its state."""
        ...


def missing_feature(column: str, has_missing: bool) -> tuple[Feature, ...]:
    """The column that marks missing values, where there is one."""
    return (Feature(f"{column}=(missing)", "missing"),) if has_missing else ()


def missing_note(has_missing: bool) -> str:
    """How an action's sentence ends for a column with missing values."""
    return ", with a column that marks missing ones" if has_missing else ""

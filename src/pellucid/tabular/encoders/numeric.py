"""Numbers as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.lineage import Feature

_MERGED = 0.999  # share of different values that float32 must keep apart


@dataclass(frozen=True)
class NumericEncoder:
    """Values in single precision; infinite ones become the training rows' extremes.

    low, high : smallest and largest finite training value.
    missing : whether training rows had missing values, which then get a column of their own.
    offset : subtracted where single precision would merge values, as with seconds since 1970.
    filler : what missing values become; None where they stay missing.
    imputer : what ``filler`` is: "mean", "median", "mode", "zero" or "constant".
    """

    low: float
    high: float
    missing: bool
    offset: float = 0.0
    filler: float | None = None
    imputer: str = ""

    type: ClassVar[str] = "numeric"

    @classmethod
    def fit(
        cls, cells: np.ndarray, *, mark: bool = True, imputer: str | float | None = None
    ) -> NumericEncoder:
        """Learn from numbers, float64 (n_rows,); ``imputer`` as in `FeaturizationConfig`."""
        known = cells[~np.isnan(cells)]
        offset = _offset(known)
        with np.errstate(over="ignore"):
            single = (known - offset).astype(np.float32)
        finite = single[np.isfinite(single)]
        low, high = (finite.min(), finite.max()) if len(finite) else (-1.0, 1.0)
        missing = mark and len(known) < len(cells)
        if imputer is None:
            return cls(float(low), float(high), missing, offset)
        filler = _filler(known[np.isfinite(known)], imputer)
        name = imputer if isinstance(imputer, str) else "constant"
        return cls(float(low), float(high), missing, offset, filler, name)

    def features(self, column: str) -> tuple[Feature, ...]:
        """``age``, and ``age=(missing)`` when training rows had missing values."""
        value = f"{column}-{self.offset:.15g}" if self.offset else column
        return (Feature(value), *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        what = f"number less {self.offset:.15g}" if self.offset else "number as it is"
        if self.filler is not None:
            what += f", missing ones become {self.filler:.6g} ({self.imputer})"
        return what + missing_note(self.missing)

    def fill(self, cells: np.ndarray, out: np.ndarray) -> None:
        """Write single-precision values, and the mark of missing ones."""
        unknown = np.isnan(cells)
        with np.errstate(over="ignore"):
            if self.filler is not None:
                cells = np.where(unknown, self.filler, cells)
            out[:, 0] = cells - self.offset if self.offset else cells
        values = out[:, 0]
        odd = ~np.isfinite(values)
        if odd.any():
            values[odd] = np.where(values[odd] > 0, self.high, self.low)
            if self.filler is None:
                values[unknown] = np.nan  # one NaN for all, whatever its bits were
        if self.missing:
            out[:, 1] = unknown

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> NumericEncoder:
        """Rebuild an encoder from its state."""
        return cls(**facts)


def _filler(known: np.ndarray, imputer: str | float) -> float:
    """What missing values become, from finite training values, (n_known,)."""
    if not isinstance(imputer, str):
        return float(imputer)
    if imputer == "zero" or len(known) == 0:
        return 0.0
    if imputer == "mode":
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    with np.errstate(over="ignore"):
        middle = np.mean(known) if imputer == "mean" else np.median(known)
    return float(np.clip(middle, known.min(), known.max()))


def _offset(known: np.ndarray) -> float:
    """What to subtract so that single precision keeps values apart; 0 where it does anyway."""
    finite = known[np.isfinite(known)]
    if len(finite) == 0 or np.abs(finite).max() < 2**24:
        return 0.0
    n_unique = len(np.unique(finite))
    with np.errstate(over="ignore"):
        if len(np.unique(finite.astype(np.float32))) >= _MERGED * n_unique:
            return 0.0
        offset = float(f"{np.median(finite):.4g}")
        n_shifted = len(np.unique((finite - offset).astype(np.float32)))
        n_plain = len(np.unique(finite.astype(np.float32)))
    return offset if n_shifted > n_plain else 0.0

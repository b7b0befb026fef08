"""Dates as calendar parts, and as days since the first one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.lineage import Feature

_DAY = np.timedelta64(1, "D")
_PARTS = ("year", "month", "day", "yearday", "weekday", "hour", "minute")


@dataclass(frozen=True)
class DatetimeEncoder:
    """Those calendar parts that vary, and the days since the first date.

    The parts are year, month, day, day of the year, weekday (0 is Monday), hour and minute. Within
    one year the day of the year would repeat the days.

    parts : names of the parts that vary among training rows.
    start : earliest training date, microseconds since 1970; days are counted from it.
    missing : whether training rows had missing values, which then get a column of their own.
    """

    parts: tuple[str, ...]
    start: int
    missing: bool

    type: ClassVar[str] = "datetime"

    @classmethod
    def fit(cls, cells: np.ndarray, *, mark: bool = True) -> DatetimeEncoder:
        """Learn from moments, datetime64[us] (n_rows,)."""
        known = cells[~np.isnat(cells)]
        parts = tuple(p for p in _PARTS if len(np.unique(calendar_part(known, p))) > 1)
        if "year" not in parts:
            parts = tuple(p for p in parts if p != "yearday")
        start = int(known.min().astype(np.int64)) if len(known) else 0
        return cls(parts, start, mark and len(known) < len(cells))

    def features(self, column: str) -> tuple[Feature, ...]:
        """``joined.month`` and further parts, ``joined.days``, then ``joined=(missing)``."""
        parts = [Feature(f"{column}.{part}", "part") for part in self.parts]
        days = Feature(f"{column}.days")
        return (*parts, days, *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        start = str(np.datetime64(self.start, "us").astype("datetime64[D]"))
        return f"{', '.join((*self.parts, 'days'))} since {start}" + missing_note(self.missing)

    def fill(self, cells: np.ndarray, out: np.ndarray) -> None:
        """Write parts and days; NaN where there is no date."""
        unknown = np.isnat(cells)
        for i, part in enumerate(self.parts):
            out[:, i] = calendar_part(cells, part)
        n = len(self.parts)
        out[:, n] = (cells - np.datetime64(self.start, "us")) / _DAY
        out[unknown, : n + 1] = np.nan
        if self.missing:
            out[:, n + 1] = unknown

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {"parts": list(self.parts), "start": self.start, "missing": self.missing}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> DatetimeEncoder:
        """Rebuild an encoder from its state."""
        return cls(tuple(facts["parts"]), facts["start"], facts["missing"])


def calendar_part(cells: np.ndarray, part: str) -> np.ndarray:
    """A calendar part of each moment, int64 (n_rows,); anything where there is none."""
    days = cells.astype("datetime64[D]")
    months = cells.astype("datetime64[M]")
    if part == "year":
        return cells.astype("datetime64[Y]").astype(np.int64) + 1970
    if part == "month":
        return months.astype(np.int64) % 12 + 1
    if part == "day":
        return (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    if part == "yearday":
        return (days - cells.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
    if part == "weekday":
        return (days.astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    within = (cells - days).astype("timedelta64[m]").astype(np.int64)
    return within // 60 if part == "hour" else within % 60

"""Frequency: the steps that time goes in, and the cycles that usually come with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from pellucid.tabular.errors import SeriesError

Unit = Literal["microsecond", "business day", "month"]
Span = Literal["day", "week", "year"]

_SECOND = 1_000_000
_MINUTE, _HOUR, _DAY, _WEEK = 60 * _SECOND, 3600 * _SECOND, 86_400 * _SECOND, 604_800 * _SECOND
_MONTHS = {(28, 31): 1, (89, 92): 3, (181, 184): 6, (365, 366): 12}  # days between two stamps
# pandas' alias -> unit, steps of it
_ALIASES: dict[str, tuple[Unit, int]] = {
    "us": ("microsecond", 1),
    "ms": ("microsecond", 1000),
    "s": ("microsecond", _SECOND),
    "min": ("microsecond", _MINUTE),
    "h": ("microsecond", _HOUR),
    "D": ("microsecond", _DAY),
    "W": ("microsecond", _WEEK),
    "B": ("business day", 1),
    **dict.fromkeys(("MS", "ME", "BMS", "BME"), ("month", 1)),
    **dict.fromkeys(("QS", "QE", "BQS", "BQE"), ("month", 3)),
    **dict.fromkeys(("YS", "YE", "BYS", "BYE"), ("month", 12)),
}


@dataclass(frozen=True)
class Frequency:
    """Equal steps of time, counted from one moment.

    unit : what a step is made of; a calendar month is as long as it is.
    count : how many units a step has.
    anchor : the moment of position 0, in microseconds since 1970.

    Examples
    --------
    >>> days = np.array(["2024-01-31", "2024-02-29", "2024-04-30"], dtype="datetime64[us]")
    >>> monthly = detect_frequency([days])
    >>> monthly.name, monthly.positions(days)
    ('month', array([0, 1, 3]))
    >>> monthly.later(days[:1], np.array([1]))
    array(['2024-02-29T00:00:00.000000'], dtype='datetime64[us]')
    """

    unit: Unit
    count: int
    anchor: int

    @property
    def name(self) -> str:
        """In words, such as "week", "15 minutes" or "2 months"."""
        if self.unit != "microsecond":
            years, quarters = divmod(self.count, 12), divmod(self.count, 3)
            if self.unit == "month" and years[1] == 0:
                return _plural(years[0], "year")
            if self.unit == "month" and quarters[1] == 0:
                return _plural(quarters[0], "quarter")
            return _plural(self.count, self.unit)
        for size, word in (
            (_WEEK, "week"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"),
            (_SECOND, "second"),
        ):  # fmt: skip
            if self.count % size == 0:
                return _plural(self.count // size, word)
        return _plural(self.count, "microsecond")

    def positions(self, moments: np.ndarray) -> np.ndarray:
        """Steps since the anchor, int64 (n,); a moment between two steps counts as the nearer one.

        Months and business days hold the moments in them; a weekend counts as the day before it.

        Parameters
        ----------
        moments : datetime64[us] (n,), none missing
        """
        start = np.datetime64(self.anchor, "us")
        if self.unit == "month":
            months = moments.astype("datetime64[M]") - start.astype("datetime64[M]")
            return months.astype(np.int64) // self.count
        if self.unit == "business day":
            days = np.busday_offset(moments.astype("datetime64[D]"), 0, roll="preceding")
            first = np.busday_offset(start.astype("datetime64[D]"), 0, roll="preceding")
            return np.busday_count(first, days).astype(np.int64) // self.count
        since = (moments - start).astype(np.int64)
        return (since + self.count // 2) // self.count

    def later(self, moments: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Moments some steps later, datetime64[us] (n,); the end of a month stays one."""
        if self.unit == "microsecond":
            return moments + (steps * self.count).astype("timedelta64[us]")
        if self.unit == "business day":
            days = moments.astype("datetime64[D]")
            moved = np.busday_offset(days, steps * self.count, roll="preceding")
            return moved.astype("datetime64[us]") + (moments - days)
        months, days = moments.astype("datetime64[M]"), moments.astype("datetime64[D]")
        target = months + steps * self.count
        last, room = _last_day(months), _last_day(target)
        # the 31st comes back where a month has one, the 30th only where it is the last day
        day = np.where(days == last, room, np.minimum(target + (days - months), room))
        return day.astype("datetime64[us]") + (moments - days)

    @property
    def cycles(self) -> tuple[int, ...]:
        """Steps of a day, a week and a year, those that are longer than a step, ascending."""
        if self.unit == "month":
            return (12 // self.count,) if 12 % self.count == 0 and self.count < 12 else ()
        if self.unit == "business day":
            return (5, 261) if self.count == 1 else ()
        spans = (_DAY, _WEEK) if self.count < _DAY else (_WEEK, 365 * _DAY)
        return tuple(
            dict.fromkeys(round(span / self.count) for span in spans if span >= 2 * self.count)
        )

    @property
    def spans(self) -> tuple[Span, ...]:
        """Those of a day, a week and a year that are longer than a step."""
        if self.unit == "month":
            return ("year",) if self.count < 12 else ()
        if self.unit == "business day":
            return ("week", "year")
        if self.count < _DAY:
            return ("day", "week", "year")
        return ("week", "year") if self.count < _WEEK else ("year",)

    @property
    def windows(self) -> tuple[int, ...]:
        """Lengths of the windows over which the past is summed up, ascending."""
        if self.unit == "month":
            return (3, 6, 12) if self.count == 1 else (2, 4, 8)
        if self.unit == "business day":
            return (5, 20, 65)
        if self.count >= _WEEK:
            return (4, 13, 52)
        if self.count >= _DAY:
            return (7, 28, 91)
        day = max(4, _DAY // self.count)
        return (max(3, day // 4), day, 7 * day)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Frequency:
        """Rebuild a frequency from what `to_dict` gave."""
        return cls(cast(Unit, facts["unit"]), int(facts["count"]), int(facts["anchor"]))


def read_frequency(name: str, *, anchor: np.datetime64) -> Frequency:
    """The frequency that a pandas alias names, such as "h", "15min", "W" or "MS".

    Raises
    ------
    SeriesError
        For what is no such alias.

    Examples
    --------
    >>> read_frequency("15min", anchor=np.datetime64("2024-01-01")).name
    '15 minutes'
    """
    try:
        offset = pd.tseries.frequencies.to_offset(name)
        unit, count = _ALIASES[offset.rule_code.partition("-")[0]]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise SeriesError(
            f"frequency {name!r} is not known; expected one of {', '.join(_ALIASES)}, with a "
            f"number before it where needed, such as '15min'"
        ) from error
    return Frequency(unit, count * int(offset.n), _microseconds(anchor))


def detect_frequency(series: list[np.ndarray]) -> Frequency:
    """The step that is most common between neighbours of the same series.

    Parameters
    ----------
    series : list of datetime64[us] (n_moments,)
        The moments of each series, sorted.

    Raises
    ------
    SeriesError
        If no series has two different moments.

    Examples
    --------
    >>> detect_frequency([np.arange("2024-01-01", "2024-01-09", dtype="datetime64[D]")]).name
    'day'
    """
    moments = [np.unique(each.astype("datetime64[us]")) for each in series]
    none = np.empty(0, dtype=np.int64)
    steps = np.concatenate([none, *(np.diff(each).astype(np.int64) for each in moments)])
    if len(steps) == 0:
        raise SeriesError(
            "no series has two different times, so the frequency cannot be told; say it with "
            "frequency='D' or the like, or check series_columns"
        )
    every = np.concatenate(moments)
    anchor = _microseconds(every.min())
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[counts.argmax()])
    months = _months(usual, sizes, every)
    if months:
        return Frequency("month", months, anchor)
    weekday = (every.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    if usual == _DAY and weekday.max() < 5 and steps.max() >= 3 * _DAY:
        return Frequency("business day", 1, anchor)
    return Frequency("microsecond", usual, anchor)


def _months(usual: int, sizes: np.ndarray, moments: np.ndarray) -> int:
    """Months in a step, 0 when it is not made of months: they differ in length, days do not."""
    days = moments.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    same_day = len(np.unique(days - months)) == 1 or bool((days == _last_day(months)).all())
    for (low, high), count in _MONTHS.items():
        if low * _DAY <= usual <= high * _DAY:
            around = (sizes >= (low - 3) * _DAY) & (sizes <= (high + 3) * _DAY)
            if same_day or around.sum() > 1:
                return count
    return 0


def _last_day(months: np.ndarray) -> np.ndarray:
    last: np.ndarray = (months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return last


def _microseconds(moment: np.datetime64) -> int:
    return int(moment.astype("datetime64[us]").astype(np.int64))


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{count} {word}s"

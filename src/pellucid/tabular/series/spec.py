"""SeriesSpec: how a table of series becomes rows to learn from, as facts that can be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from pellucid.tabular.columns import Column
from pellucid.tabular.series.calendar import calendar_names
from pellucid.tabular.series.frequency import Frequency

_PHASES = 4  # seasons back over which values of the same phase are averaged


@dataclass(frozen=True)
class SeriesSpec:
    """What the columns of a table of series are, and what is made of them.

    A row to learn from speaks of one series, one target time, and an origin some steps before it;
    nothing in it is later than the origin but what is known in advance.

    target : whose past is a raw feature under its own name.
    time : the column of times, and how it is read.
    series_columns : columns whose values together name a series.
    columns : all columns of the table but the target, in order.
    known : those of them that are known in advance, and taken at the target time; the others are
        taken at the origin.
    compared : known columns of numbers, which are taken at the origin too.
    horizon : most steps from the origin to the target time.
    season : steps after which the baseline expects the same again.
    seasons : cycles whose phase the target's past is looked up at.
    lags : steps before the origin at which the past is looked up; 0 is the last known value.
    windows : steps up to the origin over which the past is summed up.
    """

    target: str
    time: Column
    series_columns: tuple[str, ...]
    columns: tuple[str, ...]
    known: tuple[str, ...]
    compared: tuple[str, ...]
    horizon: int
    frequency: Frequency
    season: int
    seasons: tuple[int, ...]
    lags: tuple[int, ...]
    windows: tuple[int, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """Columns that are not known in advance."""
        given = (self.time.name, *self.series_columns, *self.known)
        return tuple(name for name in self.columns if name not in given)

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that rows to forecast must have."""
        return (self.time.name, *self.series_columns, *self.known)

    @property
    def past_names(self) -> tuple[str, ...]:
        """What is made of the target's past, in the order of `past_features`.

        The seasonal naive forecast stands under the target's own name: of all that is made of the
        past it is the one value that a person would look at first.
        """
        of_lags = [f"lag_{lag}" for lag in self.lags if lag]
        of_windows = [
            f"{what}_{size}" for size in self.windows for what in self.statistics_of(size)
        ]
        of_seasons = [
            name
            for season in self.seasons
            for name in (f"season_{season}", f"season_{season}_before", f"season_{season}_mean")
        ]
        made = ("last", *of_lags, *of_windows, *of_seasons)
        return (self.target, *(f"{self.target}.{name}" for name in made))

    def statistics_of(self, window: int) -> tuple[str, ...]:
        """What is told of a window; extremes of the longest would only date the row."""
        longest = len(self.windows) > 1 and window == max(self.windows)
        return ("mean", "std") if longest else ("mean", "std", "min", "max")

    @property
    def made(self) -> dict[str, tuple[str, ...]]:
        """Raw feature -> further columns that are made of it."""
        time = self.time.name
        return {
            time: tuple(f"{time}.{name}" for name in ("step", *calendar_names(self.frequency))),
            **{name: (f"{name}.before",) for name in self.compared},
            self.target: self.past_names[1:],
        }

    @cached_property
    def sources(self) -> dict[str, str]:
        """Made column -> raw feature that it belongs to."""
        return {name: raw for raw, names in self.made.items() for name in names}

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Every column of the rows to learn from: a raw feature, then what is made of it."""
        made = self.made
        return tuple(
            name for raw in (*self.columns, self.target) for name in (raw, *made.get(raw, ()))
        )

    @property
    def kinds(self) -> dict[str, str]:
        """Kinds of the columns that are not to be inferred."""
        return {
            self.time.name: "datetime",
            **dict.fromkeys(self.series_columns, "categorical"),
            **dict.fromkeys((self.target, *self.sources), "numeric"),
        }

    @property
    def baselines(self) -> dict[str, str]:
        """Forecasts that learn nothing: name -> column that holds them."""
        seasonal = {"Seasonal naive": self.target}
        return seasonal if self.season == 1 else {**seasonal, "Last value": f"{self.target}.last"}

    @property
    def lookback(self) -> int:
        """Steps before an origin that its features may come from."""
        far = (max(self.seasons, default=0), self.season)
        return max(_PHASES * max(far), *self.windows, *(lag + 1 for lag in self.lags))

    @property
    def n_phases(self) -> int:
        """Seasons back over which values of the same phase are averaged."""
        return _PHASES

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> SeriesSpec:
        """Rebuild a spec from what `to_dict` gave, or from its JSON."""
        given: dict[str, Any] = _with_tuples(facts)
        given["time"] = Column(**_with_tuples(facts["time"]))
        given["frequency"] = Frequency.from_dict(facts["frequency"])
        return cls(**given)


def _with_tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
    }

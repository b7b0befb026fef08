"""The clock of a training: started once, asked everywhere."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A time budget on the monotonic clock, which all processes of a machine share.

    Examples
    --------
    >>> Deadline.after(60).expired
    False
    >>> Deadline.after(None).remaining
    inf
    """

    started: float
    budget: float | None

    @classmethod
    def after(cls, budget: float | None) -> Deadline:
        """A deadline ``budget`` seconds from now; None never comes."""
        return cls(time.monotonic(), budget)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        if self.budget is None:
            return float("inf")
        return max(0.0, self.budget - self.elapsed)

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0.0

    def at(self, *, reserve: float = 0.0) -> float | None:
        """The monotonic time ``reserve`` seconds before the end, or None if there is no end."""
        if self.budget is None:
            return None
        return self.started + self.budget - reserve

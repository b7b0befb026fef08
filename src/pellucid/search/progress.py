"""What a training tells its caller while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pellucid.search.trials import TrialRecord

Stage = Literal["featurize", "search", "ensemble", "refit", "explain", "store", "done"]


@dataclass(frozen=True)
class Progress:
    """One step of a training.

    elapsed, budget : seconds; ``budget`` is None without a time limit.
    metric : name of the primary metric; ``best`` its best value so far and the trial's name.
    record : the trial that just ended, in the search stage.
    """

    stage: Stage
    elapsed: float
    budget: float | None
    n_trials: int
    metric: str
    best: tuple[str, float] | None = None
    record: TrialRecord | None = None


ProgressCallback = Callable[[Progress], None]

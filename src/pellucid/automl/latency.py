"""A model that answers in time: members leave until one row is predicted and explained quickly."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from pellucid.explain.predictor import Predictor
from pellucid.models.ensemble import Ensemble
from pellucid.search.ensemble import Chosen, Part, assemble, choose
from pellucid.search.stack import Stack
from pellucid.search.trials import DataRef

_TRIES = 7


def milliseconds(predictor: Predictor, row: pd.DataFrame) -> float:
    """The quickest of some explanations of one row, over raw and engineered features."""
    times = []
    for _ in range(_TRIES + 1):  # the first compiles
        started = time.perf_counter()
        predictor.explain(row)
        times.append(time.perf_counter() - started)
    return 1000.0 * min(times[1:])


def shrink(
    data: DataRef,
    chosen: Chosen,
    parts: tuple[Part, ...],
    make: Callable[[Ensemble], Predictor],
    row: pd.DataFrame,
    *,
    budget: float,
) -> tuple[Chosen, tuple[Part, ...], float]:
    """Leave members out, the least worthy first, until a row takes at most ``budget`` ms.

    Nothing is fitted anew: the members that stay are weighed again.

    Returns
    -------
    (chosen, parts, milliseconds)
        One member stays in any case, so the time can be more than the budget.
    """
    taken = milliseconds(make(ensemble_of(data, chosen, parts)), row)
    while taken > budget and len(parts) > 1:
        chosen = choose(chosen.trials, data, max_members=len(parts) - 1)
        weights = dict(zip((t.spec.iteration for t in chosen.trials), chosen.stack.weights))
        parts = tuple(
            Part(part.spec, float(weights[part.spec.iteration]), part.rounds, part.by_fold)
            for part in parts
            if part.spec.iteration in weights
        )
        chosen = _in_order_of(parts, chosen)
        taken = milliseconds(make(ensemble_of(data, chosen, parts)), row)
    return chosen, parts, taken


def _in_order_of(parts: tuple[Part, ...], chosen: Chosen) -> Chosen:
    """The chosen trials in the order of the parts."""
    by_iteration = {trial.spec.iteration: trial for trial in chosen.trials}
    trials = tuple(by_iteration[part.spec.iteration] for part in parts)
    weights = np.array([part.weight for part in parts])
    return Chosen(trials, Stack(weights, chosen.stack.intercept), chosen.margins)


def ensemble_of(data: DataRef, chosen: Chosen, parts: tuple[Part, ...]) -> Ensemble:
    """The ensemble of parts that were fitted before."""
    members = [data.members(part.spec, refit=not part.by_fold) for part in parts]
    return assemble(parts, members, chosen.stack.intercept)

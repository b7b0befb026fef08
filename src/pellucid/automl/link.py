"""Which link a regression needs: a sum of effects, or a product of them."""

from __future__ import annotations

import time
from concurrent.futures import wait
from dataclasses import replace

import numpy as np

from pellucid.models.problem import Link
from pellucid.search.trials import DataRef, Trial, TrialSpec, run_trial
from pellucid.search.workers import Pool

_FEW_ROWS = 100
_SKEWED = 0.5  # of a target that may have multiplicative effects
_GRACE, _GRACE_SHARE = 1.5, 0.5  # seconds, and share of them, that a trial may end late
_GAIN = 0.005  # of the error, that the less usual link must gain


def may_need_log(y: np.ndarray) -> bool:
    """Whether a target could be a product of effects: not negative, and skewed to the right."""
    if len(y) < _FEW_ROWS or y.min() < 0 or y.mean() <= 0:
        return False
    centred = y - y.mean()
    spread = float(centred.std())
    return spread > 0 and float((centred**3).mean()) / spread**3 > _SKEWED


def choose_link(
    data: DataRef,
    spec: TrialSpec,
    workers: Pool,
    *,
    seconds: float | None,
    by: str = "root_mean_squared_error",
) -> tuple[Link, Trial | None, dict[str, float]]:
    """Run one configuration with each link side by side.

    Parameters
    ----------
    by : name of the error that decides.

    Returns
    -------
    (link, trial, errors)
        The better link, its trial if it ended, and the error of each.
    """
    end = None if seconds is None else time.monotonic() + seconds
    links: tuple[Link, Link] = ("identity", "log")
    running = {link: workers.submit(run_trial, with_link(data, link), spec, end) for link in links}
    # ended early it is lost, and so are the seconds in which its worker starts anew
    latest = None if seconds is None else seconds + max(_GRACE, _GRACE_SHARE * seconds)
    wait(running.values(), timeout=latest)
    trials: dict[Link, Trial] = {}
    for link, future in running.items():
        if not future.done():
            workers.end(future)
        elif future.exception() is None and future.result().usable:
            trials[link] = future.result()
    errors = {str(link): trial.record.metrics.get(by, np.inf) for link, trial in trials.items()}
    log_wins = errors.get("log", np.inf) < (1 - _GAIN) * errors.get("identity", np.inf)
    chosen: Link = "log" if log_wins else "identity"
    return chosen, trials.get(chosen), errors


def with_link(data: DataRef, link: str) -> DataRef:
    """The same data, with a margin behind another link."""
    behind: Link = "log" if link == "log" else "identity"
    return replace(data, problem=replace(data.problem, link=behind))

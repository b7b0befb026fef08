"""What a trial costs: seconds to run, told from those that ran, and work to explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.search.trials import Trial, TrialSpec

_REFERENCE = "lightgbm"
# seconds of a usual configuration with one output, relative to LightGBM's, and what each further
# output adds to that; measured on tables of 1,000-50,000 rows
_RELATIVE = {
    "prior": (0.01, 0.0),
    "naive": (0.01, 0.0),
    "linear": (0.3, 0.5),
    "spline": (0.7, 0.5),
    "lightgbm": (1.0, 1.0),
    "xgboost": (1.5, 1.0),
    "catboost": (2.0, 0.5),
    "forest": (2.0, 0.05),
}


def expected_seconds(spec: TrialSpec, trials: Sequence[Trial], *, n_outputs: int = 1) -> float:
    """Seconds that a trial is likely to take; 0 as long as nothing is known.

    The median of its family's trials, else of LightGBM's times what the family usually costs.

    Examples
    --------
    >>> expected_seconds(TrialSpec(0, "LightGBM", "lightgbm", {}, 0), [])
    0.0
    """
    for family in (spec.family, _REFERENCE):
        known = [t.record.seconds for t in trials if t.spec.family == family and t.usable]
        if known:
            return (
                float(np.median(known)) * _cost(spec.family, n_outputs) / _cost(family, n_outputs)
            )
    return 0.0


def explanation_cost(trial: Trial) -> float:
    """How much work a row's explanation is, in trees of 31 leaves; 0 for closed forms."""
    family, config = trial.spec.family, trial.spec.config
    if family == "change":  # what is added to the family inside costs nothing
        family, config = config["family"], config["config"]
    rounds = float(np.mean(trial.rounds)) if trial.rounds else 0.0
    n_rows, n_outputs = trial.margins.shape if trial.margins is not None else (0, 1)
    if family == "lightgbm":
        return rounds * n_outputs * float(config.get("num_leaves", 31)) / 31.0
    if family == "xgboost":
        depth, leaves = config.get("max_depth", 0), config.get("max_leaves", 31)
        most = min(2.0**depth if depth else 255.0, leaves or 255.0, 255.0)
        return rounds * n_outputs * most / 31.0
    if family == "catboost":  # one bit a level, and all outputs in one table
        return rounds * 2.0 ** float(config.get("depth", 6)) / 128.0
    if family == "forest":
        grown = 0.6 * n_rows / float(config.get("min_samples_leaf", 1))
        leaves = min(float(config.get("max_leaf_nodes") or grown), grown)
        return rounds * max(leaves, 2.0) / 31.0
    return 0.0


def _cost(family: str, n_outputs: int) -> float:
    one, further = _RELATIVE.get(family, (1.0, 1.0))
    return one * (1.0 + further * (n_outputs - 1))

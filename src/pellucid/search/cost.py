"""What a trial will cost, told from those that ran."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.search.trials import Trial, TrialSpec

_REFERENCE = "lightgbm"
# seconds of a usual configuration, relative to LightGBM's; measured on tables of 1,000-50,000 rows
_RELATIVE = {
    "prior": 0.01,
    "linear": 0.3,
    "spline": 1.5,
    "lightgbm": 1.0,
    "xgboost": 1.5,
    "catboost": 3.0,
    "forest": 1.5,
}


def expected_seconds(spec: TrialSpec, trials: Sequence[Trial]) -> float:
    """Seconds that a trial is likely to take; 0 as long as nothing is known.

    The median of its family's trials, else of LightGBM's times what the family usually costs.
    """
    for family in (spec.family, _REFERENCE):
        known = [t.record.seconds for t in trials if t.spec.family == family and t.usable]
        if known:
            ratio = _RELATIVE.get(spec.family, 1.0) / _RELATIVE.get(family, 1.0)
            return float(np.median(known)) * ratio
    return 0.0

"""The explanation that goes with a training: of as many rows as there is time for."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from pellucid.automl.asides import KeptApart
from pellucid.automl.preparing import Prepared
from pellucid.automl.searching import Setting
from pellucid.automl.target import Target
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor

_EXPLAINED = 1000  # rows explained during training
_PROBED = 30  # of them, to see how long that takes
_STORING = 0.5  # seconds that writing the results takes
_LEAST_SECONDS = 1.0  # that explaining is worth, however late it is


def explain_some(
    predictor: Predictor,
    prepared: Prepared,
    target: Target,
    test: KeptApart | None,
    setting: Setting,
) -> Explanation:
    """Explain a seeded sample of the test rows, or of the training rows when there are none.

    Up to 1,000 rows, and fewer where the model is slow to explain and the time short.
    """
    learned = prepared.folds.learned
    frame: pd.DataFrame = prepared.rows[learned]
    codes: np.ndarray | None = target.y[learned]
    if test is not None:
        frame, codes = test.frame, test.y
    order = np.random.default_rng(setting.options.seed).permutation(len(frame))
    kept = np.sort(order[: _affordable(predictor, frame.iloc[order[:_PROBED]], setting)])
    true = None
    if codes is not None:
        true = codes[kept] if predictor.classes is None else predictor.classes[codes[kept]]
    return predictor.explain(
        frame.iloc[kept], rows_from="train" if test is None else "test", y=true
    )


def _affordable(predictor: Predictor, probe: pd.DataFrame, setting: Setting) -> int:
    """How many rows there is time to explain, told from a few of them."""
    deadline = setting.clock.deadline
    if deadline.budget is None or len(probe) == 0:
        return _EXPLAINED
    predictor.explain(probe[:1])  # compiles
    started = time.monotonic()
    predictor.explain(probe)
    seconds = max(time.monotonic() - started, 1e-6) / len(probe)
    left = max(_LEAST_SECONDS, deadline.remaining - _STORING)
    return int(np.clip(0.8 * left / seconds, len(probe), _EXPLAINED))

"""The configurations to try: a fixed portfolio first, in order, then random ones.

Fixed portfolios win at short budgets (Salinas and Erickson, TabRepo, 2023); each entry below says
why it is there. Leaves stay at 63 or fewer: a tree's explanation costs what its depth costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.search.trials import TrialSpec

_Entry = tuple[str, str, dict[str, Any]]

PORTFOLIO: tuple[_Entry, ...] = (
    # the baseline that all must beat
    ("Prior", "prior", {}),
    # fast, calibrated, hard to beat on small or nearly linear data
    ("Linear", "linear", {"strength": 1.0}),
    # the library's usual settings: the baseline people know
    ("LightGBM", "lightgbm", {}),
    # random thresholds: a different error, so a good partner in the ensemble
    (
        "LightGBM random splits",
        "lightgbm",
        {"extra_trees": True, "num_leaves": 63, "learning_rate": 0.1, "feature_fraction": 0.8},
    ),
    # slower and wider, for data with many interactions
    (
        "LightGBM wide",
        "lightgbm",
        {
            "num_leaves": 63,
            "learning_rate": 0.05,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "min_data_in_leaf": 10,
        },
    ),
    # shallow and slow, for small or noisy data
    (
        "LightGBM shallow",
        "lightgbm",
        {"num_leaves": 7, "learning_rate": 0.06, "feature_fraction": 0.7, "min_data_in_leaf": 30},
    ),
    # strongly regularised, for many columns and few rows
    ("Linear, strong penalty", "linear", {"strength": 0.01}),
    # few features per tree, for many redundant columns
    (
        "LightGBM few columns",
        "lightgbm",
        {
            "num_leaves": 24,
            "learning_rate": 0.05,
            "feature_fraction": 0.3,
            "bagging_fraction": 0.9,
            "lambda_l2": 5.0,
        },
    ),
    # nearly free, for many rows
    ("Linear, weak penalty", "linear", {"strength": 100.0}),
)


def proposals(*, seed: int) -> Iterator[TrialSpec]:
    """The portfolio, then random LightGBM configurations without end.

    The same seed gives the same sequence, whatever the trials before scored.

    Examples
    --------
    >>> from itertools import islice
    >>> [spec.name for spec in islice(proposals(seed=0), 3)]
    ['Prior', 'Linear', 'LightGBM']
    """
    for iteration, (name, family, config) in enumerate(PORTFOLIO):
        yield TrialSpec(iteration, name, family, config, seed)
    iteration = len(PORTFOLIO)
    while True:
        config = random_lightgbm(np.random.default_rng([seed, iteration]))
        name = f"LightGBM random {iteration - len(PORTFOLIO) + 1}"
        yield TrialSpec(iteration, name, "lightgbm", config, seed + iteration)
        iteration += 1


def random_lightgbm(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a LightGBM configuration from ranges that studies and our own runs agree on."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.round(np.exp(rng.uniform(np.log(low), np.log(high))), 4))

    return {
        "learning_rate": log_uniform(0.03, 0.15),
        "num_leaves": round(log_uniform(7, 63)),
        "min_data_in_leaf": round(log_uniform(3, 80)),
        "feature_fraction": float(np.round(rng.uniform(0.3, 1.0), 2)),
        "bagging_fraction": float(np.round(rng.uniform(0.6, 1.0), 2)),
        "lambda_l1": log_uniform(1e-3, 3.0),
        "lambda_l2": log_uniform(1e-2, 20.0),
        "extra_trees": bool(rng.random() < 0.35),
    }

"""Configurations after the portfolio: drawn where earlier trials were good.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), asked for one configuration at a
time and told nothing but finished trials, so that the answer depends on these and the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.quiet import hush
from pellucid.search.trials import Trial

# family -> setting -> (low, high, kind, what a configuration that does not name it means)
Range = tuple[float, float, str, float]
SPACES: Mapping[str, Mapping[str, Range]] = {
    "lightgbm": {
        "learning_rate": (0.02, 0.15, "log", 0.08),
        "num_leaves": (6, 63, "log int", 31),
        "min_data_in_leaf": (2, 80, "log int", 20),
        "feature_fraction": (0.3, 1.0, "", 1.0),
        "bagging_fraction": (0.6, 1.0, "", 1.0),
        "lambda_l1": (1e-3, 3.0, "log", 1e-3),
        "lambda_l2": (1e-2, 20.0, "log", 1.0),
        "extra_trees": (0, 1, "int", 0),
    },
    "catboost": {
        "depth": (3, 8, "int", 6),
        "learning_rate": (0.03, 0.15, "log", 0.08),
        "l2_leaf_reg": (0.5, 20.0, "log", 3.0),
        "random_strength": (0.2, 3.0, "log", 1.0),
        "rsm": (0.4, 1.0, "", 1.0),
    },
    "xgboost": {
        "max_leaves": (6, 63, "log int", 31),
        "eta": (0.03, 0.2, "log", 0.1),
        "min_child_weight": (0.5, 30.0, "log", 5.0),
        "subsample": (0.6, 1.0, "", 1.0),
        "colsample_bytree": (0.3, 1.0, "", 0.8),
        "lambda": (0.1, 20.0, "log", 1.0),
    },
}


def suggest(
    family: str, trials: Sequence[Trial], losses: Sequence[float], *, seed: int
) -> dict[str, Any]:
    """A configuration of a family, given what its earlier trials lost.

    Parameters
    ----------
    trials, losses : trials of the family with their losses, lower is better; others are ignored.
    seed : different for every suggestion.

    Examples
    --------
    >>> config = suggest("lightgbm", [], [], seed=3)
    >>> config == suggest("lightgbm", [], [], seed=3), 6 <= config["num_leaves"] <= 63
    (True, True)
    """
    hush()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: _distribution(*limits) for name, limits in SPACES[family].items()}
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=6)
    study = optuna.create_study(sampler=sampler)
    for trial, loss in zip(trials, losses):
        if trial.spec.family == family and np.isfinite(loss):
            values = _within(trial.spec.config, family)
            study.add_trial(
                optuna.trial.create_trial(params=values, distributions=space, value=loss)
            )
    asked = study.ask(space)
    return {name: _plain(name, value) for name, value in asked.params.items()}


def _distribution(low: float, high: float, kind: str, default: float) -> Any:
    import optuna

    if "int" in kind:
        return optuna.distributions.IntDistribution(int(low), int(high), log="log" in kind)
    return optuna.distributions.FloatDistribution(low, high, log="log" in kind)


def _within(config: Mapping[str, Any], family: str) -> dict[str, Any]:
    """Every setting of a configuration, moved into the family's ranges."""
    found = {}
    for name, (low, high, kind, default) in SPACES[family].items():
        value = min(max(float(config.get(name, default)), low), high)
        found[name] = int(value) if "int" in kind else value
    return found


def _plain(name: str, value: Any) -> Any:
    if name == "extra_trees":
        return bool(value)
    return value if isinstance(value, int) else float(f"{value:.4g}")

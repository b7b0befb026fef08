"""The configurations to try first, in order, each with the reason why it is there.

Fixed portfolios win at short budgets (Salinas and Erickson, TabRepo, 2023). Leaves stay at 63 or
fewer: a tree's explanation costs what its depth costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from pellucid.models.problem import Problem
from pellucid.search.trials import TrialSpec, ViewName

_NEEDS = {"xgboost": "xgboost", "catboost": "catboost"}  # family -> package that it needs
_MONOTONE = ("prior", "lightgbm", "xgboost", "catboost")  # families that keep to a direction
_CHANGING = "LightGBM random splits"  # learns changes from a forecast
_USUAL = 3  # entries that come before those: the prior, linear and LightGBM
_FEW_ROWS, _MANY_CELLS = 15_000, 5e7


@dataclass(frozen=True)
class Facts:
    """What the portfolio looks at.

    n_levels : levels of each category that has codes.
    monotone : whether some column must have a monotone effect.
    baselines : forecasts that learn nothing: name -> configuration of the family "naive".
    """

    problem: Problem
    n_rows: int
    n_columns: int
    n_levels: Sequence[int] = ()
    monotone: bool = False
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _always(facts: Facts) -> bool:
    return True


def _categories(facts: Facts) -> bool:
    """Some category has more levels than a one-hot column or two can say."""
    return max(facts.n_levels, default=0) > 3


def _many_levels(facts: Facts) -> bool:
    return max(facts.n_levels, default=0) > 20


def _additive_link(facts: Facts) -> bool:
    """Averages of trees are no sums behind a log link."""
    return facts.problem.link == "identity" and facts.n_rows * facts.n_columns <= _MANY_CELLS


def _few_rows(facts: Facts) -> bool:
    return facts.n_rows <= _FEW_ROWS


@dataclass(frozen=True)
class Entry:
    """A configuration of the portfolio, and when it makes sense."""

    name: str
    family: str
    config: Mapping[str, Any] = field(default_factory=dict)
    view: ViewName = "indicators"
    when: Callable[[Facts], bool] = _always


PORTFOLIO: tuple[Entry, ...] = (
    # the baseline that all must beat
    Entry("Prior", "prior"),
    # fast, calibrated, hard to beat on small or nearly linear data
    Entry("Linear", "linear", {"strength": 1.0}),
    # the library's usual settings: the baseline people know
    Entry("LightGBM", "lightgbm"),
    # reads categories as they are; the best single family where categories decide
    Entry("CatBoost", "catboost", {"depth": 6}, "codes"),
    # random thresholds: a different error, so a good partner in the ensemble
    Entry(
        "LightGBM random splits",
        "lightgbm",
        {"extra_trees": True, "num_leaves": 63, "learning_rate": 0.1, "feature_fraction": 0.8},
    ),
    # fully random trees: wins where rows are near-duplicates of each other
    Entry("Extra trees", "forest", {"kind": "extra"}, "indicators", _additive_link),
    # bends in each column, no interactions: beats trees where effects simply add up
    Entry("Splines", "spline"),
    # the mean target of a level, where levels are too many for columns of their own
    Entry(
        "LightGBM target statistics",
        "lightgbm",
        {"num_leaves": 31, "learning_rate": 0.06, "feature_fraction": 0.7},
        "statistics",
        _many_levels,
    ),
    # shallow symmetric trees: few, smooth effects
    Entry("CatBoost shallow", "catboost", {"depth": 4, "learning_rate": 0.1}, "codes"),
    # slower and wider, for data with many interactions
    Entry(
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
    # another booster's regularisation and missing values
    Entry("XGBoost", "xgboost", {}, "codes"),
    # shallow and slow, for small or noisy data
    Entry(
        "LightGBM shallow",
        "lightgbm",
        {"num_leaves": 7, "learning_rate": 0.06, "feature_fraction": 0.7, "min_data_in_leaf": 30},
    ),
    # strongly regularised, for many columns and few rows
    Entry("Linear, strong penalty", "linear", {"strength": 0.01}),
    # categories in LightGBM's own way
    Entry(
        "LightGBM categories",
        "lightgbm",
        {"num_leaves": 24, "learning_rate": 0.06, "feature_fraction": 0.7},
        "codes",
        _categories,
    ),
    # few features per tree, for many redundant columns
    Entry(
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
    # deep symmetric trees, slowly
    Entry("CatBoost deep", "catboost", {"depth": 8, "learning_rate": 0.06}, "codes"),
    # bagged trees: steady on small, noisy tables
    Entry("Random forest", "forest", {"kind": "random"}, "indicators", _additive_link),
    # finer bends, for many rows
    Entry("Splines, many knots", "spline", {"knots": 50}),
    # nearly free, for many rows
    Entry("Linear, weak penalty", "linear", {"strength": 100.0}),
    # large, random trees, slowly
    Entry(
        "XGBoost wide",
        "xgboost",
        {
            "max_leaves": 63,
            "eta": 0.06,
            "subsample": 0.8,
            "colsample_bytree": 0.6,
            "min_child_weight": 3.0,
        },
        "codes",
    ),
)


def is_installed(family: str) -> bool:
    """Whether the package that a family needs can be imported."""
    return family not in _NEEDS or find_spec(_NEEDS[family]) is not None


def portfolio(
    facts: Facts, *, seed: int, allowed: Sequence[str] | None = None, blocked: Sequence[str] = ()
) -> list[TrialSpec]:
    """The entries that make sense here, in order.

    Parameters
    ----------
    allowed, blocked : names of families; the prior and the baselines always stay.

    Examples
    --------
    >>> facts = Facts(Problem("binary", 2), n_rows=1000, n_columns=5)
    >>> [spec.name for spec in portfolio(facts, seed=0)[:3]]
    ['Prior', 'Linear', 'LightGBM']
    """

    def wanted(entry: Entry) -> bool:
        family = entry.family
        if family == "prior":
            return True
        if family in blocked or (allowed is not None and family not in allowed):
            return False
        if facts.monotone and family not in _MONOTONE:
            return False
        if facts.monotone and family == "catboost" and facts.problem.n_outputs > 1:
            return False  # CatBoost has no such constraints there
        return is_installed(family) and entry.when(facts)

    entries = [entry for entry in PORTFOLIO if wanted(entry)]
    if facts.baselines:
        entries = _with_forecasts(entries, facts.baselines)
    return [
        TrialSpec(i, entry.name, entry.family, entry.config, seed, entry.view)
        for i, entry in enumerate(entries)
    ]


def _with_forecasts(
    entries: Sequence[Entry], baselines: Mapping[str, Mapping[str, Any]]
) -> list[Entry]:
    """The same with forecasts that learn nothing, and with trees of what changed since them."""
    naive = [Entry(name, "naive", config) for name, config in baselines.items()]
    trees = next((entry for entry in entries if entry.name == _CHANGING), None)
    changes = [
        Entry(
            f"Change from: {name.lower()}",
            "change",
            {**config, "family": trees.family, "config": dict(trees.config)},
        )
        for name, config in baselines.items()
        if trees is not None
    ]
    return [*entries[:1], *naive, *entries[1:_USUAL], *changes, *entries[_USUAL:]]

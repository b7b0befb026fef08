"""Explain a model: ``pellucid.explain(model, X)``, and what that is made of.

The package is named like the function that is its door, so it can be called as that function.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.explain.accumulated import accumulated_effects as accumulated_effects
    from pellucid.explain.agreement import agree as agree
    from pellucid.explain.agreement import leaders as leaders
    from pellucid.explain.changing import what_if as what_if
    from pellucid.explain.cohort import by_error as by_error
    from pellucid.explain.cohort import by_score as by_score
    from pellucid.explain.cohort import compare_cohorts as compare_cohorts
    from pellucid.explain.counterfactual import counterfactuals as counterfactuals
    from pellucid.explain.difference import diff as diff
    from pellucid.explain.difference import diff_explanations as diff_explanations
    from pellucid.explain.difference import diff_periods as diff_periods
    from pellucid.explain.failing import error_tree as error_tree
    from pellucid.explain.ground import prepare as prepare
    from pellucid.explain.interacting import interactions as interactions
    from pellucid.explain.mimic import explain_recorded as explain_recorded
    from pellucid.explain.permutation import permutation_importance as permutation_importance
    from pellucid.explain.ranking import rank as rank
    from pellucid.explain.reasons import reason_codes as reason_codes
    from pellucid.explain.response import partial_dependence as partial_dependence
    from pellucid.explain.setup import setup_explanations as setup_explanations
    from pellucid.explain.summing import residual as residual

_HOMES = {
    "explain_recorded": "mimic",
    "prepare": "ground",
    "residual": "summing",
    "setup_explanations": "setup",
    # what is beyond importances
    "accumulated_effects": "accumulated",
    "agree": "agreement",
    "by_error": "cohort",
    "by_score": "cohort",
    "compare_cohorts": "cohort",
    "counterfactuals": "counterfactual",
    "diff": "difference",
    "diff_explanations": "difference",
    "diff_periods": "difference",
    "error_tree": "failing",
    "interactions": "interacting",
    "leaders": "agreement",
    "partial_dependence": "response",
    "permutation_importance": "permutation",
    "rank": "ranking",
    "reason_codes": "reasons",
    "what_if": "changing",
}


class _Door(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """`pellucid.explain.explainer.explain`, which has the documentation."""
        from pellucid.explain.explainer import explain

        return explain(*args, **options)

    @property
    def __signature__(self) -> inspect.Signature:
        from pellucid.explain.explainer import explain

        return inspect.signature(explain)


sys.modules[__name__].__class__ = _Door


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pellucid.explain' has no attribute {name!r}")
    value = getattr(import_module(f"pellucid.explain.{_HOMES[name]}"), name)
    globals()[name] = value
    return value

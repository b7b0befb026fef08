"""Explain a model: ``pellucid.explain(model, X)``, and what that is made of.

The package is named like the function that is its door, so it can be called as that function.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Door(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """`pellucid.explain.explainer.explain`, which has the documentation."""
        from pellucid.explain.explainer import explain

        return explain(*args, **options)


sys.modules[__name__].__class__ = _Door

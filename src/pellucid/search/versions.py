"""The versions that a model depends on."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "pellucid", "numpy", "scipy", "pandas", "scikit-learn", "lightgbm", "xgboost", "xgboost-cpu",
    "catboost", "optuna",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Version of Python and of each package that is installed, by name."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found

"""The versions that a model depends on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
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


def other_versions(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """What differs from the versions that are wanted, in words.

    Examples
    --------
    >>> other_versions({"numpy": "2.0"}, {"numpy": "2.1", "scipy": "1.17"})
    ['numpy 2.0 instead of 2.1', 'scipy absent instead of 1.17']
    """
    return [
        f"{name} {found.get(name, 'absent')} instead of {version}"
        for name, version in wanted.items()
        if found.get(name) != version
    ]

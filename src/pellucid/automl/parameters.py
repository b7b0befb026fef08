"""What a parameter of an estimator may be, said before anything is done."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.family import family_names


class ParameterError(PellucidError, ValueError):
    """A parameter of an estimator has a value that cannot work."""


def check_amount(name: str, value: Any, *, unit: str) -> None:
    """Refuse what is no amount above 0; None is no limit.

    Examples
    --------
    >>> check_amount("time_budget", -1, unit="seconds")
    Traceback (most recent call last):
        ...
    pellucid.automl.parameters.ParameterError: time_budget must be a number of seconds above 0, ...
    """
    if value is not None and not (isinstance(value, Real) and 0 < float(value) < np.inf):
        raise ParameterError(
            f"{name} must be a number of {unit} above 0, or None for no limit, not {value!r}"
        )


def check_whole(name: str, value: Any, *, least: int, optional: bool = False) -> None:
    """Refuse what is no whole number of at least so much."""
    if value is None and optional:
        return
    if not isinstance(value, (int, np.integer)) or value < least:
        or_none = ", or None" if optional else ""
        raise ParameterError(
            f"{name} must be a whole number of at least {least}{or_none}, not {value!r}"
        )


def check_families(*names: str) -> None:
    """Refuse families that there are not."""
    for name in names:
        if name not in family_names():
            raise ParameterError(
                f"unknown model family {name!r}; known: {', '.join(family_names())}"
            )

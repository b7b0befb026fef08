"""The protocol of a model family, and the registry of families.

A family is admitted when the margin of its fitted models is a sum whose Shapley values are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.problem import Problem

Config = Mapping[str, Any]


class FamilyError(PellucidError):
    """A family is unknown, or cannot be used here."""


@dataclass(frozen=True)
class Rows:
    """Rows to learn from or to validate on.

    X : ndarray of float32, (n_rows, n_engineered); NaN is missing.
    y : ndarray, (n_rows,); class codes as int64, or values as float64.
    weight : ndarray of float64, (n_rows,), or None when all rows count alike.
    categorical : positions of the columns that hold category codes (0, 1, 2, ...; NaN is missing,
        and a code beyond those in the training rows is a category that they did not have).
    monotone : for each column 1 where the margin must not fall as it rises, -1 where it must not
        rise, 0 where it is free; empty when all are. Families that cannot keep to it are not asked.
    words : positions of the columns that hold the weights of words, those of a text together of
        length one.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    categorical: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


class Shapley(Protocol):
    """Exact Shapley values of one margin, compiled for a background and a set of players."""

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        ...

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        ...

    @property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        ...

    def values(self, X: np.ndarray) -> np.ndarray:
        """(n_rows, n_players), or (n_rows, n_players, n_outputs) when there are several."""
        ...


class Member(Protocol):
    """A fitted model whose margin is explained exactly."""

    family: str
    rounds: int
    """How much was learned (trees per class, iterations); a refit repeats it."""

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        ...

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """Compile the exact explanation; ``players`` maps engineered column to player."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """The model as named files that hold no code."""
        ...


class Family(Protocol):
    """A way to learn members from rows."""

    name: str

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> Member:
        """Learn from ``train``.

        Parameters
        ----------
        valid : Rows, optional
            Rows for early stopping.
        rounds : int, optional
            Learn exactly this much instead of stopping early.
        deadline : float, optional
            `time.monotonic` value after which learning ends with what it has.
        """
        ...

    def from_files(self, files: Mapping[str, bytes]) -> Member:
        """Rebuild a member from what `Member.to_files` gave."""
        ...


# name -> module with a `FAMILY` object; modules are imported when their family is used
_FAMILIES: dict[str, str] = {
    "view": "pellucid.models.view",
    "prior": "pellucid.models.prior",
    "naive": "pellucid.models.naive",
    "change": "pellucid.models.change",
    "linear": "pellucid.models.linear",
    "spline": "pellucid.models.spline",
    "lightgbm": "pellucid.models.lightgbm",
    "xgboost": "pellucid.models.xgboost",
    "catboost": "pellucid.models.catboost",
    "forest": "pellucid.models.forest",
}


def with_defaults(config: Config, defaults: Config, *, who: str) -> dict[str, Any]:
    """A configuration with what it does not name at its default.

    Raises
    ------
    FamilyError
        A setting that ``who`` does not know.

    Examples
    --------
    >>> with_defaults({"depth": 4}, {"depth": 6, "rate": 0.1}, who="LightGBM")
    {'depth': 4, 'rate': 0.1}
    """
    unknown = set(config) - set(defaults)
    if unknown:
        raise FamilyError(
            f"unknown {who} setting {sorted(unknown)}; known: {', '.join(sorted(defaults))}"
        )
    return {**defaults, **config}


def family_names() -> tuple[str, ...]:
    """Families that a search may try."""
    return tuple(name for name in _FAMILIES if name not in ("view", "prior", "naive", "change"))


def get_family(name: str) -> Family:
    """The family registered under ``name``.

    Examples
    --------
    >>> get_family("linear").name
    'linear'
    """
    if name not in _FAMILIES:
        raise FamilyError(f"unknown model family {name!r}; known: {', '.join(sorted(_FAMILIES))}")
    family: Family = import_module(_FAMILIES[name]).FAMILY
    return family


def able_family(name: str, ability: str, *, where: str) -> Any:
    """The family registered under ``name``, which must have a method ``ability``.

    Raises
    ------
    FamilyError
        It has no such method, so it needs its rows ``where``.

    Examples
    --------
    >>> able_family("linear", "fit_stored", where="in memory").name
    'linear'
    """
    family = get_family(name)
    if not hasattr(family, ability):
        raise FamilyError(f"the family {name!r} needs its rows {where}")
    return family

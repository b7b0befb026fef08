"""What scorers of foreign models say and are, and the folder that they are kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pellucid.serve.errors import ServeError

Kind = Literal["tree", "linear", "sampled"]
Groups = Mapping[str, Sequence[Any]]
FACTS = "scorer.json"


@dataclass(frozen=True, eq=False)
class Told:
    """What a scorer says of rows.

    predictions : (n_rows,), labels or values; None where only margins are known
    probabilities : (n_rows, n_classes), or None
    values : importances, (n_rows, n_features), or (n_rows, n_features, n_outputs) of several
    base_values : (n_outputs,)
    names : of the features
    method : "exact" or "sampled", with the largest standard error
    """

    predictions: np.ndarray | None
    probabilities: np.ndarray | None
    values: np.ndarray
    base_values: np.ndarray
    names: tuple[str, ...]
    method: str = "exact"
    standard_error: float | None = None


class ModelScorer(Protocol):
    """Scores rows of a model, with reasons."""

    @property
    def kind(self) -> Kind:
        """What it was made of."""
        ...

    def score(self, X: Any) -> Told:
        """Predict rows and explain them."""
        ...

    def save(self, folder: str | Path) -> None:
        """Write what `load_scorer` reads."""
        ...


def new_folder(folder: str | Path) -> Path:
    """A folder to save a scorer in.

    Raises
    ------
    ServeError
        If there is something in it.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()):
        raise ServeError(f"the folder {home} is not empty; save a scorer in one of its own")
    return home


def to_json(facts: Mapping[str, Any]) -> bytes:
    """Facts as JSON.

    Raises
    ------
    ServeError
        Classes that have no form in it.
    """
    try:
        return json.dumps(facts, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ServeError(f"classes must be text or numbers to be saved: {error}") from error

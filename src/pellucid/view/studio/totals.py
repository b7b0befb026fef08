"""What is told of all rows of a cohort, however many of them a page holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.conditions import holds
from pellucid.explain.explanation import Explanation
from pellucid.store.cohorts import NamedCohort
from pellucid.view.presets import preset_mask
from pellucid.view.studio.measures import measures_of
from pellucid.view.whole import whole_of

_IMPORTANCE = "importance of "


def cohort_totals(
    explanation: Explanation, cohort: NamedCohort | str, output: int, *, others: bool = False
) -> dict[str, Any]:
    """Sums, counts and figures, as `whole_of` and `measures_of` give them, over a cohort's rows.

    Parameters
    ----------
    explanation : Explanation
        Over raw features.
    cohort : NamedCohort or str
        Its condition may name columns, and what `Named` has besides; or the name of a cohort that
        every page offers.
    output : int
        Whose probability and importances are meant.
    others : bool
        Whether all other rows are meant.

    Raises
    ------
    ConditionError, PresetError
        A condition that cannot be read, a cohort that is not offered.
    """
    mask = cohort_mask(explanation, cohort, output)
    mask = ~mask if others else mask
    return {**whole_of(explanation, mask), "figures": measures_of(explanation, mask, output)}


def cohort_mask(explanation: Explanation, cohort: NamedCohort | str, output: int) -> np.ndarray:
    """The rows of a cohort, bool (n_rows,)."""
    if isinstance(cohort, str):
        return preset_mask(explanation, cohort, output)
    if cohort.rows is not None:
        mask = np.zeros(explanation.n_rows, dtype=bool)
        mask[[row for row in cohort.rows if row < explanation.n_rows]] = True
        return mask
    found = np.asarray(holds(cohort.where or "", Named(explanation, output)), dtype=bool)
    return np.broadcast_to(found, explanation.n_rows)


class Named(Mapping[str, Any]):
    """What names in a condition stand for: columns, and what the model makes of each row."""

    def __init__(self, explanation: Explanation, output: int) -> None:
        self._explanation, self._output = explanation, output
        details = explanation.details
        self._ours = ["row", *(["truth", "error"] if "y_true" in details else [])]
        self._ours += ["prediction"] if "predicted" in details else []
        self._ours += ["probability"] if "probability" in details else []

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys([*self._explanation.feature_names, *self._ours])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        names = self._explanation.feature_names
        if isinstance(name, str) and name.startswith(_IMPORTANCE):
            return name in names or name.removeprefix(_IMPORTANCE) in names
        return name in names or name in self._ours

    def __getitem__(self, name: str) -> Any:
        """One value a row, (n_rows,)."""
        told, names = self._explanation, self._explanation.feature_names
        if name in names:
            return told.data.iloc[:, names.index(name)]
        if name.startswith(_IMPORTANCE):
            values = told.values[:, names.index(name.removeprefix(_IMPORTANCE))]
            return values if values.ndim == 1 else values[:, self._output]
        if name == "row":
            return told.data.index.to_series()
        if name == "prediction":
            return pd.Series(list(told.details["predicted"]))
        if name == "truth":
            return pd.Series(list(told.details["y_true"]))
        if name == "probability":
            return self._chances()[:, 1 if told.n_outputs == 1 else self._output]
        return self._error()

    def _chances(self) -> np.ndarray:
        return np.asarray(self._explanation.details["probability"], dtype=np.float64)

    def _error(self) -> np.ndarray:
        """The probability that the truth did not get, or the distance from it."""
        told = self._explanation
        truth = list(told.details["y_true"])
        if told.classes is None:
            predicted = told.details.get("predicted", told.margins[:, 0])
            return np.abs(np.asarray(predicted, dtype=np.float64) - np.asarray(truth, np.float64))
        codes = pd.Index(told.classes).get_indexer(pd.Index(truth))
        error = 1 - self._chances()[np.arange(len(codes)), codes]
        return np.where(codes < 0, np.nan, error)

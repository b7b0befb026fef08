"""What would change the answer of a row, for a page: counterfactuals of the live model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.explain.alternatives import Counterfactual, CounterfactualError
from pellucid.explain.counterfactual import counterfactuals
from pellucid.explain.explanation import Explanation
from pellucid.view.studio.form import plain_cell

_BUDGET = 20_000  # rows that the model is asked about at each number of changes
_MOST = 3  # columns that change


def changes_of(
    model: Any, shown: Explanation, row: int, wanted: Any, fixed: Sequence[str]
) -> dict[str, Any]:
    """The fewest changes of a row, to values seen in the page's rows, that give an outcome.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    shown : Explanation
    row : int
    wanted : class label, (low, high) of a value, or None for any other class
    fixed : sequence of str
        Columns that stay as they are.

    Returns
    -------
    dict
        ``found``: each its ``changes`` (``feature`` as a position, ``cell``), ``response``
        (probabilities, or the value) and ``distance``. ``most``: how many columns may change.
        ``asked``: rows that the model was asked about. ``fewest``: whether fewer changes were
        ruled out. ``why``: why there is none, else None.
    """
    facts: dict[str, Any] = {"most": _MOST, "asked": 0, "fewest": False, "found": [], "why": None}
    try:
        found = counterfactuals(
            model,
            shown.data.iloc[[row]],
            X=shown.data,
            wanted=wanted,
            immutable=fixed,
            max_changes=_MOST,
            budget=_BUDGET,
        )
    except CounterfactualError as error:
        return {**facts, "why": error.reason}
    place = {name: i for i, name in enumerate(shown.feature_names)}
    each = [_plain(one, place) for one in found.found]
    return {**facts, "asked": found.asked, "fewest": found.fewest, "found": each}


def _plain(one: Counterfactual, place: dict[str, int]) -> dict[str, Any]:
    chances = np.asarray(one.response).ravel()
    return {
        "changes": [
            {"feature": place[name], "cell": plain_cell(new)}
            for name, (_, new) in one.changes.items()
        ],
        "response": chances.tolist(),
        "distance": one.distance,
    }

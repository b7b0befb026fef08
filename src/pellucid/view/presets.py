"""Cohorts that every page offers, over all explained rows: by date, truth, answer, score, error.

``web/cohorts.js`` says the same of the rows that a page holds; where those are a sample, it takes
the limits from here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.view.pack import significant

_DATES = 2  # columns
_THIRDS = ("lowest", "middle", "highest")


class PresetError(PellucidError):
    """There is no such cohort."""


def preset_cuts(raw: Explanation) -> dict[str, Any]:
    """Where the cohorts of an explanation are cut apart.

    Returns
    -------
    dict
        ``dates``: the middle of each of the first date columns by its position, in milliseconds
        since 1970. ``score``: below which margins the lowest and the middle third lie, a pair an
        output. ``error``: above which distances from the truth the largest quarter lies, or None.

    Examples
    --------
    >>> explanation = Explanation(
    ...     values=np.array([[0.5], [-1.0], [3.0]]), base_values=np.array([0.0]),
    ...     feature_names=("age",), data=pd.DataFrame({"age": [31, 40, 31]}))
    >>> preset_cuts(explanation)
    {'dates': {}, 'score': [[0.5, 3.0]], 'error': None}
    """
    off = _missed(raw)
    return {
        "dates": {
            str(f): significant(_below(_stamps(raw, f), 0.5), digits=16) for f in _date_columns(raw)
        },
        "score": [
            [significant(_below(margins, share), digits=9) for share in (1 / 3, 2 / 3)]
            for margins in raw.margins.T
        ],
        "error": None if off is None else significant(_below(np.abs(off), 0.75), digits=9),
    }


def preset_mask(raw: Explanation, preset: str, output: int) -> np.ndarray:
    """The rows of a cohort, bool (n_rows,).

    Parameters
    ----------
    raw : Explanation
    preset : str
        As ``web/cohorts.js`` calls it: "early:3", "score:lowest", "error:wrong", "true:0", ...
    output : int
        Whose score is meant.

    Raises
    ------
    PresetError
        There is no such cohort, or the rows lack what it needs.
    """
    kind, _, which = preset.partition(":")
    found = None
    if kind in ("early", "late") and which in map(str, _date_columns(raw)):
        stamps = _stamps(raw, int(which))
        middle = _below(stamps, 0.5)
        found = stamps < middle if kind == "early" else stamps >= middle
    elif kind == "score" and which in _THIRDS:
        margins = raw.margins[:, output]
        cuts = [_below(margins, share) for share in (1 / 3, 2 / 3)]
        found = np.searchsorted(cuts, margins, side="right") == _THIRDS.index(which)
    elif kind == "error":
        found = _wrong(raw, which) if raw.classes is not None else _off(raw, which)
    elif kind in ("true", "predicted") and which.isdecimal() and raw.classes is not None:
        labels = raw.details.get("y_true" if kind == "true" else "predicted")
        found = None if labels is None else class_codes(raw, labels) == int(which)
    if found is None:
        raise PresetError(f"these rows have no cohort {preset[:60]!r}")
    return found


def class_codes(raw: Explanation, labels: Any) -> np.ndarray:
    """Positions of labels among the classes, -1 for others, (n_rows,)."""
    place = {label: i for i, label in enumerate(raw.classes or ())}
    return np.fromiter((place.get(label, -1) for label in labels), np.int64, raw.n_rows)


def _wrong(raw: Explanation, which: str) -> np.ndarray | None:
    truth, said = raw.details.get("y_true"), raw.details.get("predicted")
    if truth is None or said is None or which not in ("wrong", "right"):
        return None
    codes = class_codes(raw, truth)
    same: np.ndarray = codes == class_codes(raw, said)
    return (codes >= 0) & (same if which == "right" else ~same)


def _off(raw: Explanation, which: str) -> np.ndarray | None:
    off = _missed(raw)
    if off is None:
        return None
    ways = {"over": off > 0, "under": off < 0, "large": np.abs(off) > _below(np.abs(off), 0.75)}
    return ways.get(which)


def _missed(raw: Explanation) -> np.ndarray | None:
    """Predicted less true values, where both are known."""
    truth, said = raw.details.get("y_true"), raw.details.get("predicted")
    if raw.classes is not None or truth is None or said is None:
        return None
    return np.asarray(said, dtype=np.float64) - np.asarray(truth, dtype=np.float64)


def _date_columns(raw: Explanation) -> list[int]:
    kinds = [pd.api.types.is_datetime64_any_dtype(dtype) for dtype in raw.data.dtypes]
    return np.flatnonzero(kinds)[:_DATES].tolist()


def _stamps(raw: Explanation, feature: int) -> np.ndarray:
    """Milliseconds since 1970, NaN where there is no date."""
    cells = raw.data.iloc[:, feature]
    naive = cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
    stamps = naive.to_numpy("datetime64[ms]").astype(np.float64)
    return np.where(naive.isna(), np.nan, stamps)


def _below(values: np.ndarray, share: float) -> float:
    """The value below which a share of the finite values lies, NaN where there are none."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return float("nan")
    at = min(len(known) - 1, int(share * len(known)))
    return float(np.partition(known, at)[at])

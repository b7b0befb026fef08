"""How good a model is on some of its explained rows, and how it scores them.

``web/cohort/metrics.js`` says the same of the rows that a page holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from pellucid.explain.explanation import Explanation
from pellucid.view.presets import class_codes

_BINS = 28  # of the scores
_LEAST_CHANCE = 1e-15


def measures_of(raw: Explanation, mask: np.ndarray, output: int) -> dict[str, Any]:
    """Figures of a model on some rows; None or 0 where they cannot be had of these.

    Parameters
    ----------
    raw : Explanation
    mask : bool ndarray (n_rows,)
    output : int
        Whose chance is meant.

    Returns
    -------
    dict
        ``scores``: ``edges`` of the histogram over all explained rows, ``counts`` of these, and
        their ``median``. Of classes ``chance``, ``truly``, ``known``, ``right``, ``auc`` and
        ``loss``; else ``predicted``, ``true``, ``error``, ``absolute``, ``root`` and ``r2``.
    """
    chance = _chances(raw, output)
    if raw.classes is None:
        said = np.asarray(raw.details.get("predicted", raw.margins[:, 0]), dtype=np.float64)
        return {"scores": _histogram(said, mask), **_of_values(raw, said, mask)}
    if chance is None:
        scores = _histogram(raw.margins[:, output], mask)
    else:
        scores = _histogram(chance, mask, (0.0, 1.0))
    return {"scores": scores, **_of_classes(raw, chance, mask, output)}


def _of_classes(
    raw: Explanation, chance: np.ndarray | None, mask: np.ndarray, output: int
) -> dict[str, Any]:
    place = 1 if raw.n_outputs == 1 else output
    truth = _codes(raw, "y_true")[mask]
    known = truth >= 0
    said = raw.details.get("predicted")
    right = _codes(raw, "predicted")[mask] == truth
    facts = {
        "chance": None if chance is None else _mean(chance[mask]),
        "truly": _mean(truth[known] == place),
        "known": int(known.sum()),
        "right": None if said is None else int((right & known).sum()),
    }
    if chance is None:
        return {**facts, "auc": None, "loss": None}
    given = np.asarray(raw.details["probability"], dtype=np.float64)[mask][known]
    given = given[np.arange(len(given)), truth[known]]
    return {
        **facts,
        "auc": _auc(chance[mask][known], truth[known] == place),
        "loss": _mean(-np.log(np.maximum(given, _LEAST_CHANCE))),
    }


def _of_values(raw: Explanation, said: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    truth = np.asarray(raw.details.get("y_true", np.full(raw.n_rows, np.nan)), dtype=np.float64)
    known = mask & np.isfinite(truth)
    off, level = said[known] - truth[known], truth[known]
    squares, spread = _mean(off**2), _mean((level - level.mean()) ** 2) if len(level) else None
    return {
        "predicted": _mean(said[mask]),
        "true": _mean(level),
        "error": _mean(off),
        "absolute": _mean(np.abs(off)),
        "root": None if squares is None else float(np.sqrt(squares)),
        "r2": 1 - squares / spread if squares is not None and spread else None,
    }


def _chances(raw: Explanation, output: int) -> np.ndarray | None:
    given = raw.details.get("probability")
    if given is None:
        return None
    chances: np.ndarray = np.asarray(given, dtype=np.float64)[
        :, 1 if raw.n_outputs == 1 else output
    ]
    return chances


def _codes(raw: Explanation, detail: str) -> np.ndarray:
    labels = raw.details.get(detail)
    return np.full(raw.n_rows, -1) if labels is None else class_codes(raw, labels)


def _histogram(
    scores: np.ndarray, mask: np.ndarray, edges: tuple[float, float] | None = None
) -> dict[str, Any]:
    fine = np.isfinite(scores)
    here = scores[fine & mask]
    if edges is None:
        all_ = scores[fine]
        edges = (float(all_.min()), float(all_.max())) if len(all_) else (0.0, 1.0)
    wide = edges[1] - edges[0]
    ends = edges if wide > 0 else (edges[0], edges[0] + 1.0)
    counts = np.histogram(here, bins=_BINS, range=ends)[0]
    middle = np.sort(here)[len(here) // 2] if len(here) else None
    return {
        "edges": list(edges),
        "counts": counts.tolist(),
        "median": None if middle is None else float(middle),
    }


def _auc(scores: np.ndarray, inside: np.ndarray) -> float | None:
    """The chance that a row of the class gets a higher score than another's, ties for half."""
    n = int(inside.sum())
    others = len(inside) - n
    if n == 0 or others == 0:
        return None
    ranks = rankdata(scores)[inside].sum()
    return float((ranks - n * (n + 1) / 2) / (n * others))


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return float(known.mean()) if len(known) else None

"""What is told of all explained rows where a page holds a sample of them: sums and counts.

Means of importances and histograms of columns are of every row, however many there are; single
rows, dots and what depends on them are of the rows that the page holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Explanation
from pellucid.view.pack import shown_cell, significant

_CHUNK = 65_536  # rows added up at a time
_BINS, _LEVELS = 24, 8  # of a histogram, as the page draws it
_PARTS = 7  # classes with a colour of their own
_MOST_COLUMNS = 200  # histograms that a page holds, of the most important columns


def whole_of(raw: Explanation, mask: np.ndarray | None = None) -> dict[str, Any]:
    """Sums and counts over all rows of an explanation, or over some.

    Parameters
    ----------
    raw : Explanation
    mask : bool ndarray (n_rows,), optional
        The rows that count.

    Returns
    -------
    dict
        ``n``: rows; ``size``: each level's mean absolute importances, (n_outputs, n_features);
        ``parts``: the ``classes`` or the ``cuts`` by which rows are told apart; ``columns``: a
        histogram of each raw column by part, None beyond the most important.

    Examples
    --------
    >>> explanation = Explanation(
    ...     values=np.array([[0.5], [-1.0], [3.0]]), base_values=np.array([0.25]),
    ...     feature_names=("age",), data=pd.DataFrame({"age": [31, 40, 31]}))
    >>> whole_of(explanation)["size"]["raw"]
    [[1.5]]
    >>> whole_of(explanation)["columns"]
    [{'edges': [31.0, 40.0], 'counts': [[2], [1]], 'missing': 0, 'odd': 0}]
    """
    levels = {"raw": raw, "engineered": raw.engineered}
    size = {key: _sizes(level, mask) for key, level in levels.items() if level is not None}
    parts, part, n_parts = _parts(raw)
    chosen = np.arange(raw.n_rows) if mask is None else np.flatnonzero(mask)
    order = np.argsort(-size["raw"].sum(axis=0), kind="stable")[:_MOST_COLUMNS].tolist()
    columns: list[dict[str, Any] | None] = [None] * raw.n_features
    for f in order:
        cells = raw.data.iloc[:, f]
        here = cells if mask is None else cells.iloc[chosen]
        columns[f] = _histogram(here, part[chosen], n_parts)
    return {
        "n": len(chosen),
        "size": {
            key: [[significant(v, digits=7) for v in row] for row in found]
            for key, found in size.items()
        },
        "parts": parts,
        "columns": columns,
    }


def _sizes(level: Explanation, mask: np.ndarray | None) -> np.ndarray:
    """Mean absolute importances, (n_outputs, n_features)."""
    total = np.zeros((level.n_features, level.n_outputs))
    n = 0
    for start in range(0, level.n_rows, _CHUNK):
        rows = slice(start, start + _CHUNK)
        part = level.values[rows] if mask is None else level.values[rows][mask[rows]]
        part = part.reshape(len(part), level.n_features, level.n_outputs)
        total += np.abs(part).sum(axis=0)
        n += len(part)
    return (total / max(1, n)).T


def _parts(raw: Explanation) -> tuple[dict[str, Any], np.ndarray, int]:
    """How rows are told apart, each row's part, and how many parts there are."""
    labels = raw.details.get("y_true", raw.details.get("predicted"))
    if labels is None:
        return {}, np.zeros(raw.n_rows, dtype=np.int64), 1
    if raw.classes is None:
        numbers = np.asarray(labels, dtype=np.float64)
        known = np.sort(numbers[np.isfinite(numbers)])
        if len(known) == 0:
            return {}, np.zeros(raw.n_rows, dtype=np.int64), 1
        cuts = [float(known[int(len(known) * share)]) for share in (1 / 3, 2 / 3)]
        return {"cuts": cuts}, np.searchsorted(cuts, numbers, side="right"), 3
    codes = pd.Index(raw.classes).get_indexer(pd.Index(list(labels)))
    counts = np.bincount(codes[codes >= 0], minlength=len(raw.classes))
    common = np.sort(np.argsort(-counts, kind="stable")[:_PARTS])
    common = common[counts[common] > 0]
    place = np.full(len(raw.classes) + 1, len(common))
    place[common] = np.arange(len(common))
    return {"classes": common.tolist()}, place[codes], len(common) + 1


def _histogram(cells: pd.Series, part: np.ndarray, n_parts: int) -> dict[str, Any]:
    """Counts by bin and part: equal steps of a number, the commonest levels of a category."""
    dtype = cells.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        naive = cells.dt.tz_localize(None) if cells.dt.tz is not None else cells
        stamps = naive.to_numpy("datetime64[ms]").astype(np.float64)
        return _steps(np.where(naive.isna(), np.nan, stamps), part, n_parts)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        return _steps(cells.to_numpy(dtype=np.float64, na_value=np.nan), part, n_parts)
    codes, levels = pd.factorize(cells)
    known = codes >= 0
    counts = np.bincount(codes[known], minlength=len(levels))
    spread = len(levels) > 12 and len(levels) > len(cells) / 3  # nearly each row has its own
    common = np.argsort(-counts, kind="stable")[: 0 if spread else _LEVELS]
    place = np.full(len(levels), len(common))
    place[common] = np.arange(len(common))
    n_bins = len(common) + (len(levels) > len(common))
    return {
        "levels": [shown_cell(levels[code]) for code in common],
        "others": len(levels) - len(common),
        "counts": _counts(place[codes[known]], part[known], n_bins, n_parts),
        "missing": int((~known).sum()),
        "odd": 0,
    }


def _steps(numbers: np.ndarray, part: np.ndarray, n_parts: int) -> dict[str, Any]:
    fine = np.isfinite(numbers)
    finite = numbers[fine]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    n_bins = max(1, min(_BINS, len(np.unique(finite))))
    at = (finite - low) / ((high - low) or 1.0) * n_bins
    bins = np.minimum(n_bins - 1, np.floor(np.nan_to_num(at)).astype(np.int64))
    return {
        "edges": [low, high],
        "counts": _counts(bins, part[fine], n_bins, n_parts),
        "missing": int(np.isnan(numbers).sum()),
        "odd": int(np.isinf(numbers).sum()),
    }


def _counts(bins: np.ndarray, part: np.ndarray, n_bins: int, n_parts: int) -> list[list[int]]:
    flat = np.bincount(bins * n_parts + part, minlength=n_bins * n_parts)
    table: list[list[int]] = flat.reshape(n_bins, n_parts).tolist()
    return table

"""Answers recorded for a page that cannot carry the model: some rows, one change at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor
from pellucid.view.pack import pack_numbers

_ROWS, _FEWEST_ROWS = 60, 5
_FEATURES = 12
_QUANTILES, _LEVELS = 6, 12
_ANSWERS = 6_000  # rows that the model is asked about
_NUMBERS = 60_000  # margins that a page holds: 320 KB


def recorded_answers(predictor: Predictor, shown: Explanation) -> dict[str, Any] | None:
    """What a model says of some of a page's rows with one cell changed, for the weightiest columns.

    Parameters
    ----------
    predictor : Predictor
    shown : Explanation
        The rows that the page holds, over raw features.

    Returns
    -------
    dict or None
        ``rows``: positions among the page's rows, spread over what is predicted. ``features``:
        each its ``feature`` and the rows ``at`` which the cells stand that are put in, the numbers
        in ascending order. ``margins``: for each feature, cell, row and output in turn. None for
        forecasts, whose rows stand on the past of their series, and where nothing can be changed.

    Notes
    -----
    Importances are not recorded: they take up to ten times as long as an answer, and would make
    the record several times as large.
    """
    if any(column.source for column in predictor.schema.columns) or shown.n_rows == 0:
        return None
    most = min(_ANSWERS, _NUMBERS // shown.n_outputs)
    grids = _grids(predictor, shown, most // _FEWEST_ROWS)
    n_points = sum(len(at) for at in grids.values())
    if n_points == 0:
        return None
    rows = _spread_rows(shown, max(1, min(_ROWS, most // n_points)))
    wanted = sorted({*rows, *(row for at in grids.values() for row in at)})
    place = {row: i for i, row in enumerate(wanted)}
    matrix = predictor.featurizer.transform(predictor.frame(shown.data.iloc[wanted]))
    before = matrix[[place[row] for row in rows]]
    parts = []
    for feature, at in grids.items():
        own = predictor.feature_map.raw_of == feature  # columns that are made of nothing else
        for row in at:
            changed = before.copy()
            changed[:, own] = matrix[place[row], own]
            parts.append(changed)
    margins = predictor.ensemble.margins(np.concatenate(parts))
    return {
        "rows": rows,
        "features": [{"feature": feature, "at": at} for feature, at in grids.items()],
        "margins": pack_numbers(margins.ravel()),
    }


def _grids(predictor: Predictor, shown: Explanation, most: int) -> dict[int, list[int]]:
    """The weightiest features that can be changed, each with the rows whose cells are put in."""
    kinds = {column.name: column.kind for column in predictor.schema.columns}
    sizes = np.abs(shown.values).reshape(shown.n_rows, shown.n_features, -1).mean(axis=(0, 2))
    found: dict[int, list[int]] = {}
    for feature in np.argsort(-sizes, kind="stable").tolist():
        if kinds.get(shown.feature_names[feature]) in (None, "text"):
            continue
        at = _grid(shown.data.iloc[:, feature])
        if len(at) < 2:
            continue
        if found and most < len(at) + sum(map(len, found.values())):
            break
        found[feature] = at
        if len(found) == _FEATURES:
            break
    return found


def _grid(cells: pd.Series) -> list[int]:
    """Rows that hold quantiles of numbers and times, or the commonest levels; one without a cell.

    Examples
    --------
    >>> _grid(pd.Series(["b", "a", "b", None])), _grid(pd.Series([3.0, 1.0, 1.0, np.inf]))
    ([0, 1, 3], [1, 0])
    """
    gone = np.flatnonzero(cells.isna().to_numpy())[:1].tolist()
    values, codes = _ordered(cells)
    if len(values) == 0:
        return gone
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    if values.dtype == object:
        chosen = np.argsort(-counts, kind="stable")[:_LEVELS]
    else:
        shares = np.linspace(0, 1, _QUANTILES)
        of_rows = np.quantile(np.repeat(np.arange(len(values)), counts), shares, method="nearest")
        of_values = np.quantile(np.arange(len(values)), shares, method="nearest")
        chosen = np.unique(np.concatenate([of_rows, of_values])).astype(int)
    return [int(np.flatnonzero(codes == code)[0]) for code in chosen] + gone


def _ordered(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Distinct cells, numbers and times ascending, and each row's position among them, or -1."""
    dtype = cells.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        codes, times = pd.factorize(cells, sort=True)
        return np.arange(len(times)), codes
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.where(np.isfinite(numbers), numbers, np.nan)
        codes, found = pd.factorize(known, sort=True)
        return np.asarray(found), codes
    codes, levels = pd.factorize(cells)
    return np.asarray(levels, dtype=object), codes


def _spread_rows(shown: Explanation, n: int) -> list[int]:
    """Rows evenly chosen in the order of what is predicted, of classes the commonest answer."""
    margins = shown.margins
    output = int(np.bincount(margins.argmax(axis=1)).argmax())
    order = np.argsort(margins[:, output], kind="stable")
    at = np.linspace(0, shown.n_rows - 1, min(n, shown.n_rows)).round().astype(int)
    return sorted(order[np.unique(at)].tolist())

"""Drift of a Dask table, added up as a tree: no process ever holds more than a partition.

Between two neighbouring values of the reference its share of rows is constant and the other's only
grows, so their largest difference lies at, or just below, a value of the reference. Counts of rows
at and below those values therefore give Kolmogorov and Smirnov's distance exactly, and counts of
partitions add up; so do the sums of importances and of their squares, which Welch's test takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.carried import Carried
from pellucid.explain.frames import added_up, own_predictor, sent_once
from pellucid.serve.errors import ServeError
from pellucid.serve.watch.drift import LEAST_ROWS, Drift, Told, describe, sizes_of


@dataclass(frozen=True, eq=False)
class _Sums:
    """What a partition adds.

    cells, margins : for each engineered column, and each output, counts of rows (2, n_values)
        below each value of the reference, and at or below it.
    total, squares : of absolute importances, (n_features,).
    """

    n_rows: int
    cells: tuple[np.ndarray, ...]
    margins: tuple[np.ndarray, ...]
    total: np.ndarray
    squares: np.ndarray


def measure_frame(model: Any, X: Any) -> Drift:
    """Compare the rows of a Dask DataFrame with the background of a model.

    Parameters
    ----------
    model : Predictor, or a fitted estimator of Pellucid's
    X : dask.dataframe.DataFrame, (n_rows, n_columns)

    Returns
    -------
    Drift
        As `measure` gives it of the same rows, all of them explained.

    Raises
    ------
    ExplanationError
        A model that Pellucid did not train.
    ServeError
        Too few rows.
    """
    own = own_predictor(model)
    sums: _Sums = added_up(X, _summed, _added, sent_once(Carried.of(own)))
    if sums.n_rows < LEAST_ROWS:
        raise ServeError(f"{sums.n_rows} rows are too few to compare; at least {LEAST_ROWS}")
    before = own.background
    margins = own.ensemble.margins(before)
    cells, outputs = (
        [_distance(column, own, sums.n_rows) for column, own in zip(of.T, counts, strict=True)]
        for of, counts in ((before, sums.cells), (margins, sums.margins))
    )
    mean = sums.total / sums.n_rows
    spread = np.sqrt(np.maximum(sums.squares / sums.n_rows - mean**2, 0.0))
    told = Told(mean, spread * np.sqrt(sums.n_rows / (sums.n_rows - 1)), sums.n_rows)
    return describe(own, before, margins, cells.__getitem__, outputs, told, n_rows=sums.n_rows)


def _summed(frame: pd.DataFrame, carried: Carried) -> _Sums:
    model = carried.model()
    matrix = model.featurizer.transform(model.frame(frame))
    margins = model.ensemble.margins(matrix)
    sizes = sizes_of(model, matrix, margins)
    before = model.background
    return _Sums(
        len(matrix),
        _counts(before, matrix),
        _counts(model.ensemble.margins(before), margins),
        sizes.sum(axis=0),
        np.square(sizes).sum(axis=0),
    )


def _added(sums: Sequence[_Sums]) -> _Sums:
    def add(arrays: Any) -> Any:
        return tuple(sum(each) for each in zip(*arrays, strict=True))

    return _Sums(
        sum(each.n_rows for each in sums),
        add(each.cells for each in sums),
        add(each.margins for each in sums),
        sum(each.total for each in sums),  # type: ignore[arg-type]
        sum(each.squares for each in sums),  # type: ignore[arg-type]
    )


def _counts(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, ...]:
    """For each column, rows below each value of the reference, and at or below it."""
    found = []
    for one, other in zip(_lowest(before).T, _lowest(now).T, strict=True):
        values, rows = np.unique(one), np.sort(other)
        found.append(np.array([np.searchsorted(rows, values, side) for side in ("left", "right")]))
    return tuple(found)


def _lowest(columns: np.ndarray) -> np.ndarray:
    """Missing values are the lowest, as `measure` has them."""
    return np.where(np.isnan(columns), -np.inf, columns)


def _distance(before: np.ndarray, counts: np.ndarray, n_rows: int) -> tuple[float, float]:
    """Kolmogorov and Smirnov's distance with its chance, as `scipy.stats.ks_2samp` has it."""
    from scipy.stats import kstwo

    _, own = np.unique(_lowest(before), return_counts=True)
    at = np.cumsum(own)
    shares = np.array([at - own, at]) / len(before)
    distance = float(np.abs(shares - counts / n_rows).max())
    effective = len(before) * n_rows / (len(before) + n_rows)
    return distance, float(np.clip(kstwo.sf(distance, round(effective)), 0.0, 1.0))

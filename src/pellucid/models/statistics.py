"""Mean targets of a category's codes, cross-fitted, as sums that shares of the rows add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid.models.family import Rows
from pellucid.models.problem import Problem
from pellucid.models.stored import CHUNK, StoredRows

PARTS = 5  # cross-fitting: a training row's statistic comes from the other parts
_SMOOTHING = 10.0  # rows of the prior that are added to each level
_MOST_STATISTICS = 12  # columns that one category may become


def places_of(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Row of the table for each code: unseen ones come after the codes, missing ones last."""
    missing = np.isnan(codes)
    whole = np.where(missing, 0, codes).astype(np.int64)
    places = np.where((whole < 0) | (whole >= n_codes), n_codes, whole)
    return np.where(missing, n_codes + 1, places)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean targets of one column's codes.

    table : float32 (n_codes + 2, n_statistics)
        For new rows: of each code, of an unseen one, of a missing one.
    others : float32 (n_parts, n_codes + 2, n_statistics)
        For the training rows of a part, from the rows of the others.
    part : int8 (n_rows,); that each training row belongs to.
    """

    table: np.ndarray
    others: np.ndarray
    part: np.ndarray

    def fitted(self, rows: slice, codes: np.ndarray) -> np.ndarray:
        """What stands for training rows, none of which sees its own target."""
        found: np.ndarray = self.others[self.part[rows], places_of(codes, len(self.table) - 2)]
        return found


def target_statistics(
    codes: np.ndarray, train: Rows | StoredRows, problem: Problem, rng: np.random.Generator
) -> Statistics:
    """Mean target of each code, pulled towards the mean of all (Micci-Barreca 2001).

    Parameters
    ----------
    codes : float32 (n_rows,); NaN is missing.
    """
    part = rng.integers(PARTS, size=len(codes)).astype(np.int8)
    return statistics_of(
        *code_sums(codes, part, train, count_codes(codes), frequent_classes(train.y, problem)), part
    )


def count_codes(codes: np.ndarray) -> int:
    """One more than the largest code of a column, (n_rows,)."""
    return int(np.nanmax(codes, initial=-1.0)) + 1


def code_sums(
    codes: np.ndarray,
    part: np.ndarray,
    train: Rows | StoredRows,
    n_codes: int,
    frequent: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets added up by part and code; sums of other rows may be added to them.

    Returns
    -------
    (counts, sums)
        float64 (n_parts, n_codes + 2) and (n_parts, n_codes + 2, n_statistics).
    """
    counts = np.zeros((PARTS, n_codes + 2))
    sums = np.zeros((PARTS, n_codes + 2, len(frequent) or 1))
    for start in range(0, len(codes), CHUNK):  # the goals of all rows may not fit
        rows = slice(start, start + CHUNK)
        weight = np.ones(len(codes[rows])) if train.weight is None else train.weight[rows]
        places = places_of(codes[rows], n_codes)
        goal = _goals(train.y[rows], frequent)  # (n_rows, n_statistics)
        np.add.at(counts, (part[rows], places), weight)
        np.add.at(sums, (part[rows], places), goal * weight[:, None])
    return counts, sums


def statistics_of(counts: np.ndarray, sums: np.ndarray, part: np.ndarray) -> Statistics:
    """Statistics from what `code_sums` gave, for training rows of these parts."""
    mean = sums.sum(axis=(0, 1)) / counts.sum()

    def smooth(total: np.ndarray, count: np.ndarray) -> np.ndarray:
        found: np.ndarray = (total + _SMOOTHING * mean) / (count[..., None] + _SMOOTHING)
        return found.astype(np.float32)

    return Statistics(
        smooth(sums.sum(axis=0), counts.sum(axis=0)),
        smooth(sums.sum(axis=0) - sums, counts.sum(axis=0) - counts),
        part,
    )


def frequent_classes(y: np.ndarray, problem: Problem) -> np.ndarray:
    """Classes whose share is a statistic: the second of two, else the most frequent; or none."""
    if problem.task == "regression":
        return np.zeros(0, dtype=np.int64)
    if problem.task == "binary":
        return np.ones(1, dtype=np.int64)
    ranked = np.argsort(-np.bincount(y, minlength=problem.n_classes), kind="stable")
    return np.sort(ranked[:_MOST_STATISTICS])


def _goals(y: np.ndarray, frequent: np.ndarray) -> np.ndarray:
    """What is averaged: the value, or a mark for each of some classes."""
    return (y[:, None] == frequent).astype(np.float64) if len(frequent) else y[:, None]

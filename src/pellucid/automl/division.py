"""How the training rows are divided, told from what the user gave, the rows and the time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.models.problem import Problem
from pellucid.search.folds import (
    Folds,
    fixed_fold,
    group_folds,
    holdout,
    random_folds,
    time_folds,
)

_USUAL, _FEW = 5, 3
_MANY_CELLS = 60_000  # rows x outputs above which three folds are enough
_HUGE = 300_000  # rows above which one fold is enough
_ROWS_A_SECOND = 2_500  # of the budget, below which there is time for one fold only


def divide(
    y: np.ndarray,
    problem: Problem,
    *,
    seed: int,
    budget: float | None,
    n_folds: int | None = None,
    groups: Any = None,
    moments: np.ndarray | None = None,
    n_valid: int = 0,
) -> Folds:
    """Five folds, three for much work, one held-out fifth for more than the time allows.

    Parameters
    ----------
    n_folds : int, optional
        What the user asked for.
    groups : (n_rows,), optional
        Rows of one group stay together.
    moments : (n_rows,), optional
        Models are judged by rows that come after those that they learned from.
    n_valid : int
        The last rows are a validation set that the user gave.
    """
    n_rows = len(y)
    if n_valid:
        return fixed_fold(n_rows - n_valid, n_valid)
    usual = n_folds or (_USUAL if n_rows * problem.n_outputs <= _MANY_CELLS else _FEW)
    if moments is not None:
        return time_folds(moments, n_folds=usual)
    if groups is not None:
        return group_folds(groups, n_folds=usual, seed=seed)
    hurried = budget is not None and n_rows * problem.n_outputs > _ROWS_A_SECOND * budget
    if n_folds is None and (n_rows > _HUGE or hurried):
        return holdout(y, problem, share=0.2 if n_rows <= _HUGE else 0.1, seed=seed)
    return random_folds(y, problem, n_folds=usual, seed=seed)

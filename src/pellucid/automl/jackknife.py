"""How far a score may be off by the choice of its rows: intervals by leaving out parts of them.

The delete-a-group jackknife (Kott 2001; Wolter 2007, chapter 4): rows are divided into parts, the
score is computed without each of them, and from how much it moves follows its standard error. It
takes twenty scores where a bootstrap takes hundreds, and parts may be whole groups of rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from pellucid.models.problem import Problem
from pellucid.search.metrics import get_metric

_PARTS = 20
_MOST_ROWS = 20_000  # that scores are computed of; the error of more follows from their number
_LEAST_PARTS, _FEWEST = 3, 20  # parts, and rows, of which something can be told


def jackknife_intervals(
    y: np.ndarray,
    margins: np.ndarray,
    problem: Problem,
    names: Sequence[str],
    *,
    part: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Intervals of scores, for other rows from where these came from.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class codes or values.
    margins : ndarray, (n_rows, n_outputs)
    names : sequence of str
        Metrics of the task.
    part : ndarray of int, (n_rows,), optional
        Rows that go together, such as those of a fold of groups; by default twenty parts at random.
    weight : ndarray, (n_rows,), optional
    confidence : float
    seed : int

    Returns
    -------
    dict of metric to (low, high)
        A metric that is not defined without one of the parts, or that is the same without any
        of them (as when no row is wrong), is left out.

    Examples
    --------
    >>> y = np.arange(200) % 2
    >>> margins = np.where(np.arange(200) % 5 == 0, -1.0, 1.0)[:, None] * (2 * y[:, None] - 1)
    >>> low, high = jackknife_intervals(y, margins, Problem("binary", 2), ["accuracy"])["accuracy"]
    >>> low < 0.8 < high and high - low < 0.2
    True
    """
    rng = np.random.default_rng(seed)
    if part is None:
        part = rng.permutation(len(y)) % min(_PARTS, max(len(y), 1))
    kept = np.sort(rng.permutation(len(y))[:_MOST_ROWS])
    parts = np.unique(part[kept])
    if len(parts) < _LEAST_PARTS or len(y) < _FEWEST:
        return {}
    response = problem.response(margins)

    def compute(name: str, rows: np.ndarray) -> float:
        found = None if weight is None else weight[rows]
        return get_metric(name, problem).compute(y[rows], response[rows], found)

    shrink = float(np.sqrt(len(kept) / len(y)))
    intervals = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns about classes that are absent
        for name in names:
            without = np.array([compute(name, kept[part[kept] != each]) for each in parts])
            error = shrink * _standard_error(without)
            if np.isfinite(error) and error > 0:
                value = compute(name, np.arange(len(y)))
                better = get_metric(name, problem).higher_is_better
                intervals[name] = _around(value, error, len(parts), confidence, capped=better)
    return intervals


def _standard_error(without: np.ndarray) -> float:
    """Of a score, from the scores without each part."""
    n = len(without)
    return float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))


def _around(
    value: float, error: float, n_parts: int, confidence: float, *, capped: bool
) -> tuple[float, float]:
    """The interval; scores of which more is better end at 1, errors at 0."""
    from scipy.stats import t

    half = float(t.ppf((1 + confidence) / 2, n_parts - 1)) * error
    low, high = value - half, value + half
    return (low, min(high, 1.0)) if capped else (max(low, 0.0), high)

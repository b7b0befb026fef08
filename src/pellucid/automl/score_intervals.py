"""How far a score on test rows may be from what it would be on many more rows like them."""

from __future__ import annotations

import numpy as np

from pellucid.models.problem import Problem
from pellucid.search.uncertainty import Z, half_interval

_LEAST = 1e-15  # as in the log loss
_FEWEST = 20  # rows of which a normal approximation can speak


def score_intervals(
    y: np.ndarray, margins: np.ndarray, problem: Problem
) -> dict[str, tuple[float, float]]:
    """95% intervals of those metrics that have one in closed form.

    They say what other test rows would have changed, if rows are drawn independently; not what
    another training would have. Other metrics have none.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class codes or values.
    margins : ndarray, (n_rows, n_outputs)
        Margins of rows that the model was not fitted on.

    Returns
    -------
    dict
        Metric -> (low, high). Empty for fewer than 20 rows; without metrics whose rows all say the
        same, of which an approximation would say that they are certain.

    References
    ----------
    Accuracy: Wilson, JASA 22 (1927). Area under the ROC curve: DeLong et al., Biometrics 44 (1988),
    by ranks. Means over rows (log loss, absolute error): the central limit theorem; the root of the
    mean squared error: the root of such an interval's ends.

    Examples
    --------
    >>> y = np.arange(100.0)
    >>> wrong = np.tile([1.0, -3.0], 50)
    >>> low, high = score_intervals(y, (y + wrong)[:, None], Problem("regression"))[
    ...     "mean_absolute_error"]
    >>> round(low, 2), round(high, 2)
    (1.8, 2.2)
    """
    if len(y) < _FEWEST:
        return {}
    response = problem.response(margins)
    if not problem.is_classification:
        missed = np.abs(response - y)
        low, high = _of_mean(missed**2)
        found = {
            "root_mean_squared_error": (float(np.sqrt(low)), float(np.sqrt(high))),
            "mean_absolute_error": _of_mean(missed),
        }
        return _uncertain(found)
    own = response[np.arange(len(y)), y]
    found = {
        "accuracy": _of_share(int((response.argmax(axis=1) == y).sum()), len(y)),
        "log_loss": _of_mean(-np.log(np.maximum(own, _LEAST))),
    }
    if problem.task == "binary" and min(np.bincount(y, minlength=2)) > 1:
        found["AUC_weighted"] = _of_area(y == 1, response[:, 1])
    return _uncertain(found)


def _uncertain(found: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {metric: (low, high) for metric, (low, high) in found.items() if high - low > 1e-12}


def _of_mean(values: np.ndarray) -> tuple[float, float]:
    half = half_interval(values)
    return float(max(0.0, values.mean() - half)), float(values.mean() + half)


def _of_share(k: int, n: int) -> tuple[float, float]:
    """Wilson's interval of k of n."""
    half = Z * np.sqrt(k * (n - k) / n + Z**2 / 4)
    middle, whole = k + Z**2 / 2, n + Z**2
    return float(max(0.0, (middle - half) / whole)), float(min(1.0, (middle + half) / whole))


def _of_area(hit: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """DeLong's interval: each row's share of the other class that it is on the right side of."""
    from scipy.stats import rankdata

    hits, others = scores[hit], scores[~hit]
    ranks = rankdata(scores)
    above = (ranks[hit] - rankdata(hits)) / len(others)  # (n_hits,)
    below = 1.0 - (ranks[~hit] - rankdata(others)) / len(hits)  # (n_others,)
    area = above.mean()
    half = Z * np.sqrt(above.var(ddof=1) / len(hits) + below.var(ddof=1) / len(others))
    return float(max(0.0, area - half)), float(min(1.0, area + half))

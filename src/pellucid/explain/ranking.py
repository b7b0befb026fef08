"""The global ranking with what chance could have done to it: intervals, tied ranks, stability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import AskError, values_of
from pellucid.explain.explanation import Explanation
from pellucid.explain.response import check_confidence


@dataclass(frozen=True, eq=False)
class Ranking:
    """Global importances of a sample of rows, and what other samples as large would have said.

    Attributes
    ----------
    table : DataFrame, a row per feature, the most important first
        ``importance`` with its interval ``low`` to ``high``; ``rank``, and the interval
        ``first`` to ``last`` of ranks; ``tied``: one plus the number of features that are surely
        more important, so that features of one tied rank cannot be told apart.
    stability : float
        Mean rank correlation (Spearman) between this ranking and those of resampled rows.
    top : int
        How many features the next figure looks at.
    top_kept : float
        Mean share of the most important ones that stay among them.
    n_rows : int
    confidence : float
    """

    table: pd.DataFrame
    stability: float
    top: int
    top_kept: float
    n_rows: int
    confidence: float


def rank(
    explanation: Explanation,
    *,
    label: Any = None,
    repeats: int = 500,
    top: int = 5,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Ranking:
    """Rank features by mean absolute importance, and resample rows to see what holds.

    Parameters
    ----------
    explanation : Explanation
    label : optional
        Of three or more classes, the one to rank for; by default the mean over classes.
    repeats : int
        Resamples of the rows.
    top : int
    confidence : float
    random_state : int

    Raises
    ------
    AskError
        Fewer than two rows, or fewer than two repeats.

    Notes
    -----
    Percentile intervals of the bootstrap (Efron and Tibshirani 1993, chapter 13). A feature is
    surely more important than another when their paired difference is further from zero than
    chance would have it, by the bootstrap's standard error and the normal distribution.

    Examples
    --------
    >>> explanation = Explanation(
    ...     values=np.array([[3.0, 1.0, 0.9], [-2.0, 1.0, 1.1]]), base_values=np.zeros(1),
    ...     feature_names=("a", "b", "c"), data=pd.DataFrame(np.zeros((2, 3))))
    >>> rank(explanation).table["tied"].to_dict()
    {'a': 1, 'b': 2, 'c': 2}
    """
    check_confidence(confidence)
    if repeats < 2:
        raise AskError(f"repeats is {repeats}; an interval needs at least two, better 200")
    sizes = magnitudes(explanation, label)
    n_rows, n_features = sizes.shape
    if n_rows < 2:
        raise AskError(f"there are {n_rows} explained rows; an interval needs at least two")
    rng, even = np.random.default_rng(random_state), np.full(n_rows, 1 / n_rows)
    resampled = np.stack([rng.multinomial(n_rows, even) @ sizes for _ in range(repeats)]) / n_rows
    means = sizes.mean(axis=0)
    order = np.argsort(-means, kind="stable")
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(resampled, ends, axis=0)
    ranks = ranks_of(resampled)
    first, last = np.quantile(ranks, ends, axis=0, method="nearest")
    table = pd.DataFrame(
        {
            "importance": means,
            "low": np.minimum(low, means),  # rounding apart, where rows do not differ
            "high": np.maximum(high, means),
            "rank": ranks_of(means[None, :])[0].astype(int),
            "first": first.astype(int),
            "last": last.astype(int),
            "tied": _tied(means, resampled, confidence),
        },
        index=pd.Index(explanation.feature_names, name="feature"),
    )
    top = min(top, n_features)
    kept = (ranks[:, order[:top]] <= top).mean()
    return Ranking(
        table=table.iloc[order],
        stability=float(np.mean([agreement_of(means, each) for each in resampled])),
        top=top,
        top_kept=float(kept),
        n_rows=n_rows,
        confidence=confidence,
    )


def magnitudes(explanation: Explanation, label: Any = None) -> np.ndarray:
    """Absolute importances (n_rows, n_features): of a class, or the mean over all."""
    if label is not None or explanation.n_outputs == 1:
        return np.abs(values_of(explanation, label))
    return np.abs(explanation.values).mean(axis=2)


def ranks_of(importances: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the largest; equal ones keep the order of the columns."""
    return np.argsort(np.argsort(-importances, axis=-1, kind="stable"), axis=-1) + 1


def agreement_of(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two sets of importances; 1 where nothing can be ranked."""
    from scipy.stats import rankdata

    if len(a) < 2:
        return 1.0
    first, second = rankdata(a), rankdata(b)
    spread = first.std() * second.std()
    if spread == 0:
        return 1.0 if np.array_equal(first, second) else 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


def _tied(means: np.ndarray, resampled: np.ndarray, confidence: float) -> np.ndarray:
    from scipy.stats import norm

    if len(means) == 1:
        return np.ones(1, dtype=int)
    shared = np.cov(resampled, rowvar=False)
    own = np.diag(shared)
    error = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * shared, 0.0))
    lead = means[:, None] - means[None, :]  # of the row's feature over the column's
    rounding = 1e-12 * np.abs(means).max(initial=0.0)
    surely = lead > norm.ppf((1 + confidence) / 2) * error + rounding
    return surely.sum(axis=0) + 1

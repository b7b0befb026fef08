"""Permutation importance beside Shapley's, and where the two disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import AskError, ask_by_cell, changed
from pellucid.explain.explainer import explain
from pellucid.explain.losses import Measure, losses_of
from pellucid.explain.ranking import agreement_of, rank
from pellucid.explain.response import check_confidence

_SHARE = 0.1  # of all importance, from which a feature counts for something


@dataclass(frozen=True, eq=False)
class Permutation:
    """How much worse the model predicts when one raw column is shuffled.

    Attributes
    ----------
    table : DataFrame, a row per feature, the most important by permutation first
        ``importance``: mean rise of the loss, with its spread ``sd`` over shuffles and the interval
        ``low`` to ``high`` of its mean over rows and shuffles; ``shapley``, its interval's ends and
        the ranks of both; ``disagree``: how the two differ beyond chance, or "": one gives the
        feature surely a tenth of all importance, and the other surely less, or nothing.
    loss : float
        Of the model as it is.
    correlation : float
        Rank correlation (Spearman) of both.
    """

    table: pd.DataFrame
    loss: float
    correlation: float


def permutation_importance(
    model: Any,
    X: Any,
    y: Any,
    *,
    background: Any = None,
    measure: Measure | None = None,
    repeats: int = 10,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Permutation:
    """Shuffle each raw column, see how much the loss rises, and compare with Shapley values.

    Permutation says what the
    model's accuracy needs, Shapley values what its answers are made of: a feature that moves
    answers and does not make them better is high in one and low in the other, as after overfitting.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    X : table, (n_rows, n_columns)
        Best rows that the model did not learn from.
    y : array, (n_rows,)
        Labels or values.
    background : table, optional
        As in `pellucid.explain`.
    measure : "wrong", "log loss", "absolute" or "squared", optional
        The loss: by default the log loss of classes, and the squared error of values.
    repeats : int
        Shuffles of each column.
    confidence : float
    random_state : int

    Raises
    ------
    AskError
        ``y`` of another length, labels that the model has not, a measure that does not fit, or
        fewer than two rows or repeats.

    Notes
    -----
    Breiman (2001), section 10; Fisher, Rudin and Dominici (2019). The interval is that of a mean
    over pairs of rows, one of which gives its cell to the other: a U-statistic, whose error is that
    of a mean over rows in both of their parts (Hoeffding 1948).

    Examples
    --------
    >>> X = pd.DataFrame({"a": np.arange(8.0), "b": np.arange(8.0) % 3})
    >>> found = permutation_importance(lambda rows: rows["a"], X, X["a"], background=X)
    >>> found.loss, bool(found.table.loc["a", "low"] > 1), float(found.table.loc["b", "high"])
    (0.0, True, 0.0)
    """
    check_confidence(confidence)
    if repeats < 2:
        raise AskError(f"repeats is {repeats}; a spread needs at least two")
    asked = ask_by_cell(model, X)
    if measure is None:
        measure = "squared" if asked.subject.classes is None else "log loss"
    losses = losses_of(asked, y, measure)
    if asked.n_rows < 2:
        raise AskError(f"X has {asked.n_rows} rows; nothing can be shuffled")
    before = losses(asked.rows)  # (n_rows,)
    rng = np.random.default_rng(random_state)
    orders = [rng.permutation(asked.n_rows) for _ in range(repeats)]
    rows = []
    from scipy.stats import t

    reach = t.ppf((1 + confidence) / 2, asked.n_rows - 1) / np.sqrt(asked.n_rows)
    for at, name in enumerate(asked.names):
        cells = asked.frame[name].array
        rises = np.stack([losses(changed(asked.rows, {at: _series(cells, o)})) for o in orders])
        rises -= before
        given = [rise[np.argsort(order)] for rise, order in zip(rises, orders)]
        each = rises.mean(axis=0) + np.mean(given, axis=0)  # as who receives, and as who gives
        mean = float(rises.mean())
        half = float(reach * each.std(ddof=1))
        spread = float(rises.mean(axis=1).std(ddof=1))
        rows.append((name, mean, spread, mean - half, mean + half))
    own = pd.DataFrame(rows, columns=["feature", "importance", "sd", "low", "high"])
    own = own.set_index("feature")
    found = explain(asked.subject, asked.rows, background=background, random_state=random_state)
    ranked = rank(found, confidence=confidence, random_state=random_state).table
    ranked = ranked.reindex(own.index)
    own["rank"] = own["importance"].rank(ascending=False, method="first").astype(int)
    own["shapley"] = ranked["importance"]
    own["shapley low"], own["shapley high"] = ranked["low"], ranked["high"]
    own["shapley rank"] = ranked["rank"]
    own["disagree"] = _disagreements(own)
    agreement = agreement_of(own["importance"].to_numpy(), own["shapley"].to_numpy())
    return Permutation(own.sort_values("rank"), float(before.mean()), agreement)


def _series(cells: Any, order: np.ndarray) -> pd.Series:
    return pd.Series(cells).iloc[order]


def _disagreements(own: pd.DataFrame) -> list[str]:
    """For each feature how the two differ beyond chance, in words."""
    least = _SHARE * own["shapley"].sum()
    needed = _SHARE * own["importance"].clip(lower=0).sum()
    moves, needs = own["shapley low"] >= least, own["low"] >= needed
    little, unneeded = own["shapley high"] < least, own["low"] <= 0
    found = np.full(len(own), "", dtype=object)
    found[(moves & unneeded).to_numpy()] = "moves answers, and accuracy does not need it"
    found[(needs & little & (own["low"] > 0)).to_numpy()] = (
        "accuracy needs it, moves answers little"
    )
    return list(found)

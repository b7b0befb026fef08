"""What moving a feature does to rows that are there: accumulated local effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import AskError, ask_by_cell, changed, is_ordered
from pellucid.explain.matrices import take
from pellucid.explain.response import Response, check_confidence, numbers_of, points, sampled
from pellucid.explain.subject import Space


def accumulated_effects(
    model: Any,
    X: Any,
    feature: str,
    *,
    space: Space = "response",
    label: Any = None,
    intervals: int = 20,
    order: Sequence[Any] | None = None,
    max_rows: int = 5000,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Response:
    """What moving a feature does to rows that are there, added up along its values.

    Unlike partial dependence, no row is asked far from where it is, so features that go together
    do not bend the curve. Its mean over the rows is zero.

    Parameters
    ----------
    model, X, feature, space, label, max_rows, confidence, random_state
        As in `partial_dependence`.
    intervals : int
        Of about equally many rows.
    order : sequence of levels, optional
        Categories have no order of their own, and each order gives another curve, so the caller
        gives it; columns of an ordered category type have theirs.

    Raises
    ------
    AskError
        An unknown column or class, categories without an order, or fewer than two values.

    Notes
    -----
    Apley and Zhu (2020). The band is that of a weighted sum of the intervals' means, each of its
    own rows, with the centre counted in; edges and counts are taken as given. Between edges the
    curve is straight, and the centre is the mean of that curve over the rows.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 1.0, 2.0, 3.0]})
    >>> found = accumulated_effects(lambda rows: 2 * rows["a"] + rows["b"], X, "a")
    >>> np.diff(found.mean).tolist()
    [2.0, 2.0, 2.0]
    """
    asked = sampled(ask_by_cell(model, X, space=space, label=label), max_rows, random_state)
    at, column = asked.position(feature), asked.frame[feature]
    check_confidence(confidence)
    steps = _levels(column, order) if order is not None else _intervals(column, intervals)
    jumps = []
    for k, members in enumerate(steps.members):
        rows = take(asked.rows, members)
        upper = asked.answers(changed(rows, {at: steps.edges[k + 1]}))
        jumps.append(upper - asked.answers(changed(rows, {at: steps.edges[k]})))
    means = np.array([jump.mean() for jump in jumps])
    curve = np.concatenate([[0.0], np.cumsum(means)])
    # the curve minus its centre is a weighted sum of the intervals' means
    reach = np.tril(np.ones((len(curve), len(means))), k=-1)
    spread = np.sqrt((reach - steps.centre) ** 2 @ _squared_errors(jumps))
    from scipy.stats import norm

    half = norm.ppf((1 + confidence) / 2) * spread
    mean = curve - steps.centre @ means
    counts = [len(members) for members in steps.members]
    return Response(
        feature=feature,
        kind="accumulated local effects",
        grid=steps.edges,
        mean=mean,
        low=mean - half,
        high=mean + half,
        rows=np.array([counts[0], *counts]),
        space=space,
        label=label,
        confidence=confidence,
        index=asked.index,
    )


@dataclass(frozen=True, eq=False)
class _Steps:
    """What effects are added up over.

    edges : (n + 1,); members : positions of the rows that make each step; centre : (n,), the
    mean of the curve over all rows, as weights of the steps' means.
    """

    edges: np.ndarray
    members: list[np.ndarray]
    centre: np.ndarray


def _intervals(column: pd.Series, n: int) -> _Steps:
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        present = set(column.dropna())
        return _levels(column, [level for level in column.dtype.categories if level in present])
    if not is_ordered(column):
        raise AskError(
            f"column {column.name!r} holds categories, along which nothing can be added up without "
            f"an order; give order=[...] of its levels, or ask for partial_dependence"
        )
    edges = points(column, n + 1)
    if len(edges) < 2:
        raise AskError(f"column {column.name!r} has one value, {edges[0]!r}; nothing can move")
    known = np.flatnonzero(column.notna().to_numpy())
    values = numbers_of(column)[known]
    place = np.searchsorted(edges, values, side="left") - 1  # an interval holds its upper edge
    place = np.clip(place, 0, len(edges) - 2)
    members = [known[place == k] for k in range(len(edges) - 1)]
    way = (values - edges[place]) / (
        edges[place + 1] - edges[place]
    )  # 0 to 1, through its interval
    within = np.bincount(place, weights=way, minlength=len(edges) - 1)
    beyond = np.array([(place > k).sum() for k in range(len(edges) - 1)])
    return _Steps(edges, members, (within + beyond) / len(known))


def _levels(column: pd.Series, order: Sequence[Any]) -> _Steps:
    levels = list(order)
    for level in levels:
        if not (column == level).any():
            raise AskError(f"column {column.name!r} has no row with {level!r}, which order= lists")
    if len(levels) < 2:
        raise AskError(f"order= lists {len(levels)} levels; give at least two")
    at = [np.flatnonzero((column == level).to_numpy()) for level in levels]
    members = [np.concatenate(pair) for pair in pairwise(at)]
    shares = np.array([len(rows) for rows in at]) / sum(map(len, at))
    edges = np.empty(len(levels), dtype=object)
    edges[:] = levels
    return _Steps(edges, members, shares[1:][::-1].cumsum()[::-1])


def _squared_errors(jumps: list[np.ndarray]) -> np.ndarray:
    """Squared standard errors of the means; intervals of one row take the others' variance."""
    counts = np.array([len(jump) for jump in jumps])
    within = np.array([len(jump) * jump.var() for jump in jumps])
    freedom = (counts - 1).sum()
    pooled = within.sum() / freedom if freedom else np.nan
    return np.where(counts > 1, within / np.maximum(counts - 1, 1), pooled) / counts

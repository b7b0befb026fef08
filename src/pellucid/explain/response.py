"""How a model responds to one raw feature: its partial dependence, and the curve of each row.

Raw cells are varied and the whole model is asked, so it may be any that `pellucid.explain` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from pellucid.explain.asking import Asked, AskError, ask_by_cell, changed, is_ordered
from pellucid.explain.matrices import take
from pellucid.explain.subject import Space

Kind = Literal["partial dependence", "accumulated local effects"]


@dataclass(frozen=True, eq=False)
class Response:
    """A curve over the values of one raw feature.

    Attributes
    ----------
    feature : str
    kind : "partial dependence" or "accumulated local effects"
    grid : ndarray, (n_points,)
        Values of the feature, all seen in the rows.
    mean, low, high : ndarray of float64, (n_points,)
        The curve and its band.
    rows : ndarray of int, (n_points,)
        How many rows speak for each point: those nearest to it, or in the interval that ends
        there. Where there are few, the curve is a guess.
    space : str
    label : class that it speaks of, or None
    confidence : float
        The share of samples of as many rows whose band holds the curve of all rows, point by
        point. It says nothing of whether the model is right.
    ice : ndarray of float64, (n_rows, n_points), or None
        Of partial dependence, the curve of each row: individual conditional expectation.
    index : Index, (n_rows,)
        The rows that were asked about.
    """

    feature: str
    kind: Kind
    grid: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    rows: np.ndarray
    space: str
    label: Any
    confidence: float
    index: pd.Index
    ice: np.ndarray | None = None

    def to_frame(self) -> pd.DataFrame:
        """A row per point of the grid: mean, low, high, rows."""
        return pd.DataFrame(
            {"mean": self.mean, "low": self.low, "high": self.high, "rows": self.rows},
            index=pd.Index(self.grid, name=self.feature),
        )


def partial_dependence(
    model: Any,
    X: Any,
    feature: str,
    *,
    space: Space = "response",
    label: Any = None,
    grid: int | Sequence[Any] = 20,
    max_rows: int = 500,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Response:
    """The mean answer when every row has the same value of a feature, over its values.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    X : table, (n_rows, n_columns)
        Raw rows.
    feature : str
        A raw column.
    space : "response", "probability" or "margin"
    label : optional
        The class that the curve speaks of; needed with three or more.
    grid : int or sequence
        How many of the seen values, spread by their quantiles (of categories: the most frequent),
        or the values themselves.
    max_rows : int
        More rows are sampled down to so many.
    confidence : float
    random_state : int

    Raises
    ------
    AskError
        An unknown column or class, a column without values, or fewer than two rows.

    Notes
    -----
    Friedman (2001), section 8.2; curves of rows: Goldstein et al. (2015). The band is Student's
    for a mean of n_rows answers. Rows that do not occur are asked too where features go together;
    `accumulated_effects` does not do so.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 5.0, 3.0]})
    >>> found = partial_dependence(lambda rows: 2 * rows["a"] + rows["b"], X, "a")
    >>> found.grid.tolist(), found.mean.tolist()
    ([0.0, 1.0, 2.0], [3.0, 5.0, 7.0])
    """
    asked = sampled(ask_by_cell(model, X, space=space, label=label), max_rows, random_state)
    at, column = asked.position(feature), asked.frame[feature]
    check_confidence(confidence)
    values = points(column, grid)
    if asked.n_rows < 2:
        raise AskError(f"X has {asked.n_rows} rows; a band needs at least two")
    ice = np.stack([asked.answers(changed(asked.rows, {at: v})) for v in values], axis=1)
    from scipy.stats import t

    half = t.ppf((1 + confidence) / 2, asked.n_rows - 1) * ice.std(axis=0, ddof=1)
    half = half / np.sqrt(asked.n_rows)
    mean = ice.mean(axis=0)
    return Response(
        feature=feature,
        kind="partial dependence",
        grid=values,
        mean=mean,
        low=mean - half,
        high=mean + half,
        rows=_nearest_counts(column, values),
        space=space,
        label=label,
        confidence=confidence,
        index=asked.index,
        ice=ice,
    )


def points(column: pd.Series, grid: int | Sequence[Any]) -> np.ndarray:
    """Values to ask for: seen ones, in order; of categories the most frequent."""
    if not isinstance(grid, (int, np.integer)):
        if len(grid) == 0:
            raise AskError("grid has no values; give some, or how many are wanted")
        return np.asarray(grid)
    if grid < 1:
        raise AskError(f"grid is {grid}; ask for at least one value")
    known = column.dropna()
    if len(known) == 0:
        raise AskError(f"column {column.name!r} has no values in these rows")
    if not is_ordered(column):
        levels = known.astype(object).value_counts(sort=True).index[:grid]
        found = np.empty(len(levels), dtype=object)
        found[:] = list(levels)
        return found
    values = np.sort(numbers_of(known))
    distinct = np.unique(values)
    if len(distinct) <= grid:
        return distinct
    at = np.linspace(0, len(values) - 1, grid).round().astype(int)
    return np.unique(values[at])


def numbers_of(column: pd.Series) -> np.ndarray:
    """Cells of an ordered column as an array that can be sorted."""
    plain = column.infer_objects() if column.dtype == object else column
    if pd.api.types.is_datetime64_any_dtype(plain):
        return plain.to_numpy()
    kind = getattr(plain.dtype, "kind", "f")
    if isinstance(plain.dtype, np.dtype) and kind in "iuf":
        return plain.to_numpy()
    return plain.to_numpy(dtype=np.float64, na_value=np.nan)


def _nearest_counts(column: pd.Series, grid: np.ndarray) -> np.ndarray:
    if grid.dtype == object or not is_ordered(column):
        return np.array([int((column == value).sum()) for value in grid])
    values = numbers_of(column.dropna())
    order = np.argsort(grid)
    ranked = grid[order]
    middles = ranked[:-1] + (ranked[1:] - ranked[:-1]) / 2
    counts = np.bincount(np.searchsorted(middles, values, side="left"), minlength=len(grid))
    found = np.empty(len(grid), dtype=int)
    found[order] = counts
    return found


def sampled(asked: Asked, most: int, seed: int) -> Asked:
    """At most so many of the rows, drawn with a seed."""
    if asked.n_rows <= most:
        return asked
    chosen = np.sort(np.random.default_rng(seed).choice(asked.n_rows, most, replace=False))
    return replace(asked, rows=take(asked.rows, chosen), index=asked.index[chosen])


def check_confidence(confidence: float) -> None:
    """Refuse what is no share."""
    if not 0 < confidence < 1:
        raise AskError(f"confidence is {confidence}; it must lie between 0 and 1, such as 0.95")

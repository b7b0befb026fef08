"""Cohorts: named slices of explained rows, and what matters in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import AskError, class_at, position_in
from pellucid.explain.conditions import holds
from pellucid.explain.explanation import Explanation
from pellucid.explain.ranking import Ranking, magnitudes, rank
from pellucid.explain.told import told

Cohort = Any  # a condition in words, a mapping of column to cells, or a mask


@dataclass(frozen=True, eq=False)
class Cohorts:
    """What matters in each cohort.

    Attributes
    ----------
    members : mapping of name to bool ndarray, (n_rows,)
    rankings : mapping of name to Ranking
    table : DataFrame, a row per feature, by its importance over all rows
        Two column levels: cohort; and importance, low, high, tied.
    summary : DataFrame, a row per cohort
        Rows, their share, the mean answer of the model, and its mean error where truth is known.
    """

    explanation: Explanation
    members: Mapping[str, np.ndarray]
    rankings: Mapping[str, Ranking]
    table: pd.DataFrame
    summary: pd.DataFrame

    def difference(self, a: str, b: str) -> pd.DataFrame:
        """Importance in one cohort less that in another, with its interval, the largest first.

        Raises
        ------
        AskError
            An unknown cohort, or cohorts that share rows.
        """
        for name in (a, b):
            position_in(list(self.members), name)
        if (self.members[a] & self.members[b]).any():
            raise AskError(f"cohorts {a!r} and {b!r} share rows; compare ones that do not")
        from scipy.stats import norm

        sizes = magnitudes(self.explanation)
        parts = [sizes[self.members[name]] for name in (a, b)]
        gap = parts[0].mean(axis=0) - parts[1].mean(axis=0)
        error = np.sqrt(sum(part.var(axis=0, ddof=1) / len(part) for part in parts))
        half = norm.ppf((1 + self.rankings[a].confidence) / 2) * error
        frame = pd.DataFrame(
            {"difference": gap, "low": gap - half, "high": gap + half},
            index=pd.Index(self.explanation.feature_names, name="feature"),
        )
        return frame.iloc[np.argsort(-np.abs(gap), kind="stable")]


def compare_cohorts(
    explanation: Explanation,
    cohorts: Mapping[str, Cohort],
    *,
    repeats: int = 500,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Cohorts:
    """Global importance of each cohort side by side, with intervals from resampled rows.

    Parameters
    ----------
    explanation : Explanation
    cohorts : mapping of a name to who belongs to it
        A condition in words over columns, such as ``"age < 30 and city == 'Oslo'"``; a mapping of
        columns to a cell, a list of cells, or a tuple (low, high), ends included; or a mask, one
        truth value a row. `by_error` and `by_score` make some.
    repeats, confidence, random_state
        As in `rank`.

    Raises
    ------
    AskError
        A cohort of fewer than two rows, a mask of another length, an unknown column.
    ConditionError
        A condition that cannot be read.

    Examples
    --------
    >>> explanation = Explanation(
    ...     values=np.array([[3.0, 1.0], [5.0, 1.0], [0.0, 2.0], [0.0, 4.0]]),
    ...     base_values=np.zeros(1), feature_names=("age", "job"),
    ...     data=pd.DataFrame({"age": [20, 25, 60, 70], "job": list("abab")}))
    >>> found = compare_cohorts(explanation, {"young": "age < 30", "old": {"age": (30, None)}})
    >>> found.table.xs("importance", axis=1, level=1)
             young  old
    feature
    age        4.0  0.0
    job        1.0  3.0
    """
    if not cohorts:
        raise AskError("cohorts is empty; name at least one")
    members = {str(name): mask_of(explanation, each) for name, each in cohorts.items()}
    rankings = {}
    for name, mask in members.items():
        if mask.sum() < 2:
            raise AskError(
                f"cohort {name!r} has {int(mask.sum())} of {len(mask)} rows; it needs at least two"
            )
        rankings[name] = rank(
            explanation[mask], repeats=repeats, confidence=confidence, random_state=random_state
        )
    order = explanation.global_importance().index
    columns = ["importance", "low", "high", "tied"]
    table = pd.concat(
        {name: each.table.loc[order, columns] for name, each in rankings.items()}, axis=1
    )
    return Cohorts(explanation, members, rankings, table, _summary(explanation, members))


def mask_of(explanation: Explanation, cohort: Cohort) -> np.ndarray:
    """The rows of a cohort, bool (n_rows,)."""
    data = explanation.data
    if isinstance(cohort, str):
        found = np.asarray(holds(cohort, data))
        return np.broadcast_to(found, (len(data),)).copy()
    if isinstance(cohort, Mapping):
        mask = np.ones(len(data), dtype=bool)
        for name, cells in cohort.items():
            mask &= _among(data.iloc[:, position_in(explanation.feature_names, name)], cells)
        return mask
    if isinstance(cohort, pd.Series) and not cohort.index.equals(data.index):
        if set(cohort.index) != set(data.index) or cohort.index.has_duplicates:
            raise AskError("the index of a mask is not that of the explained rows")
        cohort = cohort.reindex(data.index)
    mask = np.asarray(cohort)
    if mask.shape != (len(data),) or mask.dtype != bool:
        raise AskError(
            f"a cohort is an array of {mask.dtype}, shape {mask.shape}; expected a condition, a "
            f"mapping of columns to cells, or {len(data)} truth values"
        )
    return mask


def by_score(explanation: Explanation, *, n: int = 4, label: Any = None) -> dict[str, np.ndarray]:
    """Cohorts of about equally many rows by what the model answers, the lowest first."""
    return _bands(_scores(explanation, label), n, "score")


def by_error(explanation: Explanation, *, n: int = 4) -> dict[str, np.ndarray]:
    """Cohorts by how wrong the model is: right and wrong classes, or bands of absolute error.

    Raises
    ------
    AskError
        The explanation holds no truth; explain with ``y=``.
    """
    errors = errors_of(explanation)
    if errors is None:
        raise AskError("the explanation holds no truth; explain the rows with y=")
    if explanation.classes is not None:
        return {"right": errors == 0, "wrong": errors == 1}
    return _bands(errors, n, "error")


def errors_of(explanation: Explanation) -> np.ndarray | None:
    """Of classes 1 where the label is wrong, of values the absolute error; None without truth."""
    truth, predicted = explanation.details.get("y_true"), explanation.details.get("predicted")
    if truth is None or predicted is None:
        return None
    if explanation.classes is not None:
        return np.array([float(a != b) for a, b in zip(truth, predicted)])
    return np.abs(np.asarray(truth, dtype=float) - np.asarray(predicted, dtype=float))


def _scores(explanation: Explanation, label: Any) -> np.ndarray:
    probability = explanation.details.get("probability")
    if explanation.classes is not None and probability is not None:
        classes = explanation.classes
        at = 1 if label is None and len(classes) == 2 else class_at(classes, label)
        return np.asarray(probability, dtype=float)[:, at]
    predicted = explanation.details.get("predicted")
    if explanation.classes is None and predicted is not None:
        return np.asarray(predicted, dtype=float)
    return explanation.margins[:, 0]


def _bands(values: np.ndarray, n: int, what: str) -> dict[str, np.ndarray]:
    if n < 2:
        raise AskError(f"n is {n}; ask for at least two bands")
    inner = np.unique(np.quantile(values, np.linspace(0, 1, n + 1)[1:-1]))
    inner = inner[inner < values.max()] if len(values) else inner
    place = np.searchsorted(inner, values, side="left")
    ends = [values.min(), *inner, values.max()]
    return {
        f"{what} {told(low)} to {told(high)}": place == k
        for k, (low, high) in enumerate(pairwise(ends))
    }


def _among(column: pd.Series, cells: Any) -> np.ndarray:
    if isinstance(cells, tuple):
        if len(cells) != 2:
            raise AskError(f"{column.name!r} is given {cells!r}; a range is a tuple (low, high)")
        mask = column.notna().to_numpy()
        for end, compare in zip(cells, (column.ge, column.le)):
            mask = mask if end is None else mask & compare(end).to_numpy(dtype=bool)
        return mask
    listed = list(cells) if isinstance(cells, (list, set, frozenset, np.ndarray)) else [cells]
    return column.isin(listed).to_numpy()


def _summary(explanation: Explanation, members: Mapping[str, np.ndarray]) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "rows": {name: int(mask.sum()) for name, mask in members.items()},
        "share": {name: float(mask.mean()) for name, mask in members.items()},
    }
    if explanation.n_outputs == 1:
        scores = _scores(explanation, None)
        columns["mean answer"] = {name: scores[mask].mean() for name, mask in members.items()}
    errors = errors_of(explanation)
    if errors is not None:
        columns["mean error"] = {name: errors[mask].mean() for name, mask in members.items()}
    return pd.DataFrame(columns, index=pd.Index(list(members), name="cohort"))

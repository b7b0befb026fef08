"""What changed between two models on the same rows, or between two periods of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.asking import AskError, one_output, values_of
from pellucid.explain.explainer import explain
from pellucid.explain.explanation import Explanation
from pellucid.explain.matrices import take
from pellucid.explain.ranking import agreement_of, ranks_of
from pellucid.explain.setting import BACKGROUND
from pellucid.explain.subject import Space, Subject
from pellucid.explain.told import told

_MATERIAL = 0.01  # of a row's typical importances, below which a sign says nothing

FACTS = {
    "rank_correlation": "Spearman's correlation of both global rankings",
    "top_overlap": "share of the most important features that both have",
    "max_rank_move": "most ranks that one of either's most important features moved",
    "top_changed": "whether another feature is the most important",
    "sign_flips": "share of importances that changed sign, both sides of some size",
    "mean_change": "mean answer of B less that of A",
    "mean_change_sd": "the same, without sign, in standard deviations of A's answers",
    "base_change": "what of the mean change comes from the base value",
    "predictions_changed": "share of rows with another label; of values, with another value",
    "new_features": "number of features that only B has",
    "lost_features": "number of features that only A has",
    "n_rows": "number of rows of A",
}
"""What a difference is judged by, and what it means."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Two explanations, feature by feature.

    Attributes
    ----------
    a, b : Explanation
    table : DataFrame, a row per feature, what drives the change of the mean answer first
        ``a``, ``b``: mean absolute importances; ``rank a``, ``rank b`` and ``move``, the ranks
        gained; ``drive``: its part in the change of the mean answer; ``flips``: the share of rows
        in which its importance changed sign, of those in which both are of some size.
    facts : mapping of name to number or truth value
        What `FACTS` lists; NaN what cannot be known, as sign flips of different rows.
    """

    a: Explanation
    b: Explanation
    table: pd.DataFrame
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        lines = [f"{name}: {told(value)}" for name, value in self.facts.items()]
        return "\n".join([*lines, "", self.table.head(10).round(4).to_string()])


def diff(
    a: Any,
    b: Any,
    X: Any,
    *,
    background: Any = None,
    space: Space | None = None,
    label: Any = None,
    top: int = 5,
    random_state: int = 0,
) -> Difference:
    """Compare two models on the same rows, before the same background.

    Parameters
    ----------
    a, b : whatever `pellucid.explain` takes
        They need not see the same columns; X has those of both.
    X : table, (n_rows, n_columns)
    background : table, optional
        By default up to a hundred rows of X.
    space : "margin", "probability" or "response", optional
        By default the margin where both have one behind the same link, else the response.
    label : optional
        Of a classifier, the class to compare; the second of two by default.
    top : int
        How many of the most important features the figures look at.
    random_state : int

    Returns
    -------
    Difference
        The parts of the change, ``table["drive"]`` and the base value's, add up to the change of
        the mean answer.

    Raises
    ------
    AskError
        Models of different classes, or fewer than two rows.
    ExplanationError
        What `pellucid.explain` refuses.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 5.0, 3.0]})
    >>> found = diff(lambda r: r["a"] + r["b"], lambda r: r["a"] - r["b"] + 4, X)
    >>> found.facts["mean_change"], found.facts["sign_flips"]
    (-2.0, 0.5)
    """
    first, second = as_subject(a, X), as_subject(b, X)
    if space is None:
        space = _shared_space(first, second)
    if background is None:
        background = some_rows(X, random_state)
    found = [
        explain(each, X, background=background, space=space, random_state=random_state)
        for each in (first, second)
    ]
    return diff_explanations(*found, label=label, top=top)


def diff_periods(
    model: Any,
    before: Any,
    after: Any,
    *,
    background: Any = None,
    space: Space | None = None,
    label: Any = None,
    top: int = 5,
    random_state: int = 0,
) -> Difference:
    """Compare what matters to one model in two tables of rows, before the same background.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    before, after : table, (n_rows, n_columns)
    background : table, optional
        By default the model's own, else up to a hundred rows of ``before``.
    space, label, top, random_state
        As in `diff`.
    """
    subject = as_subject(model, before)
    if background is None and subject.own_background is None:
        background = some_rows(before, random_state)
    found = [
        explain(subject, rows, background=background, space=space, random_state=random_state)
        for rows in (before, after)
    ]
    return diff_explanations(*found, label=label, top=top)


def diff_explanations(
    a: Explanation, b: Explanation, *, label: Any = None, top: int = 5
) -> Difference:
    """Compare two explanations; of the same rows where their indices are the same.

    What they have of different backgrounds is in ``base_change``, and in every importance.

    Raises
    ------
    AskError
        Explanations of different classes or spaces, or of fewer than two rows.
    """
    _check_comparable(a, b)
    names = list(dict.fromkeys([*a.feature_names, *b.feature_names]))
    first, second = _placed(a, names, label), _placed(b, names, label)
    sizes = [np.abs(each).mean(axis=0) for each in (first, second)]
    ranks = [ranks_of(each) for each in sizes]
    drive = second.mean(axis=0) - first.mean(axis=0)
    same = a.data.index.equals(b.data.index)
    flips, of = _flips(first, second) if same else (np.full((2, len(names)), np.nan))
    with np.errstate(invalid="ignore"):
        share = np.where(of > 0, flips / of, np.where(np.isnan(of), np.nan, 0.0))
    table = pd.DataFrame(
        {
            "a": sizes[0],
            "b": sizes[1],
            "rank a": ranks[0],
            "rank b": ranks[1],
            "move": ranks[0] - ranks[1],
            "drive": drive,
            "flips": share,
        },
        index=pd.Index(names, name="feature"),
    )
    answers = [one_output(each.margins, each.classes, label, each.space) for each in (a, b)]
    change = answers[1].mean() - answers[0].mean()
    spread = float(answers[0].std())
    leading = [set(np.flatnonzero(each <= top).tolist()) for each in ranks]
    either = sorted(leading[0] | leading[1])
    facts = {
        "rank_correlation": agreement_of(*sizes),
        "top_overlap": len(leading[0] & leading[1]) / len(leading[0]),
        "max_rank_move": int(np.abs(ranks[0] - ranks[1])[either].max()),
        "top_changed": bool(ranks[0].argmin() != ranks[1].argmin()),
        "sign_flips": _ratio(float(flips.sum()), float(of.sum())),
        "mean_change": float(change),
        "mean_change_sd": _ratio(abs(float(change)), spread),
        "base_change": float(change - drive.sum()),
        "predictions_changed": _changed(a, b) if same else np.nan,
        "new_features": len(set(b.feature_names) - set(a.feature_names)),
        "lost_features": len(set(a.feature_names) - set(b.feature_names)),
        "n_rows": a.n_rows,
    }
    return Difference(a, b, table.iloc[np.argsort(-np.abs(drive), kind="stable")], facts)


def _check_comparable(a: Explanation, b: Explanation) -> None:
    for explanation in (a, b):
        if explanation.n_rows < 2:
            raise AskError(f"there are {explanation.n_rows} rows; a comparison needs at least two")
    if a.classes != b.classes:
        raise AskError(f"the models have different classes: {a.classes} and {b.classes}")
    if a.n_outputs != b.n_outputs:
        raise AskError(f"the models have {a.n_outputs} and {b.n_outputs} outputs")
    if a.space != b.space:
        raise AskError(f"one is explained in {a.space} space, the other in {b.space}; use one")


def _placed(explanation: Explanation, names: list[str], label: Any) -> np.ndarray:
    """Importances of all features, those that the model has not being zero."""
    place = {name: i for i, name in enumerate(names)}
    values = np.zeros((explanation.n_rows, len(names)))
    values[:, [place[name] for name in explanation.feature_names]] = values_of(explanation, label)
    return values


def _flips(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each feature, in how many rows its sign changed, and in how many it could have."""
    of_size = np.ones(first.shape, dtype=bool)
    for values in (first, second):
        of_size &= np.abs(values) > _MATERIAL * np.abs(values).sum(axis=1).mean()
    changed = of_size & (np.sign(first) != np.sign(second))
    return changed.sum(axis=0), of_size.sum(axis=0)


def _changed(a: Explanation, b: Explanation) -> float:
    old, new = a.details.get("predicted"), b.details.get("predicted")
    if old is None or new is None:
        return float("nan")
    if a.classes is not None:
        return float(np.mean([x != y for x, y in zip(old, new)]))
    return float(np.mean(~np.isclose(old, new, rtol=1e-6, atol=0.0)))


def _shared_space(a: Subject, b: Subject) -> Space:
    if "margin" not in a.core.asks or "margin" not in b.core.asks:
        return "response"
    if a.is_classifier and b.is_classifier:
        return "margin"
    probe = np.array([[-1.0], [0.5], [2.0]])
    links = [each.core.link for each in (a, b)]
    if links[0] is None or links[1] is None:
        return "response"
    same = np.allclose(links[0](probe), links[1](probe))
    return "margin" if same else "response"


def some_rows(X: Any, seed: int) -> Any:
    """Up to a hundred rows, drawn with the seed."""
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows <= BACKGROUND:
        return X
    chosen = np.sort(np.random.default_rng(seed).choice(n_rows, BACKGROUND, replace=False))
    return [X[i] for i in chosen] if isinstance(X, list) else take(X, chosen)


def _ratio(part: float, whole: float) -> float:
    """Their ratio: 0 of nothing where there is no part, infinity where there is one."""
    if whole == 0:
        return 0.0 if part == 0 else float("inf")
    return part / whole

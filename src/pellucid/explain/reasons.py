"""Reason codes: what speaks most for an outcome, in words, and whether noise would change them.

As for adverse action: a lender must name the principal reasons for a denial, and the reasons of two
applicants who differ by next to nothing should be the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.asking import Asked, AskError, ask_about, changed, is_ordered, values_of
from pellucid.explain.difference import some_rows
from pellucid.explain.explainer import explain
from pellucid.explain.explanation import Explanation
from pellucid.explain.ground import prepare
from pellucid.explain.matrices import stack
from pellucid.explain.phrases import phrases_of, shown
from pellucid.explain.subject import Space

_TOGETHER = 4096  # noisy rows that are explained at a time


@dataclass(frozen=True)
class Reason:
    """One reason for an outcome.

    Attributes
    ----------
    feature : str
    cell : what the row has.
    push : float
        Importance towards the outcome, in the units of the space; above zero.
    share : float
        Of all pushes towards it in this row.
    stability : float
        Share of slightly changed copies of the row in which it is among the reasons too.
    words : str
    """

    feature: str
    cell: Any
    push: float
    share: float
    stability: float
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, eq=False)
class ReasonCodes:
    """The reasons of every row.

    Attributes
    ----------
    outcome : str
        What they are reasons for.
    rows : tuple of tuples of Reason, the strongest first; as few as there are, down to none.
    stability : ndarray of float64, (n_rows,)
        Mean share of a row's reasons that are reasons of its slightly changed copies too; 1 where
        it has none.
    explanation : Explanation
    """

    outcome: str
    rows: tuple[tuple[Reason, ...], ...]
    stability: np.ndarray
    explanation: Explanation

    def __getitem__(self, row: int) -> tuple[Reason, ...]:
        return self.rows[row]

    def to_frame(self) -> pd.DataFrame:
        """A row for each reason: the row's identity, place, feature, cell, push, share, words."""
        found = [
            {
                "row": self.explanation.data.index[i],
                "place": place + 1,
                "feature": each.feature,
                "cell": each.cell,
                "push": each.push,
                "share": each.share,
                "stability": each.stability,
                "words": each.words,
            }
            for i, reasons in enumerate(self.rows)
            for place, each in enumerate(reasons)
        ]
        names = ["row", "place", "feature", "cell", "push", "share", "stability", "words"]
        return pd.DataFrame(found, columns=names)


def reason_codes(
    model: Any,
    X: Any,
    *,
    outcome: Any = None,
    background: Any = None,
    top: int = 4,
    words: Mapping[str, str] | None = None,
    space: Space | None = None,
    noise: float = 0.05,
    copies: int = 20,
    random_state: int = 0,
) -> ReasonCodes:
    """Name the raw features that speak most for an outcome, row by row.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    X : table, (n_rows, n_columns)
        Rows to give reasons for.
    outcome : class label, or "high" or "low" of a value
        What the reasons are for, such as the label of a denial; by default each row's own
        prediction, of a value whether it is above the base value.
    background : table, optional
        Whom rows are compared with; as in `pellucid.explain`. For adverse action, applicants who
        were accepted.
    top : int
        Most reasons a row.
    words : mapping of a feature to its text, optional
        ``{feature}``, ``{cell}`` and ``{typical}`` in it are filled in. By default such as
        "income is 12 (typically 31)".
    space : optional
        As in `pellucid.explain`.
    noise : float
        Standard deviation of the noise that is added to numbers, in those of the background; whole
        numbers stay whole, and categories as they are.
    copies : int
        Noisy copies of each row; 0 leaves stability unknown.
    random_state : int

    Raises
    ------
    AskError
        An unknown class, words for an unknown feature or with unknown fields, or no rows.
    ExplanationError
        What `pellucid.explain` refuses.

    Examples
    --------
    >>> X = pd.DataFrame({"income": [10.0, 60.0], "debt": [30.0, 0.0]})
    >>> found = reason_codes(lambda r: r["income"] - r["debt"], X, outcome="low", background=X)
    >>> [str(reason) for reason in found[0]]
    ['income is 10 (typically 35)', 'debt is 30 (typically 15)']
    >>> found[1]
    ()
    """
    if top < 1 or copies < 0 or noise < 0:
        raise AskError("top must be at least 1, copies and noise not negative")
    subject = as_subject(model, X)
    asked = ask_about(subject, X)
    if background is None and subject.own_background is None:
        background = some_rows(X, random_state)
    ground = prepare(subject, background=background, random_state=random_state)
    found = explain(ground, asked.rows, space=space)
    compared = asked if background is None else ask_about(subject, background)
    pushes = _pushes(found, outcome)
    chosen = _strongest(pushes, top)
    kept = np.full(chosen.shape, np.nan)
    if copies:
        kept = np.zeros(chosen.shape)
        rng = np.random.default_rng(random_state)
        per = max(1, _TOGETHER // asked.n_rows)
        for start in range(0, copies, per):
            n = min(per, copies - start)
            noisy = stack([_with_noise(asked, compared, noise, rng) for _ in range(n)])
            again = explain(ground, noisy, space=space)
            start_rows = found[np.tile(np.arange(found.n_rows), n)]
            theirs = _strongest(_pushes(again, outcome, like=start_rows), top)
            kept += theirs.reshape(n, *chosen.shape).sum(axis=0)
        kept = kept / copies
    phrases = phrases_of(found.feature_names, compared.frame, words or {})
    cells = found.data.astype(object)
    rows = tuple(
        _reasons(cells.iloc[i], pushes[i], chosen[i], kept[i], phrases) for i in range(asked.n_rows)
    )
    steady = [np.mean([r.stability for r in each]) if each else 1.0 for each in rows]
    name = "each row's own prediction" if outcome is None else str(outcome)
    return ReasonCodes(name, rows, np.array(steady, dtype=np.float64), found)


def _pushes(found: Explanation, outcome: Any, *, like: Explanation | None = None) -> np.ndarray:
    """Importances towards the outcome, (n_rows, n_features)."""
    if outcome is not None and found.classes is None:
        if outcome not in ("high", "low"):
            raise AskError(
                f"the model predicts values; outcome must be 'high' or 'low', not {outcome!r}"
            )
        return values_of(found) if outcome == "high" else -values_of(found)
    if outcome is not None:
        return values_of(found, outcome)
    like = found if like is None else like
    if found.classes is None:
        above = np.sign(like.margins[:, 0] - like.base_values[0])
        return values_of(found) * np.where(above == 0, 1.0, above)[:, None]
    own = like.details.get("predicted")
    if own is None:
        raise AskError("the model's own labels are not known; say which class with outcome=")
    towards = {label: values_of(found, label) for label in set(own)}
    return np.stack([towards[label][i] for i, label in enumerate(own)])


def _strongest(pushes: np.ndarray, top: int) -> np.ndarray:
    """Marks of the largest pushes above zero of each row, bool (n_rows, n_features)."""
    order = np.argsort(-pushes, axis=1, kind="stable")[:, :top]
    marks = np.zeros(pushes.shape, dtype=bool)
    np.put_along_axis(marks, order, True, axis=1)
    return marks & (pushes > 0)


def _with_noise(asked: Asked, compared: Asked, noise: float, rng: np.random.Generator) -> Any:
    changes = {}
    for at, name in enumerate(asked.names):
        column, known = asked.frame[name], compared.frame[name]
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and is_ordered(column)
        if not numeric:
            continue
        size = float(known.astype(np.float64).std(ddof=0))
        if not size > 0:
            continue
        cells = column.to_numpy(dtype=np.float64, na_value=np.nan)
        moved = cells + rng.normal(0.0, noise * size, len(cells))
        whole = bool((known.dropna() % 1 == 0).all() and (column.dropna() % 1 == 0).all())
        moved = np.round(moved) if whole else moved
        changes[at] = moved.astype(np.int64) if column.dtype.kind in "iu" else moved
    return changed(asked.rows, changes)


def _reasons(
    cells: pd.Series,
    pushes: np.ndarray,
    chosen: np.ndarray,
    kept: np.ndarray,
    phrases: Mapping[str, tuple[str, str]],
) -> tuple[Reason, ...]:
    """One row's reasons, the strongest first."""
    total = pushes[pushes > 0].sum()
    reasons = []
    for i in sorted(np.flatnonzero(chosen), key=lambda each: -pushes[each]):
        name, cell = str(cells.index[int(i)]), cells.iloc[int(i)]
        text, typical = phrases[name]
        reasons.append(
            Reason(
                feature=name,
                cell=cell,
                push=float(pushes[i]),
                share=float(pushes[i] / total),
                stability=float(kept[i]),
                words=text.format(feature=name, cell=shown(cell), typical=typical),
            )
        )
    return tuple(reasons)

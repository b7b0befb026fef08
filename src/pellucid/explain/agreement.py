"""What several models think matters, side by side: such as the best of a leaderboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.asking import AskError
from pellucid.explain.difference import some_rows
from pellucid.explain.explainer import explain
from pellucid.explain.explanation import Explanation
from pellucid.explain.ranking import Ranking, agreement_of, rank


@dataclass(frozen=True, eq=False)
class Agreement:
    """Global importances of several models on the same rows.

    Attributes
    ----------
    explanations, rankings : mappings of a model's name to what was found for it
    shares : DataFrame, a row per feature, a column per model
        Importance as a share of the model's total, since margins of different models differ in
        size; the most important on average first.
    ranks : DataFrame of int, as ``shares``
        Tied ranks: one plus the number of features that are surely more important.
    correlation : DataFrame, models by models
        Rank correlation (Spearman) of their importances.
    contested : tuple of str
        Features that one model puts among its most important beyond chance and another does not.
    """

    explanations: Mapping[str, Explanation]
    rankings: Mapping[str, Ranking]
    shares: pd.DataFrame
    ranks: pd.DataFrame
    correlation: pd.DataFrame
    contested: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                self.shares.round(3).to_string(),
                "",
                self.correlation.round(2).to_string(),
                "",
                f"contested: {', '.join(self.contested) or 'nothing'}",
            ]
        )


def agree(
    models: Mapping[str, Any],
    X: Any,
    *,
    background: Any = None,
    top: int = 5,
    confidence: float = 0.95,
    random_state: int = 0,
) -> Agreement:
    """Explain the same rows by several models, and see where they agree on what matters.

    Parameters
    ----------
    models : mapping of a name to a model
        Whatever `pellucid.explain` takes; `leaders` gives the best of a run.
    X : table, (n_rows, n_columns)
    background : table, optional
        By default up to a hundred rows of X.
    top : int
        A feature is contested when it is surely among so many to one model, and surely not to
        another.
    confidence : float
    random_state : int

    Raises
    ------
    AskError
        Fewer than two models.
    ExplanationError
        What `pellucid.explain` refuses.

    Examples
    --------
    >>> X = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 5.0, 3.0]})
    >>> found = agree({"sum": lambda r: r["a"] + r["b"], "only a": lambda r: r["a"]}, X)
    >>> found.shares["only a"].to_dict()
    {'a': 1.0, 'b': 0.0}
    """
    if len(models) < 2:
        raise AskError(f"there is {len(models)} model; an agreement needs at least two")
    background = some_rows(X, random_state) if background is None else background
    explanations = {
        name: explain(as_subject(model, X), X, background=background, random_state=random_state)
        for name, model in models.items()
    }
    rankings = {
        name: rank(each, top=top, confidence=confidence, random_state=random_state)
        for name, each in explanations.items()
    }
    sizes = pd.DataFrame({name: each.table["importance"] for name, each in rankings.items()})
    sizes = sizes.fillna(0.0)
    shares = sizes / sizes.sum().replace(0.0, 1.0)
    order = shares.mean(axis=1).sort_values(ascending=False, kind="stable").index
    first, last = (
        pd.DataFrame({name: each.table[end] for name, each in rankings.items()}).loc[order]
        for end in ("first", "last")
    )
    contested = (last <= top).any(axis=1) & ((first > top) | first.isna()).any(axis=1)
    names = list(models)
    correlation = np.array(
        [[agreement_of(sizes[a].to_numpy(), sizes[b].to_numpy()) for b in names] for a in names]
    )
    tied = pd.DataFrame({name: each.table["tied"] for name, each in rankings.items()})
    return Agreement(
        explanations=explanations,
        rankings=rankings,
        shares=shares.loc[order],
        ranks=tied.loc[order].fillna(len(order)).astype(int),
        correlation=pd.DataFrame(correlation, index=names, columns=names),
        contested=tuple(order[contested.to_numpy()]),
    )


def leaders(run: Any, *, top: int = 3) -> dict[str, Any]:
    """The best models of a run's leaderboard, by name, the ensemble among them.

    Parameters
    ----------
    run : Run
        Such as ``clf.run_`` or ``pellucid.load_run("latest")``.
    top : int
        How many; trials that failed are passed over.

    Raises
    ------
    AskError
        What has no leaderboard.
    """
    if not hasattr(run, "leaderboard") or not hasattr(run, "model"):
        raise AskError(
            f"a {type(run).__name__} has no leaderboard; give a run, such as clf.run_ or "
            f"pellucid.load_run(...)"
        )
    board = run.leaderboard
    board = board[board["status"] != "failed"].head(top)
    names = [str(name) for name in board["name"]]
    places = [int(iteration) for iteration in board["iteration"]]
    return {
        name if names.count(name) == 1 else f"{name}, iteration {iteration}": run.model(
            iteration=iteration
        )
        for name, iteration in zip(names, places)
    }

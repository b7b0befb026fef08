"""Make scorers of fitted models, and read them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pellucid import shapley
from pellucid.explain.matrices import dense
from pellucid.serve.errors import ServeError
from pellucid.serve.foreign.asking import ROWS, AskingScorer
from pellucid.serve.foreign.tables import LINKS, TABLES, TableScorer, tabled
from pellucid.serve.foreign.told import FACTS, Groups, Kind, ModelScorer
from pellucid.shapley import ShapleyError
from pellucid.tabular.read import parquet_frame

_MOST_ROWS = 100  # of a background that is asked again and again


def scorer_of(
    model: Any,
    background: Any,
    *,
    kind: Kind | Literal["auto"] = "auto",
    players: Groups | None = None,
) -> ModelScorer:
    """A scorer of a fitted model.

    Parameters
    ----------
    model : fitted model or function
        As `pellucid.explain.explain` takes it.
    background : table, (n_background, n_columns)
        Rows that stand for "feature absent".
    kind : "tree", "linear", "sampled" or "auto"
        Auto takes tables where the model is trees or linear by itself, without steps before it,
        and its columns are numbers.
    players : mapping of a name to columns, optional
        Groups of columns that get an importance together; by default each column for itself.

    Raises
    ------
    ServeError
        A kind that the model is not of, with the reason.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import LinearRegression
    >>> X = pd.DataFrame({"size": [50.0, 80.0, 65.0], "age": [3.0, 1.0, 9.0]})
    >>> scorer = scorer_of(LinearRegression().fit(X, [100.0, 170.0, 130.0]), X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scorer.save(f"{folder}/homes")
    ...     told = load_scorer(f"{folder}/homes").score(X[:1])
    >>> scorer.kind, told.names, told.predictions.round(6).tolist()
    ('linear', ('size', 'age'), [100.0])
    """
    reason = ""
    if kind != "sampled":
        try:
            found = tabled(model, background, players)
            if kind in ("auto", found.kind):
                return found
            reason = f"it is {found.kind}"
        except ShapleyError as error:
            reason = str(error)
        if kind != "auto":
            raise ServeError(f"the model has no scorer of kind {kind!r}: {reason}")
    rows = background if isinstance(background, pd.DataFrame) else pd.DataFrame(dense(background))
    return AskingScorer(model, rows.rename(columns=str)[:_MOST_ROWS], players)


def load_scorer(folder: str | Path, *, model: Any = None) -> ModelScorer:
    """Read a scorer that was saved; no code in the folder is run, for there can be none.

    Parameters
    ----------
    folder : str or Path
    model : fitted model or function, optional
        Of a scorer that asks it.

    Raises
    ------
    ServeError
        A folder that holds no scorer or a damaged one, or a scorer that needs its model.
    """
    home = Path(folder)
    try:
        facts = json.loads((home / FACTS).read_bytes())
        if facts["format"] != 1:
            raise ServeError(f"the scorer in {home} has format {facts['format']}; expected 1")
        if facts["kind"] == "sampled":
            if model is None:
                raise ServeError(f"the scorer in {home} asks its model; give it with model=")
            return AskingScorer(model, parquet_frame(home / ROWS), facts["players"])
        if facts["link"] is not None and facts["link"] not in LINKS:
            raise ServeError(f"the scorer in {home} has the unknown link {facts['link']!r}")
        return TableScorer(
            tables=shapley.load(home / TABLES),
            columns=tuple(facts["columns"]),
            names=tuple(facts["names"]),
            classes=None if facts["classes"] is None else tuple(facts["classes"]),
            link=facts["link"],
            output=facts["output"],
            kind=facts["kind"],
        )
    except (OSError, ValueError, KeyError, TypeError, ShapleyError) as error:
        raise ServeError(f"the folder {home} holds no scorer: {error}") from error

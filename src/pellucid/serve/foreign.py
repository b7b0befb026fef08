"""Scorers of models that Pellucid did not train: predictions and importances from a folder.

Trees and linear models become tables, which hold numbers and names: reading them runs no code and
needs neither the model nor its library. Whatever else there is, pipelines and functions among
them, is asked itself, so it must be given again when its scorer is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.explain.adapters import as_subject
from pellucid.explain.explainer import explain
from pellucid.explain.matrices import dense
from pellucid.explain.persistence import write_file
from pellucid.explain.subject import Subject
from pellucid.models.problem import sigmoid, softmax
from pellucid.serve.errors import ServeError
from pellucid.shapley import AdditivityError, ShapleyError

Kind = Literal["tree", "linear", "sampled"]
Groups = Mapping[str, Sequence[Any]]
_FACTS, _TABLES, _ROWS = "scorer.json", "tables.bin", "background.parquet"
_SAME = 1e-5  # of the scale: libraries that add up in float32
_MOST_ROWS = 100  # of a background that is asked again and again
_LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda margins: margins,
    "sigmoid": sigmoid,
    "softmax": softmax,
    "exp": np.exp,
}


@dataclass(frozen=True, eq=False)
class Told:
    """What a scorer says of rows.

    predictions : (n_rows,), labels or values; None where only margins are known
    probabilities : (n_rows, n_classes), or None
    values : importances, (n_rows, n_features), or (n_rows, n_features, n_outputs) of several
    base_values : (n_outputs,)
    names : of the features
    method : "exact" or "sampled", with the largest standard error
    """

    predictions: np.ndarray | None
    probabilities: np.ndarray | None
    values: np.ndarray
    base_values: np.ndarray
    names: tuple[str, ...]
    method: str = "exact"
    standard_error: float | None = None


class ModelScorer(Protocol):
    """Scores rows of a model, with reasons."""

    @property
    def kind(self) -> Kind:
        """What it was made of."""
        ...

    def score(self, X: Any) -> Told:
        """Predict rows and explain them."""
        ...

    def save(self, folder: str | Path) -> None:
        """Write what `load_scorer` reads."""
        ...


@dataclass(frozen=True, eq=False)
class TableScorer:
    """Trees, or a linear model, in tables.

    tables : TreeTables or LinearTables
    columns : names of the columns that rows have
    names : of the players
    classes : labels, or None for values
    link : from margins to responses, by name; None where it is not known
    output : the one output that is meant, or None for all
    """

    tables: Any
    columns: tuple[str, ...]
    names: tuple[str, ...]
    classes: tuple[Any, ...] | None
    link: str | None
    output: int | None = None
    kind: Kind = "tree"

    def score(self, X: Any) -> Told:
        """Predict rows, a table or an array (n_rows, n_columns), and explain them.

        Raises
        ------
        ServeError
            Rows that lack a column or hold no numbers, or importances that do not add up.
        """
        rows = self._rows(X)
        margins, values = self.tables.margins(rows), self.tables.values(rows)
        try:
            self.tables.verify(values, margins)
        except AdditivityError as error:
            raise ServeError(f"the explanation is not exact and is not given: {error}") from error
        base = self.tables.base_values
        if self.output is not None:
            values, margins = values[:, :, self.output], margins[:, [self.output]]
            base = base[[self.output]]
        predictions, probabilities = self._predict(margins)
        return Told(predictions, probabilities, values, base, self.names)

    def save(self, folder: str | Path) -> None:
        """Write tables and facts, in which there is no code.

        Raises
        ------
        ServeError
            Classes that are neither text nor numbers.
        """
        facts = {
            "format": 1,
            "kind": self.kind,
            "columns": self.columns,
            "names": self.names,
            "classes": self.classes,
            "link": self.link,
            "output": self.output,
        }
        home = _new_folder(folder)
        self.tables.save(home / _TABLES)
        write_file(home / _FACTS, _to_json(facts))

    def _rows(self, X: Any) -> np.ndarray:
        if isinstance(X, pd.DataFrame):
            lacking = [name for name in self.columns if name not in X.columns]
            if lacking:
                raise ServeError(f"the rows lack the column {lacking[0]!r}; the scorer needs it")
            X = X[list(self.columns)]
        try:
            rows = np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ServeError(f"the rows must be numbers, NaN where missing: {error}") from error
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ServeError(f"rows have shape {rows.shape}; expected (n, {len(self.columns)})")
        return rows

    def _predict(self, margins: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self.link is None:
            return None, None
        response = _LINKS[self.link](margins)
        if self.classes is None:
            return response[:, 0] if response.shape[1] == 1 else response, None
        if response.shape[1] == 1:
            response = np.column_stack([1.0 - response, response])
        winner = response.argmax(axis=1)
        return np.array(self.classes)[winner], response


@dataclass(frozen=True, eq=False)
class AskingScorer:
    """A model that is asked itself: exact where its structure gives it, else sampled.

    model : as it was given
    background : its rows
    """

    model: Any
    background: pd.DataFrame
    players: Groups | None = None
    kind: Kind = "sampled"

    def score(self, X: Any) -> Told:
        """Predict rows and explain them; as `pellucid.explain.explain`, without a surrogate."""
        players: Any = "raw" if self.players is None else self.players
        try:
            found = explain(self.model, X, background=self.background, players=players)
        except ShapleyError as error:
            raise ServeError(f"the rows cannot be explained: {error}") from error
        if found.method == "mimic":
            found = explain(
                self.model, X, background=self.background, players=players, method="sampled"
            )
        subject = as_subject(self.model, X)
        response = subject.ask("response")(subject.prepare(X))
        errors = found.standard_errors
        return Told(
            predictions=np.asarray(subject.labels(response)),
            probabilities=subject.probabilities(response) if subject.classes else None,
            values=found.values,
            base_values=found.base_values,
            names=found.feature_names,
            method=found.method,
            standard_error=None if errors is None else float(np.max(errors, initial=0.0)),
        )

    def save(self, folder: str | Path) -> None:
        """Write the background; the model is kept by whoever has it."""
        home = _new_folder(folder)
        self.background.to_parquet(home / _ROWS)
        groups = None if self.players is None else {k: list(v) for k, v in self.players.items()}
        write_file(home / _FACTS, _to_json({"format": 1, "kind": self.kind, "players": groups}))


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
            found = _tabled(model, background, players)
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
        facts = json.loads((home / _FACTS).read_bytes())
        if facts["format"] != 1:
            raise ServeError(f"the scorer in {home} has format {facts['format']}; expected 1")
        if facts["kind"] == "sampled":
            if model is None:
                raise ServeError(f"the scorer in {home} asks its model; give it with model=")
            return AskingScorer(model, pd.read_parquet(home / _ROWS), facts["players"])
        if facts["link"] is not None and facts["link"] not in _LINKS:
            raise ServeError(f"the scorer in {home} has the unknown link {facts['link']!r}")
        return TableScorer(
            tables=shapley.load(home / _TABLES),
            columns=tuple(facts["columns"]),
            names=tuple(facts["names"]),
            classes=None if facts["classes"] is None else tuple(facts["classes"]),
            link=facts["link"],
            output=facts["output"],
            kind=facts["kind"],
        )
    except (OSError, ValueError, KeyError, TypeError, ShapleyError) as error:
        raise ServeError(f"the folder {home} holds no scorer: {error}") from error


def _tabled(model: Any, background: Any, players: Groups | None) -> TableScorer:
    """Tables of a model that is nothing but trees, or linear.

    Raises
    ------
    ShapleyError
        Why it is not.
    """
    subject = as_subject(model, background)
    core = subject.core
    if subject.depth:
        raise ShapleyError(f"{subject.label} has steps before it, which only itself can do")
    if core.shapley is not None or "margin" not in core.asks:
        raise ShapleyError(f"{subject.label} is neither trees nor linear")
    given = subject.prepare(background)
    rows, columns = dense(given), _columns(background, np.shape(given)[1])
    if core.encode is not None and not np.array_equal(core.encode(given), rows, equal_nan=True):
        raise ShapleyError(f"{subject.label} reads columns that are no numbers")
    frame = pd.DataFrame(rows, columns=list(columns))
    kind: Kind = "tree"
    if core.linear is not None:
        kind, line = "linear", core.linear
        tables: Any = shapley.linear(line.coef, line.intercept, background=frame, players=players)
    else:
        trees = core.model if core.trees is None else core.trees()
        tables = shapley.compile(trees, background=frame, players=players)
    own = subject.ask("margin")(given)
    found = tables.margins(rows)
    output = 1 if own.shape[1] == 1 and found.shape[1] == 2 else None
    margins = found if output is None else found[:, [output]]
    if not _agree(margins, own):
        raise ShapleyError(f"the tables of {subject.label} give other margins than it")
    names = tuple(players) if players is not None else columns
    link = _link(subject, given, margins)
    classes = None if subject.classes is None else tuple(np.asarray(subject.classes).tolist())
    return TableScorer(tables, columns, names, classes, link, output, kind)


def _link(subject: Subject, rows: Any, margins: np.ndarray) -> str | None:
    """The link whose responses are the model's own; it is tried, not believed."""
    if "response" not in subject.core.asks:
        return None
    own = subject.ask("response")(rows)
    for name, link in _LINKS.items():
        with np.errstate(over="ignore"):
            if _agree(link(margins), own):
                return name
    return None


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    scale = max(1.0, float(np.abs(other).max(initial=0.0)))
    return one.shape == other.shape and bool(np.abs(one - other).max(initial=0.0) <= _SAME * scale)


def _columns(background: Any, n_columns: int) -> tuple[str, ...]:
    if isinstance(background, pd.DataFrame):
        return tuple(map(str, background.columns))
    return tuple(f"x{k}" for k in range(n_columns))


def _new_folder(folder: str | Path) -> Path:
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()):
        raise ServeError(f"the folder {home} is not empty; save a scorer in one of its own")
    return home


def _to_json(facts: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(facts, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ServeError(f"classes must be text or numbers to be saved: {error}") from error

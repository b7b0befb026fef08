"""Scorers that are tables: of trees by themselves, and of linear models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.explain.adapters import as_subject
from pellucid.explain.matrices import dense
from pellucid.explain.subject import Subject
from pellucid.files import write_file
from pellucid.models.problem import sigmoid, softmax
from pellucid.serve.errors import ServeError
from pellucid.serve.foreign.told import FACTS, Groups, Kind, Told, new_folder, to_json
from pellucid.shapley import AdditivityError, ShapleyError

TABLES = "tables.bin"
_SAME = 1e-5  # of the scale: libraries that add up in float32
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda margins: margins,
    "sigmoid": sigmoid,
    "softmax": softmax,
    "exp": np.exp,
}


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
        home = new_folder(folder)
        self.tables.save(home / TABLES)
        write_file(home / FACTS, to_json(facts))

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
        response = LINKS[self.link](margins)
        if self.classes is None:
            return response[:, 0] if response.shape[1] == 1 else response, None
        if response.shape[1] == 1:
            response = np.column_stack([1.0 - response, response])
        winner = response.argmax(axis=1)
        return np.array(self.classes)[winner], response


def tabled(model: Any, background: Any, players: Groups | None) -> TableScorer:
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
    for name, link in LINKS.items():
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

"""Rows whose cells may be changed, and one number that a model says of each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.explain.adapters import as_subject
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.matrices import as_frame
from pellucid.explain.subject import Space, Subject
from pellucid.explain.tables import index_of, names_of


class AskError(ExplanationError):
    """A column, a value or a class that the model or the rows do not have."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A model and rows, and which of its numbers is meant.

    Attributes
    ----------
    subject : Subject
    rows : DataFrame, array or CSR, (n_rows, n_columns)
        In the form that the model takes.
    names : tuple of str
    index : Index, (n_rows,)
    space : Space
    label : class label, position of an output, or None
    """

    subject: Subject
    rows: Any
    names: tuple[str, ...]
    index: pd.Index
    space: Space
    label: Any = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.rows.shape[0])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a table."""
        return as_frame(self.rows, self.names, self.index)

    def position(self, name: str) -> int:
        """Position of a column, by name.

        Raises
        ------
        AskError
            There is no such column.
        """
        return position_in(self.names, name)

    def answers(self, rows: Any) -> np.ndarray:
        """The number that is meant, of rows in the model's form: float64 (n_rows,).

        Raises
        ------
        AskError
            The model has several outputs and none was chosen, or not the one that was.
        """
        found = self.subject.ask(self.space)(rows)  # (n_rows, n_outputs)
        return one_output(found, self.subject.classes, self.label, self.space)

    def labels(self, rows: Any) -> list[Any]:
        """What the model itself predicts of rows: labels, or values."""
        return self.subject.labels(self.responses(rows))

    def responses(self, rows: Any) -> np.ndarray:
        """What the model itself responds, (n_rows, n_outputs)."""
        whole = self.subject.whole or self.subject.ask("response")
        return whole(rows)


def ask_about(model: Any, X: Any, *, space: Space = "response", label: Any = None) -> Asked:
    """Put rows in the model's form.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    X : table, (n_rows, n_columns)
    space : "response", "probability" or "margin"
    label : optional
        Of a classifier, the class that numbers speak of; the second of two by default.

    Raises
    ------
    SubjectError
        Rows that do not fit the model.
    AskError
        No rows.
    """
    subject = as_subject(model, X)
    rows = subject.prepare(X)
    if rows.shape[0] == 0:
        raise AskError("X has no rows; give some")
    first = subject.steps[0].part if subject.steps else subject.core.model
    names = names_of(rows, subject.model, first)
    return Asked(subject, rows, names, index_of(X, int(rows.shape[0])), space, label)


def ask_by_cell(model: Any, X: Any, *, space: Space = "response", label: Any = None) -> Asked:
    """The same, for those who change cells.

    Raises
    ------
    AskError
        As `ask_about`, and for forecasts: one cell of a series is in many rows and lags.
    """
    asked = ask_about(model, X, space=space, label=label)
    if is_of_series(asked.subject):
        raise AskError(
            f"{asked.subject.label} makes its rows of series, in which one cell is part of many; "
            f"change the table itself and predict or explain it again, as what_if does"
        )
    return asked


def is_of_series(subject: Subject) -> bool:
    """Whether a model makes several columns of one that the user knows, as forecasts do."""
    origins = subject.origins or ()
    return len(set(origins)) < len(origins)


def one_output(
    answers: np.ndarray, classes: Sequence[Any] | None, label: Any, space: str
) -> np.ndarray:
    """The column of answers (n_rows, n_outputs) that a label means.

    Examples
    --------
    >>> one_output(np.array([[0.25]]), ("no", "yes"), "no", "probability")
    array([0.75])
    """
    n_outputs = answers.shape[1]
    if classes is None:
        if label is None and n_outputs == 1:
            return answers[:, 0]
        if not isinstance(label, (int, np.integer)) or not 0 <= label < n_outputs:
            raise AskError(
                f"the model has {n_outputs} outputs and no classes; label= must be the position "
                f"of one, 0 to {n_outputs - 1}, not {label!r}"
            )
        return answers[:, label]
    at = len(classes) - 1 if label is None and n_outputs == 1 else class_at(classes, label)
    if n_outputs > 1:
        return answers[:, at]
    if at == 1:
        return answers[:, 0]
    return -answers[:, 0] if space == "margin" else 1.0 - answers[:, 0]


def class_at(classes: Sequence[Any], label: Any) -> int:
    """Position of a class.

    Raises
    ------
    AskError
        There is no such class.
    """
    for at, known in enumerate(classes):
        if known == label:
            return at
    for at, known in enumerate(classes):
        if str(known) == str(label):  # from a command line
            return at
    listed = ", ".join(map(repr, classes))
    if label is None:
        raise AskError(f"the model has {len(classes)} classes; say which with label=: {listed}")
    raise AskError(f"the model has no class {label!r}; its classes are {listed}")


def values_of(explanation: Explanation, label: Any = None) -> np.ndarray:
    """Importances (n_rows, n_features) towards a class, or of the only output."""
    cube = explanation.values.reshape(*explanation.values.shape[:2], explanation.n_outputs)
    if explanation.classes is None and label is None and explanation.n_outputs == 1:
        return cube[:, :, 0]
    if explanation.n_outputs > 1:
        at = class_at(explanation.classes or range(explanation.n_outputs), label)
        return cube[:, :, at]
    second = label is None or class_at(explanation.classes or (), label) == 1
    return cube[:, :, 0] if second else -cube[:, :, 0]


def position_in(names: Sequence[str], name: str) -> int:
    """Position of a name.

    Raises
    ------
    AskError
        It is not there; the nearest one is named.
    """
    if name in names:
        return list(names).index(name)
    folded = {each.lower(): each for each in names}
    near = difflib.get_close_matches(str(name).lower(), folded, n=1)
    hint = (
        f"; did you mean {folded[near[0]]!r}?" if near else f"; there are {', '.join(names[:10])}"
    )
    raise AskError(f"there is no column {name!r}{hint}")


def is_ordered(column: pd.Series) -> bool:
    """Whether a column holds numbers or times, which lie on a line; truth values do not."""
    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return False
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
        return True
    if not pd.api.types.is_object_dtype(dtype):
        return False
    return pd.api.types.infer_dtype(column, skipna=True) in (
        "integer",
        "floating",
        "mixed-integer-float",
        "decimal",
    )


def changed(rows: Any, changes: Mapping[int, Any]) -> Any:
    """Rows with other cells in some columns.

    Parameters
    ----------
    rows : DataFrame, array or CSR, (n_rows, n_columns)
    changes : mapping of a column's position to a cell, or to an array (n_rows,) of them

    Returns
    -------
    Rows of the same form; columns keep their types as far as the new cells fit them.

    Raises
    ------
    AskError
        A level that a column of type category does not have.
    """
    if isinstance(rows, pd.DataFrame):
        made = rows.copy(deep=False)
        for at, cells in changes.items():
            made.isetitem(at, _cells(cells, rows.iloc[:, at]))
        return made
    if sparse.issparse(rows):
        wide = sparse.lil_matrix(rows)
        for at, cells in changes.items():
            wide[:, [at]] = np.broadcast_to(np.asarray(cells, dtype=float), rows.shape[:1])[:, None]
        return sparse.csr_matrix(wide)
    given = [np.asarray(cells).dtype for cells in changes.values()]
    dtype = np.result_type(rows.dtype, *given) if rows.dtype.kind in "iub" else rows.dtype
    array: np.ndarray = rows.astype(object if dtype.kind in "OUS" else dtype)
    for at, cells in changes.items():
        array[:, at] = cells
    return array


def _cells(cells: Any, column: pd.Series) -> Any:
    """Cells as a column of the type of another."""
    dtype = column.dtype
    if isinstance(cells, (np.ndarray, pd.Series)):
        made = pd.Series(np.asarray(cells), index=column.index)
    else:
        made = pd.Series([cells] * len(column), index=column.index, dtype=None)
    if isinstance(dtype, pd.CategoricalDtype):
        odd = made[made.notna() & ~made.isin(dtype.categories)]
        if len(odd):
            raise AskError(
                f"column {column.name!r} has no level {odd.iloc[0]!r}; it has "
                f"{', '.join(map(repr, dtype.categories[:10]))}"
            )
        return made.astype(dtype)
    if pd.api.types.is_object_dtype(dtype):
        return made.astype(object)
    try:
        same = made.astype(dtype)
    except (ValueError, TypeError):
        return made
    kept = ((same == made) | (same.isna() & made.isna())).fillna(False).all()
    return same if kept or (dtype.kind == "f" and made.dtype.kind in "fiu") else made

"""What if: other cells in a row, the new prediction and its reasons beside the old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.asking import Asked, AskError, ask_about, changed, is_of_series, values_of
from pellucid.explain.explainer import Method, explain
from pellucid.explain.explanation import Explanation
from pellucid.explain.ground import prepare
from pellucid.explain.matrices import as_frame
from pellucid.explain.subject import Space, Subject
from pellucid.explain.told import told


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A row before and after some changes.

    Attributes
    ----------
    changes : mapping of column to (old cell, new cell)
    before, after : Explanation
        Of one row each, before one background, so that their values may be subtracted.
    """

    changes: Mapping[str, tuple[Any, Any]]
    before: Explanation
    after: Explanation

    @property
    def predictions(self) -> tuple[Any, Any]:
        """What the model predicts before and after."""
        return _only(self.before, "predicted"), _only(self.after, "predicted")

    @property
    def probabilities(self) -> tuple[list[float], list[float]] | None:
        """Of every class, before and after; None where there are no classes."""
        found = _only(self.before, "probability"), _only(self.after, "probability")
        return None if found[0] is None else found

    def moved(self, label: Any = None) -> pd.DataFrame:
        """Every feature's cell and importance before and after, the largest move first.

        Moves add up to the change of the answer, as both rows stand before one background.

        Parameters
        ----------
        label : optional
            Class that importances speak of; needed with three or more.
        """
        old, new = values_of(self.before, label)[0], values_of(self.after, label)[0]
        frame = pd.DataFrame(
            {
                "old": self.before.data.iloc[0].astype(object),
                "new": self.after.data.iloc[0].astype(object),
                "before": old,
                "after": new,
                "move": new - old,
            },
            index=pd.Index(self.before.feature_names, name="feature"),
        )
        return frame.iloc[np.argsort(-np.abs(new - old), kind="stable")]

    def __str__(self) -> str:
        old, new = self.predictions
        lines = [f"{name}: {a} -> {b}" for name, (a, b) in self.changes.items()]
        lines.append(f"prediction: {told(old)} -> {told(new)}")
        if self.probabilities is not None and self.before.classes is not None:
            lines += [
                f"  probability of {label}: {a:.4f} -> {b:.4f}"
                for label, a, b in zip(self.before.classes, *self.probabilities)
            ]
        return "\n".join(lines)


def what_if(
    model: Any,
    row: Any,
    changes: Mapping[str, Any],
    *,
    background: Any = None,
    space: Space | None = None,
    method: Method = "auto",
    random_state: int = 0,
) -> WhatIf:
    """Change raw cells of a row, and predict and explain it again.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    row : dict, Series, array (n_columns,), or table of one row
    changes : mapping of raw column to its new cell
    background : table, optional
        Rows that stand for "absent"; needed where the model keeps none. Where it is a frame, a
        row given as a dict takes its types.
    space, method, random_state
        As in `pellucid.explain`.

    Raises
    ------
    AskError
        No changes, an unknown column, a cell that does not fit its column, several rows, or no
        background.
    ExplanationError
        What `pellucid.explain` refuses.

    Examples
    --------
    >>> homes = pd.DataFrame({"size": [50.0, 80.0], "age": [10.0, 30.0]})
    >>> price = lambda rows: 3 * rows["size"] - rows["age"]
    >>> found = what_if(price, {"size": 60, "age": 20}, {"age": 5}, background=homes)
    >>> found.predictions
    (160.0, 175.0)
    >>> found.moved()["move"].tolist()
    [15.0, 0.0]
    """
    table = one_row(row, background)
    subject = as_subject(model, table)
    if background is None and subject.own_background is None:
        raise AskError(
            f"{subject.label} keeps no background; give background=, such as some training rows"
        )
    if not changes:
        raise AskError("changes is empty; name at least one column and its new cell")
    rows, cells = _both(subject, table, changes)
    ground = prepare(subject, background=background, random_state=random_state)
    before, after = (explain(ground, each, space=space, method=method) for each in rows)
    return WhatIf(cells, before, after)


def _both(
    subject: Subject, table: Any, changes: Mapping[str, Any]
) -> tuple[tuple[Any, Any], dict[str, tuple[Any, Any]]]:
    """The row before and after the changes, and the cells that changed."""
    of_series = is_of_series(subject)
    if of_series:  # rows are made of the table, so the table is changed
        names = tuple(map(str, table.columns))
        start = Asked(subject, table, names, table.index, "response")
    else:
        start = ask_about(subject, table)
    at = {start.position(name): fitting(start.frame[name], cell) for name, cell in changes.items()}
    after = changed(start.rows, at)
    if not of_series:
        after = subject.prepare(after)
    new = as_frame(after, start.names, start.index)
    cells = {start.names[i]: (start.frame.iloc[0, i], new.iloc[0, i]) for i in at}
    return (start.rows, after), cells


def one_row(row: Any, like: Any = None) -> Any:
    """A table of one row; of a dict with the types of another table where that is a frame.

    Raises
    ------
    AskError
        None or several rows.
    """
    if isinstance(row, pd.Series):
        row = row.to_dict()
    if isinstance(row, Mapping):
        frame = pd.DataFrame([dict(row)])
        return _typed(frame, like) if isinstance(like, pd.DataFrame) else frame
    if isinstance(row, (list, tuple)) and row and not isinstance(row[0], str):
        row = np.asarray(row)
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return row[None, :]
    n_rows = row.shape[0] if hasattr(row, "shape") else len(row)
    if n_rows != 1:
        raise AskError(f"row is a table of {n_rows} rows; give one, such as table.iloc[[0]]")
    return row


def _typed(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    for name in frame.columns.intersection(like.columns):
        dtype = like[name].dtype
        if isinstance(dtype, pd.CategoricalDtype) or getattr(dtype, "kind", "O") == "f":
            cell = fitting(like[name], frame[name].iloc[0])
            frame[name] = changed(like[[name]].iloc[:1], {0: cell})[name].to_numpy()
            frame[name] = frame[name].astype(dtype)
    return frame


def fitting(column: pd.Series, cell: Any) -> Any:
    """A cell in the form of its column: text becomes a number where numbers are.

    Raises
    ------
    AskError
        Text that is no number in a column of numbers.

    Examples
    --------
    >>> fitting(pd.Series([1.5], name="age"), "31")
    31.0
    """
    if not isinstance(cell, str) or not pd.api.types.is_numeric_dtype(column.dtype):
        return cell
    if cell == "":
        return np.nan
    if pd.api.types.is_bool_dtype(column.dtype):
        if cell.lower() not in ("true", "false"):
            raise AskError(f"column {column.name!r} holds true and false, not {cell!r}")
        return cell.lower() == "true"
    try:
        number = float(cell)
    except ValueError:
        raise AskError(f"column {column.name!r} holds numbers, not {cell!r}") from None
    return int(number) if column.dtype.kind in "iu" and number.is_integer() else number


def _only(explanation: Explanation, detail: str) -> Any:
    found = explanation.details.get(detail)
    return None if found is None else found[0]

"""Hold the types of cells to those of training, so that nothing is turned into something else.

The readers of `pellucid.tabular` are generous, as files ask for: text that holds a number is one.
A program that sends text for a number has most likely a fault, and one that sends a truth value
certainly; so a service looks at types before cells are read.
"""

from __future__ import annotations

import datetime as dt
import numbers
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from pellucid.serve.errors import RowsError
from pellucid.tabular.align import holds_words
from pellucid.tabular.columns import Column, Schema
from pellucid.tabular.infer import did_you_mean
from pellucid.tabular.reading.values import is_missing

Policy = Literal["lenient", "strict"]
Sort = Literal["missing", "truth", "number", "text", "moment", "nested", "other"]

_WORDS = {
    "truth": "true or false",
    "number": "a number",
    "text": "text",
    "moment": "a date",
    "nested": "a list or an object",
    "other": "a value of an unknown type",
}
_READ: dict[str, set[Sort]] = {  # what the readers of a kind turn into it without loss
    "numeric": {"number", "text"},
    "boolean": {"truth", "number", "text"},
    "datetime": {"moment", "text"},
}
_SORTS: dict[type, Sort] = {
    type(None): "missing", bool: "truth", int: "number", float: "number", str: "text",
    dict: "nested", list: "nested", tuple: "nested",
}  # fmt: skip


def sort_of(kind: type) -> Sort:
    """What cells of a type are."""
    if kind in _SORTS:
        return _SORTS[kind]
    sort: Sort = "other"
    if kind in (type(pd.NA), type(pd.NaT)):
        sort = "missing"
    elif issubclass(kind, np.bool_):
        sort = "truth"
    elif issubclass(kind, (dt.date, np.datetime64, pd.Period)):
        sort = "moment"
    elif issubclass(kind, (numbers.Number, np.number, dt.timedelta)):
        sort = "number"
    elif issubclass(kind, (str, bytes)):
        sort = "text"
    elif issubclass(kind, (Mapping, Sequence, np.ndarray)):
        sort = "nested"
    _SORTS[kind] = sort
    return sort


def trained_as(column: Column) -> Sort:
    """What the cells of a column were in the training table.

    Examples
    --------
    >>> trained_as(Column("age", "numeric", dtype="int64"))
    'number'
    >>> trained_as(Column("paid", "boolean", dtype="str")), trained_as(Column("job", "text"))
    ('text', 'text')
    """
    name = column.dtype.lower()
    if name.startswith("bool"):
        return "truth"
    if name.startswith(("int", "uint", "float", "double", "timedelta", "decimal")):
        return "number"
    if name.startswith(("datetime", "date", "timestamp", "period")):
        return "moment"
    if name.startswith(("str", "object", "string", "large_string", "category")) or not name:
        usual: dict[str, Sort] = {"numeric": "number", "boolean": "truth"}
        return usual.get(column.kind, "text") if name in ("", "category") else "text"
    return "other"


def allowed(column: Column, policy: Policy) -> frozenset[Sort]:
    """The sorts of cells that a column takes.

    Strict is what training had. Lenient takes also what reads as that without loss: text that
    holds a number, the words for yes and no, a number as the label of a category. A truth value
    is never a number, nor a number a date.
    """
    own = trained_as(column)
    if own in ("moment", "other"):
        own = "text"  # JSON has no dates
    sorts: set[Sort] = {"missing", own}
    if column.kind == "datetime":
        sorts |= {"moment", "text"}
    if column.kind in ("categorical", "text") and column.dtype.startswith("category"):
        sorts |= {"number"}
    if policy == "lenient":
        sorts |= _READ.get(column.kind, {"number", "text", "truth"})
        if column.kind == "categorical" and holds_words(column):
            sorts -= {"number", "truth"}  # where training had words, a mistake and no new label
    return frozenset(sorts)


@dataclass(frozen=True)
class Gate:
    """What rows must be to be scored: the columns of a schema, with the cells that they take.

    schema : Schema
    policy : "lenient" or "strict"
    """

    schema: Schema
    policy: Policy

    @cached_property
    def _used(self) -> list[tuple[Column, frozenset[Sort], frozenset[Sort]]]:
        return [
            (column, allowed(column, self.policy), allowed(column, "strict"))
            for column in self.schema.columns
            if column.used
        ]

    def check_row(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Hold one row to the schema; give what is left out, or read as something else.

        Raises
        ------
        RowsError
            Names the column that is absent, unknown, or holds another sort of cell.
        """
        notes = self._check_names(row)
        for column, takes, own in self._used:
            sort = sort_of(type(row[column.name]))
            if sort not in own:
                notes += self._judge((row[column.name],), {sort}, column, takes, own)
        return tuple(notes)

    def check_frame(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """The same for a table, whose columns have text names; names the first bad row too."""
        notes = self._check_names(frame.columns)
        for column, takes, own in self._used:
            cells = _samples(frame[column.name])
            sorts = {sort_of(kind) for kind in set(map(type, cells))}
            if not sorts <= own:
                notes += self._judge(cells, sorts, column, takes, own)
        return tuple(notes)

    def _check_names(self, names: Collection[str]) -> list[str]:
        for column, _, _ in self._used:
            if column.name not in names:
                extra = [name for name in names if name not in self.schema.kinds]
                raise RowsError(
                    f"column {column.name!r} is absent, and the model needs it; send it, with "
                    f"null where the value is not known{_hint(column.name, extra)}",
                    code="missing_column",
                    column=column.name,
                )
        extra = [name for name in names if name not in self.schema.kinds]
        if extra and self.policy == "strict":
            raise RowsError(
                f"column {extra[0]!r} is not one of the model's; leave it out, or ask for the "
                f"policy lenient{_hint(extra[0], self.schema.names)}",
                code="unknown_column",
                column=extra[0],
            )
        return [f"column {name!r} is not one of the model's and was left out" for name in extra]

    def _judge(
        self,
        cells: Sequence[Any],
        sorts: Collection[Sort],
        column: Column,
        takes: frozenset[Sort],
        own: frozenset[Sort],
    ) -> list[str]:
        for row, cell in enumerate(cells):
            sort = sort_of(type(cell))
            if sort not in takes:
                words = " or ".join(_WORDS[each] for each in sorted(takes - {"missing"}))
                raise RowsError(
                    f"column {column.name!r} takes {words}, but row {row} has {_WORDS[sort]}",
                    code="wrong_type",
                    column=column.name,
                    row=row,
                )
        other = ", ".join(_WORDS[each] for each in sorted(set(sorts) - own))
        return [f"column {column.name!r}: {other} was read as {column.kind}"]


def _samples(values: pd.Series) -> Sequence[Any]:
    """Cells whose sorts stand for all of a column: each of a mixed one, else the first there is."""
    if values.dtype == object or isinstance(values.dtype, pd.CategoricalDtype):
        return [None if is_missing(cell) else cell for cell in values.astype(object)]
    if len(values) and not is_missing(values.iloc[0]):  # spares a look at all of them
        return [values.iloc[0]]
    present = values.notna().to_numpy()
    if not present.any():
        return ()
    at = int(present.argmax())
    return [None] * at + [values.iloc[at]]


def _hint(name: str, among: Sequence[str]) -> str:
    hint = did_you_mean(name, among) if among else ""
    return hint if hint.endswith("?") else ""

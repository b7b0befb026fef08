"""Rows of a request as a table, whose cells are still as they were sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from pellucid.serve.errors import RowsError


def columns_of(
    rows: Sequence[Mapping[str, Any]], known: Collection[str] | None = None
) -> pd.DataFrame:
    """Rows of the same columns as a table; a cell that is not sent is not a missing value.

    Parameters
    ----------
    rows : sequence of mappings
    known : names of the model's columns, optional
        Others may be in some rows and not in others.

    Raises
    ------
    RowsError
        Names the first row that has other columns than the first, and one of them.

    Examples
    --------
    >>> columns_of([{"age": 31}, {"age": None}])["age"].tolist()
    [31.0, nan]
    >>> columns_of([{"age": 31}, {"age": None, "note": "new"}], ["age"]).columns.tolist()
    ['age', 'note']
    """
    first = list(rows[0])
    if all(type(cells) is dict and list(cells) == first for cells in rows):  # as most are
        columns = zip(*[cells.values() for cells in rows])
        return pd.DataFrame({name: list(cells) for name, cells in zip(first, columns)})
    names, every = rows[0].keys(), dict.fromkeys(rows[0])
    for row, cells in enumerate(rows):
        if not isinstance(cells, Mapping):
            raise RowsError(
                f"row {row} is no object of column names and cells, unlike row 0",
                code="wrong_shape",
                row=row,
            )
        if cells.keys() == names:
            continue
        every.update(dict.fromkeys(cells))
        apart = sorted(name for name in cells.keys() ^ names if known is None or name in known)
        if apart:
            one, other = (row, 0) if apart[0] in names else (0, row)
            raise RowsError(
                f"row {one} lacks column {apart[0]!r}, which row {other} has; send it, with null "
                f"where the value is not known",
                code="missing_column",
                column=apart[0],
                row=one,
            )
    return pd.DataFrame({name: [cells.get(name) for cells in rows] for name in every})


class Cells(Sequence[Sequence[Any]]):
    """Columns of a table by the place of a name, read when they are asked for."""

    def __init__(self, table: pd.DataFrame, names: Sequence[str]) -> None:
        self._table, self._names = table, names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, place: Any) -> Any:
        name = self._names[place]
        if name not in self._table.columns:
            return [None] * len(self._table)
        return self._table[name].to_numpy()

"""Who plays: the map from columns to the units that join a coalition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.shapley.errors import ShapleyError


@dataclass(frozen=True, eq=False)
class Players:
    """One player per column, or several columns per player.

    of_column : ndarray of int32, (n_columns,); the player that each column belongs to.
    n : number of players.
    names : their names when the caller gave any, else None.
    columns : names of the columns where they are known; frames are aligned by them.
    """

    of_column: np.ndarray
    n: int
    names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None


def resolve_players(
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None,
    *,
    n_columns: int,
    columns: Sequence[str] | None = None,
) -> Players:
    """Check what the caller says about players and put it in one form.

    Parameters
    ----------
    players : None, array of int (n_columns,), or mapping of name to columns
        None makes each column a player. A mapping lists each column exactly once, by position or,
        where the model knows its column names, by name.
    n_columns : int
    columns : sequence of str, optional
        Column names of the model.

    Raises
    ------
    ShapleyError
        A column without a player or with two, an unknown column, or an array of a wrong shape.

    Examples
    --------
    >>> resolve_players({"size": [0, 2], "age": [1]}, n_columns=3).of_column
    array([0, 1, 0], dtype=int32)
    """
    known = tuple(columns) if columns is not None else None
    if players is None:
        return Players(np.arange(n_columns, dtype=np.int32), n_columns, known, known)
    if isinstance(players, Mapping):
        return _from_mapping(players, n_columns, known)
    of_column = np.asarray(players)
    if of_column.shape != (n_columns,) or of_column.dtype.kind not in "iu":
        raise ShapleyError(
            f"players is an array of {of_column.dtype} with shape {of_column.shape}; expected "
            f"one integer for each of the {n_columns} columns"
        )
    if n_columns and of_column.min() < 0:
        raise ShapleyError(
            f"column {int(of_column.argmin())} has player {of_column.min()}; players count from 0"
        )
    n = int(of_column.max()) + 1 if n_columns else 0
    return Players(of_column.astype(np.int32), n, columns=known)


def _from_mapping(
    players: Mapping[str, Sequence[Any]], n_columns: int, columns: tuple[str, ...] | None
) -> Players:
    positions = {name: i for i, name in enumerate(columns)} if columns is not None else {}
    of_column = np.full(n_columns, -1, dtype=np.int32)
    for player, (name, members) in enumerate(players.items()):
        for member in members:
            column = positions.get(member) if isinstance(member, str) else int(member)
            if column is None or not 0 <= column < n_columns:
                raise ShapleyError(
                    f"player {name!r} lists column {member!r}, which the model does not have; "
                    f"expected a position from 0 to {n_columns - 1} or a column name of the model"
                )
            if of_column[column] >= 0:
                raise ShapleyError(
                    f"column {member!r} is listed by player {name!r} and by an earlier one; "
                    "each column belongs to one player"
                )
            of_column[column] = player
    if (of_column < 0).any():
        missing = np.flatnonzero(of_column < 0)[:5].tolist()
        raise ShapleyError(
            f"columns {missing} have no player; list every one of the {n_columns} columns, those "
            "that the model ignores too"
        )
    return Players(of_column, len(players), tuple(str(name) for name in players), columns)

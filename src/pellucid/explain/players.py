"""Who plays: raw columns, engineered ones, or groups of either."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.setting import Setting
from pellucid.explain.subject import SubjectError

Players = Any  # "raw", "engineered", a mapping of player to columns, or a map as a DataFrame


@dataclass(frozen=True, eq=False)
class Seats:
    """The player of each column.

    names : tuple of str; the players.
    of_column : int (n_columns,); raw columns, or engineered ones if ``engineered``.
    kind : "raw", "engineered" or "groups"
    """

    names: tuple[str, ...]
    of_column: np.ndarray
    engineered: bool
    kind: str


def seat_in(setting: Setting, players: Players) -> Seats:
    """The player of each column of a setting's rows, or of those that its core sees."""
    seats = seat(players, setting.raw_names, setting.engineered_names)
    return seats if seats.engineered else replace(seats, of_column=seats.of_column[setting.raw_of])


def seat(players: Players, raw: Sequence[str], engineered: Sequence[str]) -> Seats:
    """Find every column's player.

    Parameters
    ----------
    players : "raw", "engineered", mapping, or DataFrame
        A mapping lists columns for each player; columns that no player lists play alone. Names
        are of raw columns, or all of engineered ones. A DataFrame has a row for each player, a
        column for each column of the model, and anything but zero where the two belong together.
    raw, engineered : sequence of str

    Raises
    ------
    SubjectError
        An unknown column, or one that two players list.

    Examples
    --------
    >>> seat({"home": ["city", "zip"]}, ["age", "city", "zip"], []).of_column
    array([1, 0, 0])
    """
    if isinstance(players, str):
        if players == "raw":
            return Seats(tuple(raw), np.arange(len(raw)), False, "raw")
        if players == "engineered":
            return Seats(tuple(engineered), np.arange(len(engineered)), True, "engineered")
        raise SubjectError(
            f"unknown players {players!r}; expected 'raw', 'engineered', or a mapping of a "
            f"player's name to its columns"
        )
    if isinstance(players, pd.DataFrame):
        players = {
            str(name): players.columns[row].tolist()
            for name, row in zip(players.index, players.to_numpy() != 0)
        }
    if not isinstance(players, Mapping):
        raise SubjectError(
            f"players is a {type(players).__name__}; expected 'raw', 'engineered', a mapping of a "
            f"player's name to its columns, or a DataFrame of players by columns"
        )
    return _grouped(players, raw, engineered)


def _grouped(players: Mapping[Any, Any], raw: Sequence[str], engineered: Sequence[str]) -> Seats:
    listed = [
        (str(name), str(column))
        for name, columns in players.items()
        for column in ([columns] if isinstance(columns, str) else columns)
    ]
    columns = {column for _, column in listed}
    is_engineered = not columns <= set(raw) and columns <= set(engineered)
    names = list(engineered if is_engineered else raw)
    place = {name: i for i, name in enumerate(names)}
    of_column = np.full(len(names), -1, dtype=np.int64)
    order = list(map(str, players))
    for player, column in listed:
        if column not in place:
            near = difflib.get_close_matches(column, [*raw, *engineered], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names[:5])}"
            raise SubjectError(f"player {player!r} lists an unknown column {column!r}{hint}")
        if of_column[place[column]] >= 0:
            raise SubjectError(
                f"column {column!r} is listed by {order[of_column[place[column]]]!r} and by "
                f"{player!r}; a column has one player, so join the two"
            )
        of_column[place[column]] = order.index(player)
    for i in np.flatnonzero(of_column < 0):
        if names[i] in order:
            raise SubjectError(
                f"player {names[i]!r} is named like a column that it does not list, and that plays "
                f"alone; give the player another name, or list the column"
            )
        of_column[i] = len(order)
        order.append(names[i])
    return Seats(tuple(order), of_column, is_engineered, "groups")

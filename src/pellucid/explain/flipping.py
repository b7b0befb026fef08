"""The search for the fewest moves after which a model says something else.

Level by level: every row with one cell moved, then two, and so on, up to a budget of predictions.
Where a level has more rows than that, the columns that can push most are combined first, by exact
Shapley values, and the best rows of the level before are moved once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np

from pellucid.explain.moves import Column

Judge = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From choices (n_rows, n_columns), positions among a column's ``seen`` or -1 for its own cell, to
whether each row has the wanted outcome, and how near it is to it: larger is nearer."""

_BATCH = 8192
_BEAM = 64  # rows of a level that are moved once more
_DEEP = 12  # columns that are combined first


@dataclass(frozen=True, eq=False)
class Flips:
    """What a search found.

    Attributes
    ----------
    choices : ndarray of int, (n_found, n_columns)
        Rows with the wanted outcome and equally many moves, the nearest to the start first.
    costs : ndarray of float64, (n_found,)
    proven : bool
        Whether every row with fewer moves was asked.
    complete : bool
        Whether every row with as many moves was asked too.
    nearest : ndarray of int, (n_columns,)
        The row that came nearest to the outcome.
    asked : int
        How many rows were asked.
    """

    choices: np.ndarray
    costs: np.ndarray
    proven: bool
    complete: bool
    nearest: np.ndarray
    asked: int


@dataclass(eq=False)
class _Search:
    """What was asked so far, the nearest row of all, and the nearest ones of this level."""

    judge: Judge
    asked: int = 0
    best: tuple[float, np.ndarray] | None = None
    front: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)

    def ask(self, rows: Iterator[tuple[int, ...]], limit: int) -> list[tuple[int, ...]]:
        """Judge rows until a limit; keep the nearest ones, give those with the outcome."""
        found: list[tuple[int, ...]] = []
        spent = 0
        while spent < limit:
            batch = [row for _, row in zip(range(min(_BATCH, limit - spent)), rows)]
            if not batch:
                break
            spent += len(batch)
            choices = np.array(batch, dtype=np.int64)
            flips, nearness = self.judge(choices)
            found += [batch[i] for i in np.flatnonzero(flips)]
            for i in np.argsort(-nearness, kind="stable")[:_BEAM]:
                self.front.append((-float(nearness[i]), batch[i]))
            self.front = sorted(self.front, key=lambda each: each[0])[:_BEAM]
        self.asked += spent
        if self.front and (self.best is None or -self.front[0][0] > self.best[0]):
            self.best = (-self.front[0][0], np.array(self.front[0][1]))
        return found


def find_flips(
    columns: Sequence[Column],
    judge: Judge,
    *,
    max_changes: int,
    budget: int,
    promise: Callable[[], np.ndarray],
) -> Flips:
    """Search level by level.

    Parameters
    ----------
    columns : where each may move to
    judge : Judge
    max_changes : int
    budget : int
        Rows that may be asked of a level.
    promise : function to an array (n_columns,)
        How much each column can push towards the outcome; asked only when a level is too large.
    """
    search = _Search(judge)
    sizes = [len(column.tried) for column in columns]
    proven = True
    found: list[tuple[int, ...]] = []
    complete = True
    for level in range(1, min(max_changes, len(columns)) + 1):
        before, search.front = [row for _, row in search.front], []
        complete = _n_rows(sizes, level) <= budget
        everything = combinations(range(len(columns)), level)
        if complete:
            found = search.ask(_rows(columns, everything), budget)
        else:
            order = np.argsort(-promise(), kind="stable")[:_DEEP]
            likely = _by_promise(order, promise(), level)
            found = search.ask(_rows(columns, iter(likely)), budget // 2)
            found += search.ask(_moved_once_more(columns, before), budget // 2)
            found = list(dict.fromkeys(found))
        if found:
            break
        proven = proven and complete
    choices = np.array(found, dtype=np.int64).reshape(-1, len(columns))
    costs = costs_of(columns, choices)
    order = np.argsort(costs, kind="stable")
    none = np.full(len(columns), -1)
    nearest = none if search.best is None else search.best[1]
    return Flips(choices[order], costs[order], proven, complete, nearest, search.asked)


def costs_of(columns: Sequence[Column], choices: np.ndarray) -> np.ndarray:
    """How far the moves of each row of choices (n_rows, n_columns) are, together: (n_rows,)."""
    total = np.zeros(len(choices))
    for column, choice in zip(columns, choices.T):
        total += np.where(choice >= 0, column.costs[choice], 0.0)
    return total


def _n_rows(sizes: Sequence[int], level: int) -> int:
    """How many rows have exactly so many moves.

    Examples
    --------
    >>> _n_rows([2, 3, 4], 2)
    26
    """
    ways = [1] + [0] * level
    for size in sizes:
        for k in range(level, 0, -1):
            ways[k] += ways[k - 1] * size
    return ways[level]


def _rows(columns: Sequence[Column], sets: Iterator[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    for members in sets:
        for choice in product(*(columns[i].tried.tolist() for i in members)):
            row = [-1] * len(columns)
            for i, at in zip(members, choice):
                row[i] = at
            yield tuple(row)


def _by_promise(order: np.ndarray, promise: np.ndarray, level: int) -> list[tuple[int, ...]]:
    sets = combinations(order.tolist(), level)
    return sorted(sets, key=lambda members: -sum(promise[i] for i in members))


def _moved_once_more(
    columns: Sequence[Column], rows: list[tuple[int, ...]]
) -> Iterator[tuple[int, ...]]:
    for row in rows:
        for i, column in enumerate(columns):
            if row[i] < 0:
                for at in column.tried.tolist():
                    yield (*row[:i], at, *row[i + 1 :])

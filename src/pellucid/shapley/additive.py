"""Shapley values of additive margins, in closed form: generalised additive models, EBMs.

The margin is a sum of terms of one column or of two. A term inside one player gives that player
what it adds beyond its mean over the background (Strumbelj and Kononenko 2014). A term
of two players is a game of two, which has four coalitions only: each gets the mean of what it adds
first and of what it adds second. Linearity does the rest, for any grouping of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.shapley.additivity import hold_to_margins
from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.players import Players, resolve_players
from pellucid.shapley.rows import check_rows, check_weights, names_of

_CELLS = 2**20  # cells of a two-player term worked out at a time


@dataclass(frozen=True, eq=False)
class BinnedTable:
    """A step function of one or two columns.

    Attributes
    ----------
    cuts : tuple of ndarray
        For each column, ascending; a value falls into the bin of as many cuts as it reaches.
    table : ndarray, (n_cuts + 2, ...)
        An axis for each column, then optionally n_outputs; the last place of each column is for
        NaN.

    Examples
    --------
    >>> step = BinnedTable((np.array([0.0, 10.0]),), np.array([1.0, 2.0, 3.0, -1.0]))
    >>> step(np.array([-5.0, 0.0, 12.0, np.nan]))
    array([ 1.,  2.,  3., -1.])
    """

    cuts: tuple[np.ndarray, ...]
    table: np.ndarray

    def __post_init__(self) -> None:
        expected = tuple(len(edges) + 2 for edges in self.cuts)
        if self.table.ndim - len(self.cuts) not in (0, 1) or (
            self.table.shape[: len(self.cuts)] != expected
        ):
            raise ShapleyError(
                f"table has shape {self.table.shape}; these cuts need {expected}, one place more "
                "than bins for NaN, and n_outputs after it when there are several"
            )

    def __call__(self, *columns: np.ndarray) -> np.ndarray:
        """Look up values of each column, (n,) or (n, n_outputs)."""
        at = tuple(self._bins(axis, values) for axis, values in enumerate(columns))
        found: np.ndarray = self.table[at]
        return found

    def averaged(self, axis: int, values: np.ndarray, weights: np.ndarray) -> BinnedTable:
        """Mean over one of two columns, its values (n,) having weights (n,) of sum one."""
        shares = np.bincount(self._bins(axis, values), weights, self.table.shape[axis])
        mean = np.tensordot(shares, self.table, axes=(0, axis))
        return BinnedTable((self.cuts[1 - axis],), mean)

    def _bins(self, axis: int, values: np.ndarray) -> np.ndarray:
        edges = self.cuts[axis]
        bins = np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), len(edges) + 1, bins)


@dataclass(frozen=True, eq=False)
class Term:
    """One summand: the columns it reads, one or two, and its function of their values.

    function : a `BinnedTable`, or any callable that takes one array (n,) per column and gives
        (n,) or (n, n_outputs), value by value.
    """

    columns: tuple[int, ...]
    function: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class AdditiveTables:
    """An additive margin with its background.

    intercept : (n_outputs,); means : (n_terms, n_outputs), of each term over the background.
    background : (n_background, n_columns); weights : (n_background,), of sum one.
    """

    terms: tuple[Term, ...]
    intercept: np.ndarray
    means: np.ndarray
    background: np.ndarray
    weights: np.ndarray
    players: Players

    @property
    def n_players(self) -> int:
        """Number of players."""
        return self.players.n

    @property
    def n_outputs(self) -> int:
        """Number of margins."""
        return len(self.intercept)

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        base: np.ndarray = self.intercept + self.means.sum(axis=0)
        return base

    def margins(self, X: Any) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        rows = check_rows(X, n_columns=self.background.shape[1], columns=self.players.columns)
        out = np.tile(self.intercept, (len(rows), 1))
        for term in self.terms:
            out += _evaluate(term, [rows[:, column] for column in term.columns])
        return out

    def values(self, X: Any) -> np.ndarray:
        """Shapley values, (n_rows, n_players), or (n_rows, n_players, n_outputs) when several."""
        rows = check_rows(X, n_columns=self.background.shape[1], columns=self.players.columns)
        out = np.zeros((len(rows), self.n_players, self.n_outputs))
        for i, (term, mean) in enumerate(zip(self.terms, self.means)):
            cells = [rows[:, column] for column in term.columns]
            worth = _evaluate(term, cells)
            who = self.players.of_column[list(term.columns)]
            if i in self._alone:
                first, second = (alone(values) for alone, values in zip(self._alone[i], cells))
                out[:, who[0]] += ((first - mean) + (worth - second)) / 2
                out[:, who[1]] += ((second - mean) + (worth - first)) / 2
            else:
                out[:, who[0]] += worth - mean
        return out[:, :, 0] if self.n_outputs == 1 else out

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        return "additive margin"

    @property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        total: np.ndarray = np.abs(self.intercept) + np.abs(self.means).sum(axis=0)
        return total

    def verify(self, values: Any, margins: Any) -> np.ndarray:
        """Hold values to the model's own margins of the same rows, row by row.

        Raises an `AdditivityError` that says which row does not add up; gives what each sum misses
        its margin by, (n_rows, n_outputs). See `pellucid.shapley.additivity.hold_to_margins`.
        """
        return hold_to_margins(self, values, margins)

    def save(self, path: Any) -> None:
        """Write to one file; `pellucid.shapley.load` reads it.

        Raises
        ------
        ShapleyError
            A term that is a function: files hold numbers only.
        """
        from pellucid.shapley.files import save_tables

        for term in self.terms:
            if not isinstance(term.function, BinnedTable):
                raise ShapleyError(
                    f"the term of columns {term.columns} is a {type(term.function).__name__}; only "
                    "terms that are a BinnedTable can be saved"
                )
        save_tables(self, path)

    @cached_property
    def _alone(self) -> dict[int, list[Callable[[np.ndarray], np.ndarray]]]:
        """For terms of two players, by position: the mean when only its first, or second, is in."""
        found = {}
        for i, term in enumerate(self.terms):
            if len(set(self.players.of_column[list(term.columns)])) == 2:
                found[i] = [self._averaged(term, place) for place in range(2)]
        return found

    def _averaged(self, term: Term, present: int) -> Callable[[np.ndarray], np.ndarray]:
        absent = self.background[:, term.columns[1 - present]]
        if isinstance(term.function, BinnedTable):
            table = term.function.averaged(1 - present, absent, self.weights)
            return lambda values: _evaluate(Term((term.columns[present],), table), [values])

        def mean(values: np.ndarray) -> np.ndarray:
            out = np.empty((len(values), self.n_outputs))
            step = max(1, _CELLS // len(absent))
            for start in range(0, len(values), step):
                part = values[start : start + step]
                pair = [np.repeat(part, len(absent)), np.tile(absent, len(part))]
                cells = _evaluate(term, pair if present == 0 else pair[::-1])
                cells = cells.reshape(len(part), len(absent), -1)
                out[start : start + step] = (cells * self.weights[:, None]).sum(axis=1)
            return out

        return mean


def additive(
    terms: Sequence[Term],
    intercept: Any,
    *,
    background: Any,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    weights: Any = None,
) -> AdditiveTables:
    """Exact Shapley values of ``intercept`` plus a sum of terms.

    Parameters
    ----------
    terms : sequence of Term
        Each of one column or of two.
    intercept : array (n_outputs,), or a number
    background : array or frame (n_background, n_columns)
        Rows that stand for "absent". Frames that are explained are put in its order by name.
    players : see `pellucid.shapley.compile`
    weights : array (n_background,), optional

    Returns
    -------
    AdditiveTables

    Raises
    ------
    ShapleyError
        A term of no column, of more than two or of one that is not there, outputs that do not
        match the intercept, or an empty background.

    Examples
    --------
    >>> product = Term((0, 1), lambda a, b: a * b)
    >>> tables = additive([product, Term((0,), np.square)], 1.0, background=[[0.0, 0.0]])
    >>> tables.values([[2.0, 3.0]]), tables.base_values
    (array([[7., 3.]]), array([1.]))
    """
    offset = np.atleast_1d(np.asarray(intercept, dtype=np.float64))
    absent = np.asarray(background)
    n_columns = absent.shape[1] if absent.ndim == 2 else 0
    rows = check_rows(absent, n_columns=n_columns, what="background")
    shares = check_weights(weights, n_rows=len(rows))
    for term in terms:
        if len(term.columns) not in (1, 2) or not set(term.columns) <= set(range(n_columns)):
            raise ShapleyError(
                f"a term has columns {term.columns}; expected one or two positions from 0 to "
                f"{n_columns - 1}"
            )
    means = np.zeros((len(terms), len(offset)))
    for mean, term in zip(means, terms):
        worth = _evaluate(term, [rows[:, column] for column in term.columns])
        if worth.shape not in ((len(rows), 1), (len(rows), len(offset))):
            raise ShapleyError(
                f"the term of columns {term.columns} gives shape {worth.shape} for {len(rows)} "
                f"rows; expected ({len(rows)},) or ({len(rows)}, {len(offset)})"
            )
        mean[:] = (worth * shares[:, None]).sum(axis=0)
    who = resolve_players(players, n_columns=n_columns, columns=names_of(background))
    return AdditiveTables(tuple(terms), offset, means, rows, shares, who)


def _evaluate(term: Term, values: list[np.ndarray]) -> np.ndarray:
    """A term's values, float64 (n, n_outputs) or (n, 1)."""
    found = np.asarray(term.function(*values), dtype=np.float64)
    return found[:, None] if found.ndim == 1 else found

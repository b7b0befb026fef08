"""Shapley values of linear margins, in closed form.

A linear margin is additive, so the value of a player is what its columns add beyond their mean
over the background (Štrumbelj and Kononenko 2014, section 3): ``coef * (x - mean)``, summed over
the columns of the player. The same holds for any grouping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.shapley.additivity import hold_to_margins
from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.players import Players, resolve_players
from pellucid.shapley.rows import check_rows, check_weights, names_of

_CHUNK = 4096  # rows expanded at a time, to bound memory
_FEW = 100  # rows that are sooner added up one by one than column by column


@dataclass(frozen=True, eq=False)
class LinearTables:
    """A linear margin with its background means.

    coef : (n_outputs, n_columns); intercept : (n_outputs,); mean : (n_columns,)
    fill : (n_columns,); what replaces NaN in a row.
    """

    coef: np.ndarray
    intercept: np.ndarray
    mean: np.ndarray
    fill: np.ndarray
    players: Players

    @property
    def n_players(self) -> int:
        """Number of players."""
        return self.players.n

    @property
    def n_outputs(self) -> int:
        """Number of margins."""
        return len(self.coef)

    @property
    def base_values(self) -> np.ndarray:
        """Mean margin over the background, (n_outputs,)."""
        base: np.ndarray = (self.coef * self.mean).sum(axis=1) + self.intercept
        return base

    def margins(self, X: Any) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        rows = check_rows(X, n_columns=len(self.mean), columns=self.players.columns)
        out = np.empty((len(rows), self.n_outputs))
        for start in range(0, len(rows), _CHUNK):
            filled = self._fill(rows[start : start + _CHUNK])
            for k, coef in enumerate(self.coef):
                # one row is summed like a batch, so the bits agree; a matrix product's do not
                out[start : start + _CHUNK, k] = (filled * coef).sum(axis=1) + self.intercept[k]
        return out

    def values(self, X: Any) -> np.ndarray:
        """Shapley values, (n_rows, n_players), or (n_rows, n_players, n_outputs) when several."""
        rows = check_rows(X, n_columns=len(self.mean), columns=self.players.columns)
        out = np.empty((len(rows), self.n_players, self.n_outputs))
        for start in range(0, len(rows), _CHUNK):
            centred = self._fill(rows[start : start + _CHUNK]) - self.mean
            for k, coef in enumerate(self.coef):
                out[start : start + _CHUNK, :, k] = self._by_player(centred * coef)
        return out[:, :, 0] if self.n_outputs == 1 else out

    def _by_player(self, shares: np.ndarray) -> np.ndarray:
        """Add what each column gives, (n, n_columns), up to (n, n_players), column by column."""
        who, n = self.players.of_column, self.n_players
        if len(shares) <= _FEW:
            return np.array([np.bincount(who, weights=row, minlength=n) for row in shares])
        sums = np.zeros((n, len(shares)))
        for player, column in zip(who, np.ascontiguousarray(shares.T)):
            sums[player] += column
        return sums.T

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        return "linear margin"

    @property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        total: np.ndarray = np.abs(self.coef * self.mean).sum(axis=1) + np.abs(self.intercept)
        return total

    def verify(self, values: Any, margins: Any) -> np.ndarray:
        """Hold values to the model's own margins of the same rows, row by row.

        Raises an `AdditivityError` that says which row does not add up; gives what each sum misses
        its margin by, (n_rows, n_outputs). See `pellucid.shapley.additivity.hold_to_margins`.
        """
        return hold_to_margins(self, values, margins)

    def save(self, path: Any) -> None:
        """Write to one file; `pellucid.shapley.load` reads it."""
        from pellucid.shapley.files import save_tables

        save_tables(self, path)

    def _fill(self, rows: np.ndarray) -> np.ndarray:
        return np.where(np.isnan(rows), self.fill, rows.astype(np.float64, copy=False))


def linear(
    coef: Any,
    intercept: Any,
    *,
    background: Any,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    fill: Any = None,
    weights: Any = None,
) -> LinearTables:
    """Exact Shapley values of ``X @ coef.T + intercept``.

    Parameters
    ----------
    coef : array (n_outputs, n_columns), or (n_columns,) for one output
    intercept : array (n_outputs,), or a number
    background : array or frame (n_background, n_columns)
        Rows that stand for "absent". Frames that are explained are put in its order by name.
    players : see `pellucid.shapley.compile`
    fill : array (n_columns,), optional
        What replaces NaN, in rows and background; by default the background mean of the column.
    weights : array (n_background,), optional

    Returns
    -------
    LinearTables

    Raises
    ------
    ShapleyError
        Shapes that do not match, or an empty background.

    Examples
    --------
    >>> groups = {"a": [0, 2], "b": [1]}
    >>> tables = linear([1.0, 2.0, 3.0], 0.0, background=[[0, 0, 0]], players=groups)
    >>> tables.values([[1, 1, 1]])
    array([[4., 2.]])
    """
    matrix = np.atleast_2d(np.asarray(coef, dtype=np.float64))
    offset = np.atleast_1d(np.asarray(intercept, dtype=np.float64))
    n_outputs, n_columns = matrix.shape
    if offset.shape != (n_outputs,):
        raise ShapleyError(
            f"intercept has shape {offset.shape}; coef of shape {matrix.shape} needs ({n_outputs},)"
        )
    rows = check_rows(background, n_columns=n_columns, what="background").astype(np.float64)
    shares = check_weights(weights, n_rows=len(rows))
    observed = ~np.isnan(rows)
    if fill is None:
        seen = np.where(observed, shares[:, None], 0.0).sum(axis=0)
        total = (np.where(observed, rows, 0.0) * shares[:, None]).sum(axis=0)
        fill = np.divide(total, seen, out=np.zeros(n_columns), where=seen > 0)
    filler = np.broadcast_to(np.asarray(fill, dtype=np.float64), (n_columns,)).copy()
    mean = (np.where(observed, rows, filler) * shares[:, None]).sum(axis=0)
    who = resolve_players(players, n_columns=n_columns, columns=names_of(background))
    return LinearTables(matrix, offset, mean, filler, who)

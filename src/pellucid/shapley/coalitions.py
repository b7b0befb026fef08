"""The games of one row: what a coalition of its players is worth against each background row.

Against one background row z, a coalition S of row x is worth f(x on S, z elsewhere). The game of
the row is the mean of these over the background, and Shapley values are linear in the game, so
they may be found for each background row apart. A player whose columns are equal in x and z is a
dummy of that pair and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.hybrids import Hybrids

_CALL_BYTES = 2**26
_CALL_ROWS = 256, 2**16  # fewest and most rows of one call of predict, when there are so many


@dataclass(frozen=True, eq=False)
class Estimate:
    """What an estimator found for one row.

    values, errors : (n_players, n_outputs); errors are standard errors.
    """

    values: np.ndarray
    errors: np.ndarray
    n_evals: int


@dataclass(frozen=True, eq=False)
class Game:
    """One row against the background.

    of_column : (n_columns,); the player of each column.
    active : bool (n_background, n_players); players whose columns differ in the pair.
    weights : (n_background,); of sum one.
    at_background : (n_background, n_outputs); at_row : (n_outputs,); worth of nobody and of all.
    """

    predict: Callable[[Any], Any]
    hybrids: Hybrids
    row: int
    of_column: np.ndarray
    active: np.ndarray
    weights: np.ndarray
    at_background: np.ndarray
    at_row: np.ndarray

    @property
    def n_active(self) -> np.ndarray:
        """Active players of each pair, int (n_background,)."""
        counts: np.ndarray = self.active.sum(axis=1)
        return counts

    @property
    def call_rows(self) -> int:
        """Rows that one call of predict is given, to take some tens of megabytes at most."""
        fewest, most = _CALL_ROWS
        return max(fewest, min(most, _CALL_BYTES // (8 * max(len(self.of_column), 1))))

    def worth(self, against: np.ndarray, joined: np.ndarray) -> np.ndarray:
        """Worth of coalitions ``joined`` (n, n_players) against background rows ``against`` (n,).

        Gives (n, n_outputs). Calls hold rows of this game only, so what predict does with a batch
        cannot depend on the other rows that are explained.
        """
        out = np.empty((len(against), len(self.at_row)))
        for start in range(0, len(against), self.call_rows):
            part = slice(start, start + self.call_rows)
            rows = self.hybrids.build(self.row, against[part], joined[part][:, self.of_column])
            out[part] = outputs(self.predict, rows, n_outputs=len(self.at_row))
        return out


def active_players(hybrids: Hybrids, row: int, of_column: np.ndarray, n_players: int) -> np.ndarray:
    """Players with a column in which the row differs, bool (n_background, n_players)."""
    differs = hybrids.differs(row)
    order = np.argsort(of_column, kind="stable")
    owners, starts = np.unique(of_column[order], return_index=True)
    active = np.zeros((len(differs), n_players), dtype=bool)
    active[:, owners] = np.logical_or.reduceat(differs[:, order], starts, axis=1)
    return active


def outputs(
    predict: Callable[[Any], Any], rows: Any, *, n_outputs: int | None = None
) -> np.ndarray:
    """Call predict and check what it gives: float64 (n_rows, n_outputs).

    Raises
    ------
    ShapleyError
        Outputs that are not numbers, not finite, or of a wrong shape.
    """
    given = np.asarray(predict(rows))
    if given.dtype.kind not in "fiub":
        try:
            given = given.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ShapleyError(
                f"predict gave {given.dtype} values; expected numbers, such as margins or "
                "probabilities"
            ) from error
    if given.ndim == 1:
        given = given[:, None]
    width = "n_outputs" if n_outputs is None else n_outputs
    fits = given.ndim == 2 and len(given) == len(rows) and given.shape[1] > 0
    if not fits or n_outputs not in (None, given.shape[1]):
        raise ShapleyError(
            f"predict gave shape {given.shape} for {len(rows)} rows; expected ({len(rows)},) or "
            f"({len(rows)}, {width})"
        )
    finite = np.isfinite(given).all(axis=1)
    if not finite.all():
        raise ShapleyError(
            f"predict gave NaN or infinity for {int((~finite).sum())} of {len(rows)} hybrid rows; "
            "Shapley values need a finite number for every mix of a row with the background"
        )
    return given.astype(np.float64, copy=False)

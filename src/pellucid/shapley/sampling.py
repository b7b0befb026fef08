"""Shapley values of any function, with the standard error of each.

Nothing is assumed of the function. It is called on hybrid rows, some columns from the row that is
explained and the others from a background row. Where few players differ all coalitions are tried
and the values are exact; else they are estimated, add up all the same, and say how well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pellucid.shapley.coalitions import Estimate, Game, active_players, outputs
from pellucid.shapley.enumeration import enumerated_values, enumeration_cost
from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.hybrids import pair_rows
from pellucid.shapley.permutations import permutation_cost, permutation_estimate
from pellucid.shapley.players import Players, resolve_players
from pellucid.shapley.regression import regression_cost, regression_estimate
from pellucid.shapley.rows import check_weights

Method = Literal["auto", "exact", "permutation", "kernel"]
_ESTIMATORS = {"permutation": permutation_estimate, "kernel": regression_estimate}
_COSTS = {
    "exact": lambda active, weights: 1 + enumeration_cost(active.sum(axis=1)),
    "permutation": permutation_cost,
    "kernel": regression_cost,
}
_EXACT = 10  # active players of a pair up to which "auto" tries all coalitions
_EXACT_OR_PRECISE = 7  # the same where a precision is asked for, which may be met much sooner
_MOST = 20  # active players of a pair that "exact" accepts
_SPARSE = 10.0  # background rows below which "kernel" is the more precise; see docs/sampling.md


@dataclass(frozen=True, eq=False)
class Sampled:
    """Shapley values and how well they are known.

    Attributes
    ----------
    values, standard_errors : ndarray, (n_rows, n_players) or (n_rows, n_players, n_outputs)
        Each row's values sum to its prediction minus the base values.
    base_values : ndarray, (n_outputs,)
        Mean prediction over the background.
    n_evals : ndarray of int, (n_rows,)
        Rows that predict was given for each row. The background, which is predicted once for all,
        is not counted.
    method : ndarray of str, (n_rows,)
        "exact", "permutation" or "kernel".
    converged : ndarray of bool, (n_rows,)
        No standard error is above the precision, if one was asked for.
    """

    values: np.ndarray
    standard_errors: np.ndarray
    base_values: np.ndarray
    n_evals: np.ndarray
    method: np.ndarray
    converged: np.ndarray
    players: Players

    @property
    def n_players(self) -> int:
        """Number of players."""
        return self.players.n

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the function."""
        return len(self.base_values)


def sample(
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    precision: float | None = None,
    max_evals: int | None = None,
    method: Method = "auto",
    seed: int = 0,
    weights: Any = None,
) -> Sampled:
    """Shapley values of ``predict`` for each row of X, absent players following the background.

    A row's result depends on the row, the background and the seed, not on the other rows: calls of
    predict never mix rows, and all rows draw from the seed alone. Their errors are therefore
    alike rather than independent.

    Parameters
    ----------
    predict : callable
        Takes rows in the form of X; gives finite numbers, (n,), (n, 1) or (n, n_outputs).
    X : array (n_rows, n_columns) of numbers, or DataFrame of any dtypes
        Rows to explain. Featurized rows serve as well as raw ones: see ``players``.
    background : array (n_background, n_columns) or DataFrame, in the form of X
        Rows that stand for "absent".
    players : None, array of int (n_columns,), or mapping of name to columns
        Columns that join a coalition together; by default each plays for itself. With the
        engineered columns of a raw column as one player, nothing is featurized again.
    precision : float, optional
        Standard error, in units of predict, at which a row is done.
    max_evals : int, optional
        Most rows that predict is given for one row of X. By default a thousand passes over the
        background and the players with a precision, ten without; a pass takes about
        ``2 * n_players * n_background``.
    method : {"auto", "exact", "permutation", "kernel"}
        "exact" tries all coalitions. "permutation" samples orders and is unbiased. "kernel"
        regresses on coalitions. "auto" takes "exact" where a row differs from each background row
        in at most ten players, seven with a precision, and ``max_evals`` allows it; else
        "permutation", or with fewer than ten background rows "kernel".
    seed : int
        Same seed, same bits.
    weights : array (n_background,), optional
        Weights of the background rows.

    Returns
    -------
    Sampled

    Raises
    ------
    ShapleyError
        Rows, background or players that do not fit; outputs of predict that are no finite numbers;
        ``max_evals`` below what a first estimate takes.

    Examples
    --------
    >>> import pandas as pd
    >>> homes = pd.DataFrame({"size": [50.0, 80.0], "city": ["Oslo", "Rome"]})
    >>> def price(rows):
    ...     return rows["size"] * rows["city"].map({"Oslo": 7.0, "Rome": 5.0})
    >>> found = sample(price, homes[1:], background=homes[:1])
    >>> found.values, found.base_values
    (array([[ 180., -130.]]), array([350.]))
    >>> found.method[0], found.n_evals[0]
    (np.str_('exact'), np.int64(3))
    """
    _check(precision, max_evals, method, seed)
    hybrids = pair_rows(X, background)
    n_rows, n_background, n_columns = hybrids.shape
    names = None if hybrids.columns is None else [str(name) for name in hybrids.columns]
    who = resolve_players(players, n_columns=n_columns, columns=names)
    shares = check_weights(weights, n_rows=n_background)
    # before anything is predicted, so that no work is lost to a row that takes too much
    methods = []
    for row in range(n_rows):
        active = active_players(hybrids, row, who.of_column, who.n)
        methods.append(_choose(row, active, shares, method, precision, max_evals))
    at_background = outputs(predict, hybrids.absent())
    n_outputs = at_background.shape[1]
    everybody = np.ones((1, n_columns), dtype=bool)
    estimates = []
    for row, chosen in enumerate(methods):
        x = hybrids.build(row, np.zeros(1, dtype=np.int64), everybody)
        game = Game(
            predict=predict,
            hybrids=hybrids,
            row=row,
            of_column=who.of_column,
            active=active_players(hybrids, row, who.of_column, who.n),
            weights=shares,
            at_background=at_background,
            at_row=outputs(predict, x, n_outputs=n_outputs)[0],
        )
        if chosen == "exact":
            estimates.append(_exact(game))
        else:
            estimate = _ESTIMATORS[chosen]
            estimates.append(estimate(game, precision=precision, max_evals=max_evals, seed=seed))
    shape = (n_rows, who.n, n_outputs) if n_outputs > 1 else (n_rows, who.n)
    errors = np.array([found.errors for found in estimates]).reshape(shape)
    wanted = np.inf if precision is None else precision
    return Sampled(
        values=np.array([found.values for found in estimates]).reshape(shape),
        standard_errors=errors,
        base_values=(shares[:, None] * at_background).sum(axis=0),
        n_evals=np.array([found.n_evals for found in estimates], dtype=np.int64),
        method=np.array(methods, dtype=np.str_),
        converged=np.asarray((errors <= wanted).all(axis=tuple(range(1, len(shape))))),
        players=who,
    )


def _choose(
    row: int,
    active: np.ndarray,
    weights: np.ndarray,
    method: str,
    precision: float | None,
    max_evals: int | None,
) -> str:
    """The method for a row, which must be able to give something within the budget."""
    most = int(active.sum(axis=1).max())
    budget = np.inf if max_evals is None else max_evals
    if method == "auto":
        few = most <= (_EXACT if precision is None else _EXACT_OR_PRECISE)
        if few and _COSTS["exact"](active, weights) <= budget:
            return "exact"
        method = "kernel" if 1.0 / float((weights**2).sum()) < _SPARSE else "permutation"
    if method == "exact" and most > _MOST:
        raise ShapleyError(
            f"row {row} differs from a background row in {most} players, and 'exact' tries all "
            f"coalitions of at most {_MOST}; use 'permutation', or larger groups as players"
        )
    cost = _COSTS[method](active, weights)
    if cost > budget:
        raise ShapleyError(
            f"row {row} takes {cost} evaluations for a first result by {method!r}, but max_evals "
            f"is {max_evals}; give more, fewer background rows, or larger groups as players"
        )
    return method


def _exact(game: Game) -> Estimate:
    values = enumerated_values(game, np.arange(len(game.weights)))
    return Estimate(values, np.zeros_like(values), 1 + enumeration_cost(game.n_active))


def _check(precision: float | None, max_evals: int | None, method: str, seed: int) -> None:
    if method not in ("auto", "exact", *_ESTIMATORS):
        raise ShapleyError(
            f"unknown method {method!r}; expected 'auto', 'exact', 'permutation' or 'kernel'"
        )
    if precision is not None and not 0 < precision < np.inf:
        raise ShapleyError(
            f"precision is {precision!r}; expected a standard error above 0 in units of predict"
        )
    if max_evals is not None and max_evals < 1:
        raise ShapleyError(f"max_evals is {max_evals!r}; expected a count of at least 1")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ShapleyError(f"seed is {seed!r}; expected an integer of at least 0")

"""Shapley values of one row by permutations, each walked forward and backward.

Players join in a random order and each gets what it adds (Strumbelj and Kononenko 2014); then the
reverse order is walked (antithetic pairs: Mitchell et al. 2022, "Sampling Permutations for Shapley
Value Estimation"). One pass gives every background row an order of its own. Its values add up, as
the gains of a walk telescope, and the errors against different background rows average out, which
they would not if all shared one order. The variance is that of a stratified mean whose strata are
the background rows (Cochran 1977, "Sampling Techniques", chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from pellucid.shapley.coalitions import Estimate, Game
from pellucid.shapley.enumeration import enumerated_values, enumeration_cost

_FEW = 4  # pairs with so few active players are enumerated: it costs about what two walks do
_DEGREES = 30  # of freedom that the first variance has at least; many gains are zero, few large
_PASSES = 10  # by default, when no precision is asked for
_MOST_PASSES = 1000  # by default, when one is


def permutation_cost(active: np.ndarray, weights: np.ndarray) -> int:
    """Evaluations that a first estimate takes; arguments as in `Game`."""
    once, cost, least = _budget(active.sum(axis=1), weights)
    return once + least * cost


def permutation_estimate(
    game: Game, *, precision: float | None, max_evals: int | None, seed: int
) -> Estimate:
    """Sample passes until every standard error is at most ``precision``, or the budget is spent."""
    n_active = game.n_active
    exact = enumerated_values(game, np.flatnonzero(n_active <= _FEW))
    many = np.flatnonzero(n_active > _FEW)
    once, cost, least = _budget(n_active, game.weights)
    if len(many) == 0:
        return Estimate(exact, np.zeros_like(exact), once)
    most = max(least, _PASSES if precision is None else _MOST_PASSES)
    if max_evals is not None:
        most = max(least, (max_evals - once) // cost)
    weights = game.weights[many, None, None]
    done, mean, squares = 0, np.zeros(()), np.zeros(())  # Welford's running moments
    goal = least if precision is not None else most
    while True:
        for gains in _passes(game, many, range(done, goal), cost, seed):
            done += 1
            off = gains - mean
            mean = mean + off / done
            squares = squares + off * (gains - mean)
        values = exact + (weights * mean).sum(axis=0)
        errors = np.sqrt((weights**2 * squares).sum(axis=0) / (done * (done - 1)))
        ratio = 0.0 if precision is None else float(errors.max()) / precision
        if done >= most or ratio <= 1.0:
            return Estimate(values, errors, once + done * cost)
        # as many passes as the error found so far asks for, but no more than there were
        goal = min(most, done + min(done, max(1, ceil(done * (ratio**2 - 1.0)))))


def _budget(n_active: np.ndarray, weights: np.ndarray) -> tuple[int, int, int]:
    """Evaluations outside passes, evaluations of a pass, and the fewest passes."""
    many = n_active > _FEW
    once = 1 + enumeration_cost(n_active[~many])
    if not many.any():
        return once, 0, 0
    repeated = float((weights[many] ** 2).sum() / weights[many].sum() ** 2)
    return once, int(2 * (n_active[many] - 1).sum()), 1 + max(1, ceil(_DEGREES * repeated))


def _passes(
    game: Game, many: np.ndarray, numbers: range, cost: int, seed: int
) -> Iterator[np.ndarray]:
    """Gains (n_many, n_players, n_outputs) of each pass, several passes to a call of predict."""
    step = max(1, game.call_rows // cost)
    for start in range(numbers.start, numbers.stop, step):
        block = range(start, min(start + step, numbers.stop))
        # the order of pass k depends on the seed and k alone, not on the row nor on its batch
        keys = [np.random.default_rng((seed, k)).random(game.active.shape)[many] for k in block]
        gains = _walk_all(game, np.tile(many, len(block)), np.concatenate(keys))
        yield from gains.reshape(len(block), len(many), *gains.shape[1:])


def _walk_all(game: Game, against: np.ndarray, keys: np.ndarray) -> np.ndarray:
    gains = np.empty((*keys.shape, len(game.at_row)))
    step = max(1, game.call_rows // (2 * keys.shape[1]))
    for start in range(0, len(against), step):
        part = slice(start, start + step)
        gains[part] = walk_gains(game, against[part], keys[part])
    return gains


def walk_gains(game: Game, against: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """What players add on average over a walk and its reverse, (n, n_players, n_outputs).

    against : (n,); the background row of each walk. keys : (n, n_players) in [0, 1); active
    players join by ascending key.
    """
    active = game.active[against]
    lengths = active.sum(axis=1)
    ranks = np.argsort(np.argsort(np.where(active, keys, 2.0), axis=1), axis=1)
    walk = np.repeat(np.arange(len(against)), lengths - 1)
    joined_so_far = np.concatenate([np.arange(1, length) for length in lengths])
    first = ranks[walk] < joined_so_far[:, None]
    worth = game.worth(np.tile(against[walk], 2), np.concatenate([first, ~first]))
    # worth of the first r players, and of all but the first r; inactive players come last
    shape = (len(against), keys.shape[1] + 1, len(game.at_row))
    ahead = np.broadcast_to(game.at_row, shape).copy()
    behind = np.broadcast_to(game.at_background[against, None], shape).copy()
    ahead[:, 0], behind[:, 0] = game.at_background[against], game.at_row
    ahead[walk, joined_so_far], behind[walk, joined_so_far] = np.split(worth, 2)
    by_rank = (np.diff(ahead, axis=1) - np.diff(behind, axis=1)) / 2
    return np.take_along_axis(by_rank, ranks[:, :, None], axis=1)

"""Shapley values of one row by weighted regression on coalitions (KernelSHAP).

Shapley values solve a least-squares problem over all coalitions, weighted by the Shapley kernel,
under the constraint that they add up (Lundberg and Lee 2017, theorem 2). Here as in Covert and
Lee 2021 ("Improving KernelSHAP") the constraint is imposed exactly and a coalition comes with its
complement. Sizes are taken from the outside in, without replacement: as
many whole sizes as the budget holds, then a random part of each other size, weighted up to it.

The variance is that of the regression itself, linearised: each pair's residual times its leverage
is what the pair moves the values by, taken as a stratified sample without replacement whose
strata are the sizes (Cochran 1977, "Sampling Techniques", chapter 5). Residuals are divided by one
minus their leverage, as in the jackknife (MacKinnon and White 1985, HC3), because few coalitions
fit their own noise.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import ceil, comb

import numpy as np

from pellucid.shapley.coalitions import Estimate, Game

_LISTED = 2**15  # sizes with at most so many pairs are listed and shuffled
_LEAST = 3  # pairs per player that a first estimate takes
_PASSES = 10  # times as many pairs as players, by default, when no precision is asked for
_MOST_PASSES = 1000


def regression_cost(active: np.ndarray, weights: np.ndarray) -> int:
    """Evaluations that a first estimate takes; arguments as in `Game`."""
    return 1 + 2 * len(weights) * _least(int(active.any(axis=0).sum()))


def regression_estimate(
    game: Game, *, precision: float | None, max_evals: int | None, seed: int
) -> Estimate:
    """Sample pairs until every standard error is at most ``precision``, or the budget is spent."""
    who = np.flatnonzero(game.active.any(axis=0))
    m, per_pair = len(who), 2 * len(game.weights)
    values = np.zeros((game.active.shape[1], len(game.at_row)))
    errors = np.zeros_like(values)
    change = game.at_row - (game.weights[:, None] * game.at_background).sum(axis=0)
    if m < 2:
        values[who] = change
        return Estimate(values, errors, 1)
    population = populations(m)
    least = _least(m)
    most = m * (_PASSES if precision is None else _MOST_PASSES)
    if max_evals is not None:
        most = max(least, (max_evals - 1) // per_pair)
    most = min(most, sum(population))
    seen = [np.zeros((0, len(game.at_row)))] * len(population)
    budget = least if precision is not None else most
    while True:
        counts = quotas(m, budget)
        drawn = [coalitions(m, s + 1, count, seed) for s, count in enumerate(counts)]
        fresh = [sets[len(known) :] for sets, known in zip(drawn, seen)]
        worth = _pair_worth(game, who, np.concatenate(fresh))
        parts = np.split(worth, np.cumsum([len(sets) for sets in fresh])[:-1])
        seen = [np.concatenate(both) for both in zip(seen, parts)]
        values[who], errors[who] = solve(drawn, seen, change)
        done = sum(counts)
        ratio = 0.0 if precision is None else float(errors.max()) / precision
        if budget >= most or ratio <= 1.0:
            return Estimate(values, errors, 1 + done * per_pair)
        budget = min(most, budget + min(budget, max(1, ceil(budget * (ratio**2 - 1.0)))))


def _least(m: int) -> int:
    return min(_LEAST * m, sum(populations(m)))


def populations(m: int) -> list[int]:
    """Pairs of a coalition and its complement whose smaller part has 1, 2, ... m // 2 players."""
    return [comb(m, s) // (2 if 2 * s == m else 1) for s in range(1, m // 2 + 1)]


def quotas(m: int, budget: int) -> list[int]:
    """How many pairs of each size to take; a larger budget takes at least as many of each.

    All of the first size, so that the regression has one solution; then whole sizes while the
    kernel gives a size more than it has; then in the kernel's proportions, beyond the two of each
    size that a variance needs.
    """
    population = populations(m)
    mass = masses(m)
    counts, left = [population[0]], budget - population[0]
    for s in range(1, len(population)):
        spare = left - 2 * (len(population) - s)
        parts = [2 + int(spare * (part / sum(mass[s:]))) for part in mass[s:]]
        if parts[0] < population[s]:
            return counts + [min(most, part) for most, part in zip(population[s:], parts)]
        counts.append(population[s])
        left -= population[s]
    return counts


def masses(m: int) -> list[float]:
    """Shapley kernel weight of all pairs of each size together, in the order of `populations`."""
    return [(m - 1) / (s * (m - s)) / (2 if 2 * s == m else 1) for s in range(1, m // 2 + 1)]


def coalitions(m: int, size: int, count: int, seed: int) -> np.ndarray:
    """Distinct coalitions in random order, bool (count, m); fewer are a prefix of more.

    Of two halves that are each other's complement only the one with player 0 is given. The order
    depends on the seed, m and size alone.
    """
    rng = np.random.default_rng((seed, m, size))
    population = populations(m)[size - 1]
    if population <= _LISTED:
        return _listed(m, size)[rng.permutation(population)[:count]]
    found = np.zeros((0, m), dtype=bool)
    while len(found) < count:
        order = np.argsort(rng.random((count, m)), axis=1)
        drawn = np.zeros((count, m), dtype=bool)
        np.put_along_axis(drawn, order[:, :size], True, axis=1)
        if 2 * size == m:
            drawn ^= ~drawn[:, :1]
        found = np.concatenate([found, drawn])
        first = np.unique(np.packbits(found, axis=1), axis=0, return_index=True)[1]
        found = found[np.sort(first)]
    return found[:count]


@lru_cache(maxsize=64)
def _listed(m: int, size: int) -> np.ndarray:
    members = np.array(list(combinations(range(m), size)))[: populations(m)[size - 1]]
    sets = np.zeros((len(members), m), dtype=bool)
    np.put_along_axis(sets, members, True, axis=1)
    return sets


def _pair_worth(game: Game, who: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Half of what a coalition is worth beyond its complement, (len(sets), n_outputs)."""
    out = np.empty((len(sets), len(game.at_row)))
    everyone = np.arange(len(game.weights))
    step = max(1, game.call_rows // (2 * len(everyone)))
    for start in range(0, len(sets), step):
        part = sets[start : start + step]
        joined = np.zeros((2 * len(part), game.active.shape[1]), dtype=bool)
        joined[:, who] = np.concatenate([part, ~part])
        worth = game.worth(
            np.tile(everyone, len(joined)), np.repeat(joined, len(everyone), axis=0)
        ).reshape(len(joined), len(everyone), -1)
        mean = (worth * game.weights[:, None]).sum(axis=1)
        out[start : start + step] = (mean[: len(part)] - mean[len(part) :]) / 2
    return out


def solve(
    drawn: list[np.ndarray], seen: list[np.ndarray], change: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values and standard errors of the m players, each (m, n_outputs).

    drawn : coalitions of each size, bool (n, m). seen : what `_pair_worth` gave, (n, n_outputs).
    change : (n_outputs,); what all players are worth together.

    A coalition and its complement weigh the same, so their two equations come to one: the players
    in S are worth ``half the difference + half the change``. With values ``change / m + g`` and g
    of sum zero, the unknown is g and the row of S its indicator, centred.
    """
    m = drawn[0].shape[1]
    rows = np.concatenate(drawn).astype(np.float64)
    size = np.repeat(np.arange(len(drawn)), [len(sets) for sets in drawn])
    w = (np.array(masses(m)) / [len(sets) for sets in drawn])[size][:, None]
    target = np.concatenate(seen) + change * (0.5 - rows.sum(axis=1, keepdims=True) / m)
    centred = rows - rows.mean(axis=1, keepdims=True)
    inverse = np.linalg.inv(centred.T @ (w * centred) + 1.0 / m)
    moves = (w * centred) @ inverse
    gains = moves.T @ target
    gains -= gains.mean(axis=0)
    leverage = (moves * centred).sum(axis=1, keepdims=True)
    residual = (target - centred @ gains) / np.maximum(1.0 - leverage, 1e-3)
    variance = np.zeros_like(gains)
    for s, count in enumerate(populations(m)):
        n = len(drawn[s])
        if n < count:
            moved = moves[size == s][:, :, None] * residual[size == s][:, None, :]
            variance += n * (1.0 - n / count) * moved.var(axis=0, ddof=1)
    return change / m + gains, np.sqrt(variance)

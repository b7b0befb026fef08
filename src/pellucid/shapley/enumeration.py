"""Shapley values of one row by all coalitions of its active players."""

from __future__ import annotations

from math import comb

import numpy as np

from pellucid.shapley.coalitions import Game


def enumeration_cost(n_active: np.ndarray) -> int:
    """Evaluations that pairs with so many active players take; nobody and all are known."""
    return int(sum(2 ** int(m) - 2 for m in n_active if m > 1))


def enumerated_values(game: Game, against: np.ndarray) -> np.ndarray:
    """Exact values, weighted and summed over background rows ``against``: (n_players, n_outputs).

    Pairs with equally many active players go together, as many as one call of predict holds.
    """
    total = np.zeros((game.active.shape[1], len(game.at_row)))
    sizes = game.n_active[against]
    for size in np.unique(sizes[sizes > 0]):
        same = against[sizes == size]
        step = max(1, game.call_rows >> int(size))
        for start in range(0, len(same), step):
            _add_pairs(game, same[start : start + step], int(size), total)
    return total


def _add_pairs(game: Game, against: np.ndarray, size: int, total: np.ndarray) -> None:
    players = np.nonzero(game.active[against])[1].reshape(len(against), size)
    worth = np.empty((len(against), 2**size, len(game.at_row)))
    pairs = np.arange(len(against))[:, None]
    worth[:, 0] = game.at_background[against]
    worth[:, -1] = game.at_row
    step = max(1, game.call_rows // len(against))
    for start in range(1, 2**size - 1, step):
        masks = np.arange(start, min(start + step, 2**size - 1))
        joined = np.zeros((len(against), len(masks), len(total)), dtype=bool)
        for bit in range(size):
            member = (masks >> bit & 1).astype(bool)
            joined[pairs, np.arange(len(masks)), players[:, bit, None]] = member
        found = game.worth(np.repeat(against, len(masks)), joined.reshape(-1, len(total)))
        worth[:, masks] = found.reshape(len(against), len(masks), -1)
    shares = _shares(size)
    for bit in range(size):
        # masks of the others, without and with the player: differences first, so that a player
        # who changes nothing gets exactly zero
        halves = worth.reshape(len(against), -1, 2, 2**bit, worth.shape[-1])
        gains = (halves[:, :, 1] - halves[:, :, 0]).reshape(len(against), len(shares), -1)
        phi = (gains * shares[:, None]).sum(axis=1)
        np.add.at(total, players[:, bit], phi * game.weights[against, None])


def _shares(size: int) -> np.ndarray:
    """Shapley's weight of each coalition of the other players, (2 ** (size - 1),) over masks."""
    others = np.array([int(mask).bit_count() for mask in range(2 ** (size - 1))])
    by_count = np.array([1.0 / (size * comb(size - 1, count)) for count in range(size)])
    return by_count[others]

"""A view whose inner family learns from shares of the rows, target statistics included.

The statistics of a column are made of sums by code, so each process adds up its own rows, and all
then take the total, of which a training row's own part is left out as on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.models.family import Config, Rows
from pellucid.models.problem import Problem
from pellucid.models.shared import Peers, shared_family
from pellucid.models.statistics import (
    PARTS,
    code_sums,
    count_codes,
    frequent_classes,
    statistics_of,
)
from pellucid.models.stored import StoredRows
from pellucid.models.view import ViewMember, seen_rows, view_member

Sums = tuple[np.ndarray, np.ndarray]  # of a column, as `code_sums` gives them


def agree(
    sample: Rows, problem: Problem, encoded: Sequence[int]
) -> tuple[tuple[int, ...], np.ndarray]:
    """How many codes each encoded column has, and whose share is a statistic, by the sample."""
    counts = tuple(count_codes(np.asarray(sample.X[:, column])) for column in encoded)
    return counts, frequent_classes(sample.y, problem)


def share_sums(
    train: StoredRows,
    config: Config,
    n_codes: Sequence[int],
    frequent: np.ndarray,
    *,
    seed: int,
    rank: int,
) -> list[Sums]:
    """Sums of one share, for each encoded column of a view."""
    found = []
    for column, n in zip(config["encoded"], n_codes, strict=True):
        codes = np.concatenate([X[:, column] for _, X in train.chunks()])
        found.append(code_sums(codes, _parts(len(codes), seed, rank), train, n, frequent))
    return found


def add(shares: Sequence[list[Sums]]) -> list[Sums]:
    """The sums of all shares.

    Examples
    --------
    >>> one = [(np.array([1.0]), np.array([2.0]))]
    >>> add([one, one])
    [(array([2.]), array([4.]))]
    """
    return [
        (sum(counts for counts, _ in column), sum(sums for _, sums in column))
        for column in zip(*shares, strict=True)
    ]


def fit_share(
    train: StoredRows,
    problem: Problem,
    config: Config,
    sums: Sequence[Sums],
    *,
    seed: int,
    rounds: int,
    peers: Peers,
) -> ViewMember:
    """As `ViewFamily.fit_stored`, together with those who hold the other shares.

    Raises
    ------
    FamilyError
        An inner family that needs its rows in one place.
    """
    part = _parts(len(train.y), seed, peers.rank)
    statistics = tuple(statistics_of(*column, part) for column in sums)
    inner = shared_family(config["family"]).fit_shared(
        seen_rows(train, config, statistics),
        problem,
        config["config"],
        seed=seed,
        rounds=rounds,
        peers=peers.seeing(np.asarray(config["columns"])),
    )
    return view_member(inner, config, statistics)


def _parts(n_rows: int, seed: int, rank: int) -> np.ndarray:
    """The cross-fitting part of each row of a share."""
    rng = np.random.default_rng([seed, rank, n_rows])
    return rng.integers(PARTS, size=n_rows).astype(np.int8)

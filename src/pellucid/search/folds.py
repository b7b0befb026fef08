"""Which rows judge a model, and which it may learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.problem import Problem

FoldKind = Literal["random", "groups", "time", "fixed"]


class FoldError(PellucidError):
    """Rows cannot be divided as asked."""


@dataclass(frozen=True, eq=False)
class Folds:
    """One division of the rows.

    of_row : int64 (n_rows,); the fold that holds a row out, -1 where none does.
    forward : whether a fold learns only from the rows before it, in order of folds.
    kind : how the rows were divided; only a random division can be drawn anew.
    seed : of a random division.
    """

    of_row: np.ndarray
    forward: bool = False
    kind: FoldKind = "random"
    seed: int = 0

    @property
    def n(self) -> int:
        """Number of folds."""
        return int(self.of_row.max(initial=-1)) + 1

    @property
    def scored(self) -> np.ndarray:
        """Rows that some fold holds out, bool (n_rows,)."""
        return self.of_row >= 0

    @property
    def learned(self) -> np.ndarray:
        """Rows that the final model learns from, bool (n_rows,): a fixed validation set is none."""
        return self.of_row < 0 if self.kind == "fixed" else np.ones(len(self.of_row), dtype=bool)

    def split(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and rows to judge by, two bool (n_rows,)."""
        held_out = self.of_row == fold
        return (self.of_row < fold if self.forward else ~held_out), held_out

    def redrawn(self, y: np.ndarray, problem: Problem, *, repeat: int) -> Folds:
        """The same number of folds, drawn anew; what is not random stays as it is."""
        if self.kind != "random" or repeat == 0:
            return self
        seed = self.seed + 7919 * repeat
        if not self.scored.all():  # one fold held out of all rows
            return holdout(y, problem, share=float(self.scored.mean()), seed=seed)
        return random_folds(y, problem, n_folds=self.n, seed=seed)


def random_folds(y: np.ndarray, problem: Problem, *, n_folds: int, seed: int) -> Folds:
    """Folds that are alike in classes, or in the spread of values.

    Examples
    --------
    >>> y = np.array([0, 1] * 10)
    >>> random_folds(y, Problem("binary", 2), n_folds=5, seed=0).n
    5
    """
    n_folds = max(2, min(n_folds, len(y)))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    # deal rows of like target out in turn, so that folds are alike in classes or in spread
    order = order[np.argsort(y[order], kind="stable")]
    of_row = np.empty(len(y), dtype=np.int64)
    # each run of n_folds neighbours goes to all folds once, in random order
    for start in range(0, len(y), n_folds):
        block = order[start : start + n_folds]
        of_row[block] = rng.permutation(n_folds)[: len(block)]
    return Folds(of_row, seed=seed)


def holdout(y: np.ndarray, problem: Problem, *, share: float, seed: int) -> Folds:
    """One fold of a share of the rows, for many rows or little time."""
    parts = max(2, round(1.0 / share))
    many = random_folds(y, problem, n_folds=parts, seed=seed)
    return Folds(np.where(many.of_row == 0, 0, -1), seed=seed)


def group_folds(groups: Any, *, n_folds: int, seed: int) -> Folds:
    """Folds that never divide a group, of nearly the same size.

    Raises
    ------
    FoldError
        Fewer than two groups.
    """
    _, code, size = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if len(size) < 2:
        raise FoldError(f"groups has {len(size)} different values; at least two are needed")
    n_folds = min(n_folds, len(size))
    order = np.random.default_rng(seed).permutation(len(size))
    order = order[np.argsort(-size[order], kind="stable")]  # the largest first
    filled, of_group = np.zeros(n_folds, dtype=np.int64), np.empty(len(size), dtype=np.int64)
    for group in order:
        fold = int(filled.argmin())
        of_group[group] = fold
        filled[fold] += size[group]
    return Folds(of_group[code], kind="groups", seed=seed)


def time_folds(moments: np.ndarray, *, n_folds: int) -> Folds:
    """Folds in order of time: each is judged by a model of all that came before it.

    Rows of one moment stay together. The first block of rows is only learned from.

    Examples
    --------
    >>> time_folds(np.arange(8), n_folds=3).of_row
    array([-1, -1,  0,  0,  1,  1,  2,  2])
    """
    _, rank = np.unique(moments, return_inverse=True)
    if rank.max(initial=0) < 1:
        raise FoldError("the rows have one moment in time only; at least two are needed")
    before = np.searchsorted(np.sort(rank), rank)  # rows that came earlier
    n_blocks = min(n_folds + 1, int(rank.max()) + 1)
    block = np.minimum(before * n_blocks // len(rank), n_blocks - 1)
    if block.max() == block.min():  # one moment holds nearly all rows
        block = np.where(rank == rank.max(), 1, 0)
    _, block = np.unique(block, return_inverse=True)  # blocks that one moment skips
    return Folds(block.astype(np.int64) - 1, forward=True, kind="time")


def fixed_fold(n_train: int, n_valid: int) -> Folds:
    """The last ``n_valid`` rows judge, and are never learned from."""
    return Folds(np.repeat([-1, 0], [n_train, n_valid]), kind="fixed")

"""Which rows judge a model, and which it may learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pellucid.errors import PellucidError
from pellucid.models.problem import Problem

_JUDGED = 0.25  # of a history, that judges forecasts
_LONGEST_JUDGED = 0.7  # where the horizon is long
FEW_ROWS = 2000  # below which chance has a large part in what looks best

FoldKind = Literal["random", "groups", "time", "fixed"]


class FoldError(PellucidError):
    """Rows cannot be divided as asked."""


@dataclass(frozen=True, eq=False)
class Folds:
    """One division of the rows.

    of_row : int64 (n_rows,); the fold that holds a row out, -1 where none does.
    forward : whether a fold learns only from the rows before it, in order of folds.
    first : int64 (n_rows,), optional; the first fold that may learn from a row, where that is not
        the one after the fold that holds it out.
    kind : how the rows were divided; only a random division can be drawn anew.
    seed : of a random division.
    """

    of_row: np.ndarray
    forward: bool = False
    kind: FoldKind = "random"
    seed: int = 0
    first: np.ndarray | None = None

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

    @property
    def few(self) -> bool:
        """Whether there are few rows, each held out once by a model of rows of any time."""
        in_turn = self.kind in ("random", "groups") and self.n > 1 and bool(self.scored.all())
        return in_turn and len(self.of_row) < FEW_ROWS

    def split(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to learn from and rows to judge by, two bool (n_rows,)."""
        held_out = self.of_row == fold
        if self.first is not None:
            return self.first <= fold, held_out
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


def origin_folds(origin: np.ndarray, target: np.ndarray, *, n_folds: int, horizon: int) -> Folds:
    """Folds of forecasts with a rolling origin, over the last part of the history.

    Each fold is judged by the origins between its own and the next, and learns from rows whose
    target time is not later than its origin: what lies between is kept from both, so that no fold
    knows a value that its forecasts could not know (Tashman 2000).

    Parameters
    ----------
    origin, target : int64 (n_rows,); each row's origin and target time, in steps.
    horizon : most steps from the origin to the target time.

    Raises
    ------
    FoldError
        The history is too short.

    Examples
    --------
    >>> origin = np.arange(10)
    >>> folds = origin_folds(origin, origin + 1, n_folds=2, horizon=1)
    >>> folds.of_row
    array([-1, -1, -1, -1, -1, -1, -1, -1,  0,  1])
    >>> folds.split(1)[0]
    array([ True,  True,  True,  True,  True,  True,  True,  True,  True, False])
    """
    start, end = int(origin.min(initial=0)), int(target.max(initial=0))
    span = end - start
    n_folds = max(1, min(n_folds, int(_LONGEST_JUDGED * span) // horizon))
    block = max(horizon, round(_JUDGED * span / n_folds))
    cuts = end - block * np.arange(n_folds, 0, -1)
    kept = []
    for i, cut in enumerate(cuts):
        until = cuts[i + 1] if i + 1 < n_folds else end
        is_learned = cut - start >= horizon and (target <= cut).sum() > 1
        if is_learned and ((origin >= cut) & (origin < until)).any():
            kept.append(cut)
    if not kept:
        raise FoldError(
            f"the history has {span} steps, too few to judge forecasts of {horizon}: at least "
            f"{horizon} must remain to learn from; give more history, or a shorter horizon"
        )
    of_row = np.searchsorted(kept, origin, side="right") - 1
    first = np.searchsorted(kept, target, side="left")
    return Folds(of_row, forward=True, kind="time", first=first)

"""A trial: one configuration, cross-validated, with its out-of-fold margins."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pellucid.models.family import Config, Member, Rows, get_family
from pellucid.models.problem import Problem

Status = Literal["completed", "stopped", "failed"]


@dataclass(frozen=True)
class TrialSpec:
    """What to try."""

    iteration: int
    name: str
    family: str
    config: Config
    seed: int


@dataclass(frozen=True)
class TrialRecord:
    """What a leaderboard and a store keep of a trial."""

    iteration: int
    name: str
    family: str
    config: dict[str, Any]
    metrics: dict[str, float]
    seconds: float
    status: Status
    note: str = ""


@dataclass(frozen=True, eq=False)
class Trial:
    """A trial that ran: its record, and what the ensemble and a refit need.

    margins : float64 (n_rows, n_outputs); each row's from the fold that did not see it.
    rounds : how much each fold learned.
    """

    spec: TrialSpec
    record: TrialRecord
    margins: np.ndarray | None = None
    rounds: tuple[int, ...] = field(default=())

    @property
    def usable(self) -> bool:
        """Whether the trial has out-of-fold margins for every row."""
        return self.margins is not None

    @property
    def refit_rounds(self) -> int:
        """Rounds for a fit on all rows: a little more than a fold needed."""
        return max(1, round(1.05 * float(np.mean(self.rounds)))) if self.rounds else 1


@dataclass(frozen=True)
class DataRef:
    """Training data on disk, mapped by every worker instead of copied to it."""

    folder: str
    problem: Problem

    @classmethod
    def write(
        cls, folder: Path, X: np.ndarray, y: np.ndarray, fold_of: np.ndarray, problem: Problem
    ) -> DataRef:
        """Store the arrays; ``fold_of`` (n_rows,) says in which fold a row is held out."""
        for name, array in (("X", X), ("y", y), ("fold_of", fold_of)):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        return cls(str(folder), problem)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X, y and fold_of, mapped once per process."""
        return _load(self.folder)


@lru_cache(maxsize=1)
def _load(folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X = np.load(Path(folder) / "X.npy", mmap_mode="r", allow_pickle=False)
    y = np.load(Path(folder) / "y.npy", allow_pickle=False)
    fold_of = np.load(Path(folder) / "fold_of.npy", allow_pickle=False)
    return X, y, fold_of


def run_trial(data: DataRef, spec: TrialSpec, deadline: float | None) -> Trial:
    """Cross-validate a configuration; runs in a worker, never raises for a model's own failure.

    ``deadline`` is shared out among the folds that are left, so that every row gets a margin even
    when time runs out; such a trial is marked ``stopped``.
    """
    from pellucid.search.metrics import score

    started = time.monotonic()
    X, y, fold_of = data.arrays()
    family = get_family(spec.family)
    margins = np.empty((len(y), data.problem.n_outputs))
    rounds: list[int] = []
    n_folds = int(fold_of.max()) + 1
    try:
        for fold in range(n_folds):
            held_out = fold_of == fold
            train, valid = Rows(X[~held_out], y[~held_out]), Rows(X[held_out], y[held_out])
            member = family.fit(
                train,
                data.problem,
                spec.config,
                seed=spec.seed,
                valid=valid,
                deadline=_share(deadline, n_folds - fold),
            )
            margins[held_out] = member.margins(valid.X)
            rounds.append(member.rounds)
        if not np.isfinite(margins).all():
            raise FloatingPointError("the margins are not finite")
    except Exception as error:  # one trial's failure is a line on the leaderboard
        return Trial(spec, _record(spec, {}, started, "failed", f"{type(error).__name__}: {error}"))
    late = deadline is not None and time.monotonic() > deadline
    record = _record(
        spec,
        score(y, margins, data.problem),
        started,
        "stopped" if late else "completed",
        "ended early: no time left" if late else "",
    )
    return Trial(spec, record, margins, tuple(rounds))


def _share(deadline: float | None, parts: int) -> float | None:
    if deadline is None:
        return None
    now = time.monotonic()
    return now + max(0.0, deadline - now) / parts


def _record(
    spec: TrialSpec, metrics: Mapping[str, float], started: float, status: Status, note: str
) -> TrialRecord:
    return TrialRecord(
        iteration=spec.iteration,
        name=spec.name,
        family=spec.family,
        config=dict(spec.config),
        metrics=dict(metrics),
        seconds=time.monotonic() - started,
        status=status,
        note=note,
    )


def refit(
    data: DataRef, spec: TrialSpec, rounds: int, deadline: float | None
) -> tuple[int, dict[str, bytes]]:
    """Fit a configuration on all rows; runs in a worker and answers with the member's files."""
    X, y, _ = data.arrays()
    member: Member = get_family(spec.family).fit(
        Rows(X, y), data.problem, spec.config, seed=spec.seed, rounds=rounds, deadline=deadline
    )
    return spec.iteration, member.to_files()


def folds(y: np.ndarray, problem: Problem, *, seed: int) -> np.ndarray:
    """Which fold holds out each row, (n_rows,): stratified, five folds or three for much work.

    Examples
    --------
    >>> folds(np.array([0, 1] * 10), Problem("binary", 2), seed=0).max()
    np.int64(4)
    """
    n_folds = 5 if len(y) * problem.n_outputs <= 60_000 else 3
    n_folds = min(n_folds, len(y))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    # deal rows of like target out in turn, so that folds are alike in classes or in spread
    order = order[np.argsort(y[order], kind="stable")]
    fold_of = np.empty(len(y), dtype=np.int64)
    # each run of n_folds neighbours goes to all folds once, in random order
    for start in range(0, len(y), n_folds):
        block = order[start : start + n_folds]
        fold_of[block] = rng.permutation(n_folds)[: len(block)]
    return fold_of

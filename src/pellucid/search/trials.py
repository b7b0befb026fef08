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
from pellucid.models.packing import pack, unpack
from pellucid.models.problem import Problem
from pellucid.search.folds import FoldKind, Folds

Status = Literal["completed", "stopped", "failed"]
ViewName = Literal["indicators", "codes", "statistics"]
FOLDERS = _TRIALS, _REFITS = "trials", "refits"  # of packed members
_MOST_BYTES = 48 * 2**20  # of the members of a trial's folds; larger ones are not kept


@dataclass(frozen=True)
class TrialSpec:
    """What to try.

    view : which engineered columns the family sees, see `View`.
    repeat : the same configuration on other folds, with another seed.
    """

    iteration: int
    name: str
    family: str
    config: Config
    seed: int
    view: ViewName = "indicators"
    repeat: int = 0


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

    margins : float64 (n_rows, n_outputs); each row's from the fold that did not see it, NaN for
        rows that no fold holds out.
    rounds : how much each fold learned.
    first_loss : of the first fold, by which others are held on the same rows.
    """

    spec: TrialSpec
    record: TrialRecord
    margins: np.ndarray | None = None
    rounds: tuple[int, ...] = field(default=())
    first_loss: float = float("inf")

    @property
    def usable(self) -> bool:
        """Whether the trial has out-of-fold margins."""
        return self.margins is not None

    @property
    def refit_rounds(self) -> int:
        """Rounds for a fit on all rows: a little more than a fold needed."""
        return max(1, round(1.05 * float(np.mean(self.rounds)))) if self.rounds else 1

    @property
    def seconds_per_fold(self) -> float:
        """Seconds that one fold took."""
        return self.record.seconds / max(1, len(self.rounds))


@dataclass(frozen=True)
class View:
    """Which engineered columns a family sees.

    columns : passed on as they are; of them hold ``categorical`` category codes, and ``words``
        weights of words.
    encoded : columns of codes that become target statistics.
    """

    columns: tuple[int, ...]
    categorical: tuple[int, ...] = ()
    encoded: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class DataRef:
    """Training data on disk, mapped by every worker instead of copied to it."""

    folder: str
    problem: Problem
    views: Mapping[str, View]
    monotone: tuple[int, ...] = ()
    fold_kind: FoldKind = "random"
    forward: bool = False
    seed: int = 0

    @classmethod
    def write(
        cls,
        folder: Path,
        X: np.ndarray,
        y: np.ndarray,
        folds: Folds,
        problem: Problem,
        *,
        views: Mapping[str, View] | None = None,
        weight: np.ndarray | None = None,
        monotone: tuple[int, ...] = (),
        scale: np.ndarray | None = None,
    ) -> DataRef:
        """Store the arrays; without ``views`` every family sees every column.

        ``monotone`` has a sign for each engineered column, as `Rows` has for those of a family.
        """
        arrays = {"X": X, "y": y, "fold_of": folds.of_row}
        optional = {"weight": weight, "scale": scale, "first": folds.first}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        everything = View(tuple(range(X.shape[1])))
        return cls(
            str(folder),
            problem,
            dict(views or dict.fromkeys(("indicators", "codes", "statistics"), everything)),
            monotone,
            folds.kind,
            folds.forward,
            folds.seed,
        )

    def rows(self) -> Rows:
        """All rows, mapped once per process."""
        return _load(self.folder).rows

    @property
    def scale(self) -> np.ndarray | None:
        """What the errors of each row are divided by to be compared, float64 (n_rows,)."""
        return _load(self.folder).scale

    def folds(self, repeat: int = 0) -> Folds:
        """How the rows are held out, or how they are in another draw."""
        loaded = _load(self.folder)
        folds = Folds(loaded.of_row, self.forward, self.fold_kind, self.seed, loaded.first)
        return folds.redrawn(loaded.rows.y, self.problem, repeat=repeat)

    def member_file(self, iteration: int, *, refit: bool = False, fold: int | None = None) -> Path:
        """Where a trial's packed members are kept; a fold's own, when it was fitted again."""
        name = f"{self.problem.link}-{iteration}" + ("" if fold is None else f"-{fold}")
        return Path(self.folder) / (_REFITS if refit else _TRIALS) / f"{name}.zip"

    def members(self, spec: TrialSpec, *, refit: bool = False, n_folds: int = 0) -> list[Member]:
        """The members that a trial left, one a fold, or the one of its refit.

        ``n_folds`` : of a refit fold by fold.
        """
        folds = range(n_folds) if n_folds else [None]
        return [
            member
            for fold in folds
            for member in unpack_members(
                unpack(self.member_file(spec.iteration, refit=refit, fold=fold).read_bytes())
            )
        ]


def unpack_members(files: Mapping[str, bytes]) -> list[Member]:
    """Members from a trial's packed files."""
    folds = sorted({int(name.partition("/")[0]) for name in files})
    return [
        get_family("view").from_files(
            {name[len(f"{k}/") :]: files[name] for name in files if name.startswith(f"{k}/")}
        )
        for k in folds
    ]


@dataclass(frozen=True, eq=False)
class _Loaded:
    rows: Rows
    of_row: np.ndarray
    first: np.ndarray | None
    scale: np.ndarray | None


@lru_cache(maxsize=1)
def _load(folder: str) -> _Loaded:
    home = Path(folder)
    X = np.load(home / "X.npy", mmap_mode="r", allow_pickle=False)

    def read(name: str) -> np.ndarray:
        return np.load(home / f"{name}.npy", allow_pickle=False)

    weight, first, scale = (
        read(name) if (home / f"{name}.npy").exists() else None
        for name in ("weight", "first", "scale")
    )
    return _Loaded(Rows(X, read("y"), weight), read("fold_of"), first, scale)


def forget_rows() -> None:
    """Let go of rows that a worker has read."""
    _load.cache_clear()


def take(rows: Rows, kept: np.ndarray) -> Rows:
    """Some of the rows, by a mask."""
    weight = None if rows.weight is None else rows.weight[kept]
    return Rows(rows.X[kept], rows.y[kept], weight)


def run_trial(
    data: DataRef, spec: TrialSpec, deadline: float | None, bar: float | None = None
) -> Trial:
    """Cross-validate a configuration; runs in a worker, never raises for a model's own failure.

    ``deadline`` is shared out among the folds that are left, so that every row gets a margin even
    when time runs out; such a trial is marked ``stopped``, as is one whose first fold loses more
    than ``bar``, which has no margins. The members are left on disk, unless they are very large.
    """
    from pellucid.search.metrics import loss

    started = time.monotonic()
    try:
        rows, folds = data.rows(), data.folds(spec.repeat)
        margins = np.full((len(rows.y), data.problem.n_outputs), np.nan)
        rounds: list[int] = []
        files: dict[str, bytes] = {}
        first_loss, size = float("inf"), 0
        for fold in range(folds.n):
            learned, held_out = folds.split(fold)
            valid = take(rows, held_out)
            member = get_family("view").fit(
                take(rows, learned),
                data.problem,
                view_config(data, spec),
                seed=spec.seed,
                valid=valid,
                deadline=_share(deadline, folds.n - fold),
            )
            margins[held_out] = member.margins(valid.X)
            rounds.append(member.rounds)
            if fold == 0:
                first_loss = loss(valid.y, margins[held_out], data.problem, weight=valid.weight)
                if bar is not None and first_loss > bar and folds.n > 1:
                    note = "ended early: far behind after one fold"
                    return Trial(spec, record_of(spec, {}, started, "stopped", note))
            if size <= _MOST_BYTES:  # packing more would cost seconds
                own = member.to_files()
                size += sum(map(len, own.values()))
                files |= {f"{fold}/{name}": content for name, content in own.items()}
        scored = folds.scored
        if not np.isfinite(margins[scored]).all():
            raise FloatingPointError("the margins are not finite")
        if size <= _MOST_BYTES:
            write_whole_file(data.member_file(spec.iteration), pack(files))
    except Exception as error:  # one trial's failure is a line on the leaderboard
        return Trial(
            spec, record_of(spec, {}, started, "failed", f"{type(error).__name__}: {error}")
        )
    late = deadline is not None and time.monotonic() > deadline
    record = record_of(
        spec,
        score_rows(data, margins, scored),
        started,
        "stopped" if late else "completed",
        "ended early: no time left" if late else "",
    )
    return Trial(spec, record, margins, tuple(rounds), first_loss)


def score_rows(data: DataRef, margins: np.ndarray, kept: np.ndarray) -> dict[str, float]:
    """Every metric of margins (n_rows, n_outputs), on the rows of a mask."""
    from pellucid.search.metrics import score

    rows = data.rows()
    weight, scale = (None if each is None else each[kept] for each in (rows.weight, data.scale))
    return score(rows.y[kept], margins[kept], data.problem, weight=weight, scale=scale)


def view_config(data: DataRef, spec: TrialSpec) -> dict[str, Any]:
    """A configuration of the family "view", which fits the trial's own."""
    view = data.views[spec.view]
    return {
        "family": spec.family,
        "config": dict(spec.config),
        "columns": view.columns,
        "categorical": view.categorical,
        "encoded": view.encoded,
        "words": view.words,
        "monotone": data.monotone,
    }


def _share(deadline: float | None, parts: int) -> float | None:
    if deadline is None:
        return None
    now = time.monotonic()
    return now + max(0.0, deadline - now) / parts


def record_of(
    spec: TrialSpec, metrics: Mapping[str, float], started: float, status: Status, note: str
) -> TrialRecord:
    """The record of a trial that ends now."""
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
    data: DataRef,
    spec: TrialSpec,
    rounds: int,
    deadline: float | None,
    fold: int | None = None,
) -> int:
    """Fit a configuration on all rows, or on those of a fold; runs in a worker.

    The member is left on disk. Gives how much was learned, which is less than ``rounds`` when the
    deadline came first.
    """
    rows, folds = data.rows(), data.folds(spec.repeat)
    member = get_family("view").fit(
        take(rows, folds.learned if fold is None else folds.split(fold)[0]),
        data.problem,
        view_config(data, spec),
        seed=spec.seed,
        rounds=rounds,
        deadline=deadline,
    )
    files = {f"0/{name}": content for name, content in member.to_files().items()}
    write_whole_file(data.member_file(spec.iteration, refit=True, fold=fold), pack(files))
    return member.rounds


def write_whole_file(path: Path, content: bytes) -> None:
    """Write a file that is whole whenever it can be seen."""
    scratch = path.with_suffix(".tmp")
    scratch.write_bytes(content)
    scratch.replace(path)

"""Training from a table that memory need not hold: searched on a sample, learned from all rows.

The sample is drawn in one pass. A second one writes the engineered rows to disk, from which
families that can are fitted piece by piece with the sample's configurations; other members, and
those that there is no time for, stay those of the sample.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.gang import LATE
from pellucid.automl.target import Target, encode
from pellucid.errors import PellucidError
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Member
from pellucid.models.stored import learns_stored
from pellucid.search.cluster import computing
from pellucid.search.ensemble import Part, assemble
from pellucid.search.trials import DataRef
from pellucid.search.whole import MATRIX, TARGET, WEIGHT, WholeRef, learn_whole
from pellucid.search.workers import Pool
from pellucid.tabular.drawing import draw
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.partitions import draw_partitions, is_dask, named_frame, partitions_of
from pellucid.tabular.parts import Piece, parts_of
from pellucid.tabular.schema import Schema, align

_CHUNK = 50_000  # rows engineered at a time
_ENOUGH = 0.8  # of the wanted rounds, below which the sample's member is kept
_STEPS = ("linear",)  # families whose rounds are steps of a solver
_POLL = 0.2


class WholeError(PellucidError, ValueError):
    """A table on disk, or Dask's, cannot be trained from as asked."""


@dataclass(frozen=True, eq=False)
class WholeTable:
    """A table on disk or a Dask DataFrame, and the sample that is searched on.

    source : path, or Dask DataFrame.
    columns : what is learned from.
    weight : column that says how much a row counts.
    n_rows : with a target.
    sample : with target, weight and further columns.
    """

    source: Any
    columns: tuple[str, ...]
    target: str
    weight: str | None
    n_rows: int
    sample: pd.DataFrame

    @classmethod
    def draw(
        cls,
        source: Any,
        target: Any,
        *,
        n: int,
        stratified: bool,
        weight: Any = None,
        groups: Any = None,
        seed: int = 0,
    ) -> WholeTable:
        """Draw a sample; target, weight and groups are names of columns.

        Raises
        ------
        WholeError
            Something beside the table that is no name of a column.
        ReadError
            A file that is absent or damaged.
        """
        lazy = is_dask(source)
        source = named_frame(source) if lazy else Path(source)
        names = list(source.columns) if lazy else parts_of(source)[0].names
        for what, name in (("y", target), ("sample_weight", weight), ("groups", groups)):
            if (name is not None or what == "y") and not (isinstance(name, str) and name in names):
                raise WholeError(
                    f"{what} must be the name of a column where X is a path or a Dask DataFrame, "
                    f"not {name if isinstance(name, str) else type(name).__name__!r}; "
                    f"{'the Dask DataFrame' if lazy else source} has {', '.join(names[:20])}"
                )
        strata = target if stratified else None
        with computing():
            drawn = (
                draw_partitions(source, n, known=target, strata=strata, seed=seed) if lazy
                else draw(parts_of(source), n, wanted=names, known=target, strata=strata, seed=seed)
            )  # fmt: skip
        columns = tuple(name for name in names if name not in (target, weight, groups))
        return cls(source, columns, target, weight, drawn.n_rows, drawn.rows)

    @property
    def wanted(self) -> set[str]:
        """Columns that are read of all rows."""
        return {*self.columns, self.target, *([self.weight] if self.weight else [])}

    @property
    def is_lazy(self) -> bool:
        """Whether the rows are a Dask DataFrame's, and so where Dask computes."""
        return is_dask(self.source)

    @property
    def name(self) -> str:
        """What messages call it."""
        return "the Dask DataFrame" if self.is_lazy else str(self.source)

    def pieces(self) -> Sequence[Piece]:
        """Files or partitions, in order."""
        return partitions_of(self.source) if self.is_lazy else parts_of(self.source)

    @property
    def X(self) -> pd.DataFrame:
        """What the sample is learned from."""
        return self.sample[list(self.columns)]

    @property
    def y(self) -> pd.Series:
        """The sample's target."""
        return self.sample[self.target]

    def beside(self, name: Any) -> pd.Series | None:
        """The sample's weights or groups, by the name of their column where there is one."""
        return None if name is None else self.sample[name]

    @property
    def is_larger(self) -> bool:
        """Whether there are more rows than the sample has."""
        return self.n_rows > len(self.sample)

    def facts(self) -> dict[str, Any]:
        """What a plan needs to draw the same sample."""
        return {"n_rows": self.n_rows, "n_sample": len(self.sample), "target": self.target}


@dataclass(frozen=True, eq=False)
class Learned:
    """What came of fitting on all rows.

    digest : of the engineered rows with their targets; None where they are not in one place.
    why_not : for each member that is still the sample's, by name.
    shares : workers that learned together; 0 where each member learned in one process.
    """

    ensemble: Ensemble
    parts: tuple[Part, ...]
    digest: str | None
    why_not: dict[str, str]
    shares: int = 0


def write_whole(
    table: WholeTable,
    schema: Schema,
    featurizer: Featurizer,
    target: Target,
    sample: DataRef,
    folder: Path,
    *,
    parts: Sequence[Piece] | None = None,
    deadline: float | None = None,
) -> tuple[WholeRef, str] | None:
    """Engineer all rows and write them; gives where, and a digest, or None when time ran out.

    ``parts`` are those of the table's pieces to write, all by default.

    Raises
    ------
    WholeError
        A disk without room, or infinite targets.
    SchemaError
        A cell that does not fit its column's kind; the error names the file or partition.
    """
    folder.mkdir(exist_ok=True)
    width = len(featurizer.feature_map.engineered_names)
    needed, free = 4 * table.n_rows * width, shutil.disk_usage(folder).free
    if needed > free:
        raise WholeError(
            f"{table.n_rows} rows of {width} engineered columns take {needed / 1e9:.1f} GB in "
            f"{folder.parent}, which has {free / 1e9:.1f} GB; set TMPDIR to a larger disk, or drop "
            f"text columns"
        )
    targets, weights, digest = [], [], hashlib.sha256()
    with open(folder / MATRIX, "wb") as file, computing():
        for part in table.pieces() if parts is None else parts:
            for frame in part.frames(_CHUNK, wanted=table.wanted):
                if deadline is not None and time.monotonic() > deadline:
                    return None
                y, known = encode(frame[table.target], target, n_rows=len(frame))
                if not np.isfinite(y[known]).all():
                    raise WholeError(f"{part.path} has infinite targets; remove those rows")
                try:
                    rows = align(frame[list(table.columns)][known], schema)
                except SchemaError as error:
                    raise SchemaError(f"{part.path}: {error}") from error
                block = featurizer.transform(rows).tobytes()
                file.write(block)
                targets.append(y[known])
                digest.update(block)
                digest.update(targets[-1].tobytes())
                if table.weight is not None:
                    weights.append(frame[table.weight][known].to_numpy(np.float64))
    whole_y = np.concatenate(targets)
    np.save(folder / TARGET, whole_y, allow_pickle=False)
    if weights:
        np.save(folder / WEIGHT, np.concatenate(weights), allow_pickle=False)
    return WholeRef(str(folder), len(whole_y), width, sample), digest.hexdigest()


def learn_members(
    written: tuple[WholeRef, str] | None,
    parts: tuple[Part, ...],
    wanted: dict[int, int],
    intercept: np.ndarray,
    data: DataRef,
    workers: Pool,
    *,
    end: float | None,
) -> Learned:
    """Put members that learned from all rows in the place of the sample's, as far as time allows.

    Parameters
    ----------
    parts : of the ensemble of the sample.
    wanted : iteration -> rounds to learn.
    data : the sample.
    """
    found: dict[int, Member] = {}
    why_not = {
        part.spec.iteration: "its family needs its rows in memory"
        for part in parts
        if not learns_stored(part.spec.family)
    }
    if written is not None:
        whole = written[0]
        running: dict[Future[int], Part] = {
            workers.submit(learn_whole, whole, part.spec, wanted[part.spec.iteration], end): part
            for part in parts
            if part.spec.iteration not in why_not
        }
        while running and (end is None or time.monotonic() < end):
            done, _ = wait(running, timeout=_POLL, return_when="FIRST_COMPLETED")
            for future in done:
                spec = running.pop(future).spec
                error = future.exception()
                if error is not None:
                    why_not[spec.iteration] = f"{type(error).__name__}: {error}"
                elif spec.family in _STEPS or future.result() >= _ENOUGH * wanted[spec.iteration]:
                    found[spec.iteration] = whole.member(spec)
        if running:
            workers.restart()
    learned = put_in(found, parts, intercept, data, why_not)
    return replace(learned, digest=None if written is None else written[1])


def put_in(
    found: Mapping[int, Member],
    parts: tuple[Part, ...],
    intercept: np.ndarray,
    data: DataRef,
    why_not: Mapping[int, str],
) -> Learned:
    """The ensemble with the members that learned from all rows, by iteration, in their places."""
    own = [
        [found[part.spec.iteration]]
        if part.spec.iteration in found
        else data.members(part.spec, refit=not part.by_fold)
        for part in parts
    ]
    after = tuple(
        replace(part, rounds=(members[0].rounds,), by_fold=False, whole=True)
        if part.spec.iteration in found
        else part
        for part, members in zip(parts, own)
    )
    return Learned(
        assemble(after, own, intercept),
        after,
        None,
        {
            part.spec.name: why_not.get(part.spec.iteration, LATE)
            for part in after
            if not part.whole
        },
    )

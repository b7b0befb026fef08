"""All rows of a table that memory does not hold, on disk as the members learn from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pellucid.models.family import Member
from pellucid.models.packing import pack, unpack
from pellucid.models.stored import OnDisk, StoredRows, stored_family
from pellucid.search.trials import (
    DataRef,
    TrialSpec,
    unpack_members,
    view_config,
    write_whole_file,
)

MATRIX, TARGET, WEIGHT = "matrix.bin", "y.npy", "weight.npy"


@dataclass(frozen=True)
class WholeRef:
    """Where all rows lie.

    n_rows, n_columns : of the engineered matrix, float32 in C order.
    sample : the rows that were searched on, with their views of the columns.
    """

    folder: str
    n_rows: int
    n_columns: int
    sample: DataRef

    def behind(self, sample: DataRef) -> WholeRef:
        """The same rows behind the link of the sample."""
        return replace(self, sample=sample)

    def rows(self) -> StoredRows:
        """The rows, their matrix on disk."""
        home = Path(self.folder)
        weight = home / WEIGHT
        return StoredRows(
            OnDisk(home / MATRIX, (self.n_rows, self.n_columns)),
            np.load(home / TARGET, allow_pickle=False),
            np.load(weight, allow_pickle=False) if weight.exists() else None,
            home,
        )

    def member(self, spec: TrialSpec) -> Member:
        """The member that `learn_whole` left."""
        return unpack_members(unpack(self._file(spec).read_bytes()))[0]

    def _file(self, spec: TrialSpec) -> Path:
        return Path(self.folder) / f"{self.sample.problem.link}-{spec.iteration}.zip"


def learn_whole(whole: WholeRef, spec: TrialSpec, rounds: int, deadline: float | None) -> int:
    """Fit a configuration on all rows; runs in a worker, and leaves the member on disk.

    Gives how much was learned, less than ``rounds`` when the deadline came first.
    """
    member = stored_family("view").fit_stored(
        whole.rows(),
        whole.sample.problem,
        view_config(whole.sample, spec),
        seed=spec.seed,
        rounds=rounds,
        deadline=deadline,
    )
    files = {f"0/{name}": content for name, content in member.to_files().items()}
    write_whole_file(whole._file(spec), pack(files))
    return member.rounds

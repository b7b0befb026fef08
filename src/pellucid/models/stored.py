"""Rows to learn from that memory need not hold: a matrix on disk, read some rows at a time.

Targets and weights are in memory, 16 bytes a row. What a family makes of the matrix is its own:
LightGBM and XGBoost keep a byte a cell, a linear model nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pellucid.models.family import Config, Member, able_family, get_family
from pellucid.models.problem import Problem

CHUNK = 65_536  # rows read at a time


class Matrix(Protocol):
    """Engineered rows that are read in pieces."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start`` to ``stop``, float32 (stop - start, n_columns)."""
        ...


@dataclass(frozen=True)
class OnDisk:
    """A float32 matrix in C order, alone in a file. It is read, not mapped, so memory stays flat.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "matrix.bin"
    >>> np.arange(6, dtype=np.float32).tofile(path)
    >>> OnDisk(path, (3, 2)).read(1, 3).tolist()
    [[2.0, 3.0], [4.0, 5.0]]
    """

    path: Path
    shape: tuple[int, int]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start`` to ``stop``."""
        first, n_rows = int(start), int(stop) - int(start)  # 32-bit numbers overflow at 2 GB
        width = self.shape[1]
        cells = np.fromfile(
            self.path, dtype=np.float32, count=n_rows * width, offset=4 * first * width
        )
        return cells.reshape(n_rows, width)


@dataclass(frozen=True, eq=False)
class StoredRows:
    """As `pellucid.models.family.Rows`, with the matrix on disk.

    folder : where a family may leave files while it fits.
    """

    matrix: Matrix
    y: np.ndarray
    weight: np.ndarray | None
    folder: Path
    categorical: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()
    words: tuple[int, ...] = ()

    def chunks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Which rows, and their matrix, one piece after the other."""
        n_rows = self.matrix.shape[0]
        for start in range(0, n_rows, CHUNK):
            stop = min(start + CHUNK, n_rows)
            yield slice(start, stop), self.matrix.read(start, stop)


class StoredFamily(Protocol):
    """A family that can learn from rows on disk."""

    name: str

    def fit_stored(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        deadline: float | None = None,
    ) -> Member:
        """Learn so much from all rows, reading them in pieces."""
        ...


def learns_stored(name: str) -> bool:
    """Whether a family can learn from rows on disk.

    Examples
    --------
    >>> learns_stored("linear"), learns_stored("spline")
    (True, False)
    """
    return hasattr(get_family(name), "fit_stored")


def stored_family(name: str) -> StoredFamily:
    """The family that learns from rows on disk.

    Raises
    ------
    FamilyError
        It needs its rows in memory.
    """
    family: StoredFamily = able_family(name, "fit_stored", where="in memory")
    return family

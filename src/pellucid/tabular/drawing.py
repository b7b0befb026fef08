"""A sample of a table that memory does not hold, drawn in one pass over its files.

Each row is given a random key, and the rows with the smallest keys are the sample (Fan, Muller and
Rezucha 1962): every set of rows is as likely as another, however the files are cut. Within strata,
each keeps its share, and no fewer than `LEAST` rows, so that no class is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pellucid.tabular.errors import ReadError
from pellucid.tabular.parts import Part

LEAST = 50  # rows of a stratum, or all of them
_CHUNK = 50_000
_MOST_STRATA = 2000
_ROOM = 1.25  # rows kept after a clearing, in rows of the sample; cleared at twice as many


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one pass gave.

    rows : DataFrame, (at most n, n_columns); in the order of the files.
    n_rows : of all files, of those that count.
    """

    rows: pd.DataFrame
    n_rows: int


def draw(
    parts: Sequence[Part],
    n: int,
    *,
    wanted: Collection[str],
    known: str | None = None,
    strata: str | None = None,
    seed: int = 0,
) -> Drawn:
    """Draw rows without holding more than about twice as many.

    Parameters
    ----------
    parts : files of the table.
    n : rows to draw.
    wanted : columns that the sample has.
    known : column without which a row does not count.
    strata : column whose every value keeps its share of the rows.

    Raises
    ------
    ReadError
        A file that lacks a column, is damaged, or no row that counts.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from pellucid.tabular.parts import parts_of
    >>> path = Path(tempfile.mkdtemp()) / "rows.parquet"
    >>> pd.DataFrame({"a": range(1000), "y": ["no"] * 900 + ["yes"] * 100}).to_parquet(path)
    >>> drawn = draw(parts_of(path), 500, wanted=["a", "y"], strata="y")
    >>> drawn.n_rows, drawn.rows["y"].value_counts().to_dict()
    (1000, {'no': 450, 'yes': 50})
    """
    rng = np.random.default_rng(seed)
    pool = _Pool(n)
    for part in parts:
        for frame in part.frames(_CHUNK, wanted=wanted):
            absent = [name for name in wanted if name not in frame.columns]
            if absent:
                raise ReadError(f"{part.path} has no column {absent[0]!r}, as other files have")
            keys = rng.random(len(frame))
            if known is not None:
                there = frame[known].notna().to_numpy()
                frame, keys = frame[there], keys[there]
            pool.add(frame, keys, None if strata is None else frame[strata])
    if pool.n_rows == 0:
        where = f"with a {known!r} " if known is not None else ""
        raise ReadError(f"{parts[0].path} and what lies beside it have no rows {where}to draw from")
    return Drawn(pool.drawn(), pool.n_rows)


def size_of(count: int, n: int, n_rows: int) -> int:
    """Rows that a stratum of ``count`` has in a sample of ``n`` of ``n_rows``.

    Examples
    --------
    >>> size_of(9000, 100, 10_000), size_of(1000, 100, 10_000), size_of(20, 100, 10_000)
    (90, 50, 20)
    """
    return max(round(min(1.0, n / n_rows) * count), min(LEAST, count))


def check_strata(name: object, n_values: int) -> None:
    """Refuse a column with so many values that it cannot be one of classes.

    Raises
    ------
    ReadError
        The column is named.
    """
    if n_values > _MOST_STRATA:
        raise ReadError(
            f"{name!r} has more than {_MOST_STRATA // 2} different values, too many for classes"
        )


@dataclass
class _Pool:
    """Rows that may be among the sample, and the keys above which others cannot."""

    n: int
    n_rows: int = 0
    _frames: list[pd.DataFrame] = field(default_factory=list)
    _keys: list[np.ndarray] = field(default_factory=list)
    _codes: list[np.ndarray] = field(default_factory=list)
    _code_of: dict[object, int] = field(default_factory=dict)
    _counts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _most: np.ndarray = field(default_factory=lambda: np.zeros(0))  # key of each stratum

    def add(self, frame: pd.DataFrame, keys: np.ndarray, strata: pd.Series | None) -> None:
        codes = self._coded(strata, len(frame))
        self._counts = self._counts + np.bincount(codes, minlength=len(self._counts))
        near = keys < self._most[codes]
        self._frames.append(frame[near])
        self._keys.append(keys[near])
        self._codes.append(codes[near])
        self.n_rows += len(frame)
        if sum(map(len, self._keys)) > 2 * self.n + LEAST * len(self._counts):
            self._clear()

    def _coded(self, strata: pd.Series | None, n_rows: int) -> np.ndarray:
        """Number of each row's stratum; new ones are open to any key."""
        name = None if strata is None else strata.name
        local, values = (
            (np.zeros(n_rows, dtype=np.int64), [None])
            if strata is None
            else pd.factorize(strata, use_na_sentinel=False)
        )
        check_strata(name, len(self._code_of) + len(values))
        codes = [self._code_of.setdefault(value, len(self._code_of)) for value in values]
        new = len(self._code_of) - len(self._counts)
        self._counts = np.concatenate([self._counts, np.zeros(new, dtype=np.int64)])
        self._most = np.concatenate([self._most, np.full(new, np.inf)])
        return np.array(codes, dtype=np.int64)[local]

    def _clear(self) -> None:
        """Give up rows that cannot be drawn any more, with room for uneven strata."""
        keys, codes = np.concatenate(self._keys), np.concatenate(self._codes)
        shares = self._counts / self._counts.sum()
        for code in range(len(self._counts)):
            own = np.sort(keys[codes == code])
            enough = max(LEAST, int(np.ceil(_ROOM * shares[code] * self.n)))
            if enough < len(own):
                self._most[code] = min(self._most[code], own[enough])
        self._keep(keys < self._most[codes])

    def _keep(self, kept: np.ndarray) -> None:
        self._frames = [pd.concat(self._frames, ignore_index=True)[kept]]
        for name in ("_keys", "_codes"):
            setattr(self, name, [np.concatenate(getattr(self, name))[kept]])

    def drawn(self) -> pd.DataFrame:
        keys, codes = np.concatenate(self._keys), np.concatenate(self._codes)
        kept = np.zeros(len(keys), dtype=bool)
        for code, count in enumerate(self._counts):
            own = np.flatnonzero(codes == code)
            size = size_of(int(count), self.n, self.n_rows)
            kept[own[np.argsort(keys[own], kind="stable")[:size]]] = True
        self._keep(kept)
        return self._frames[0].reset_index(drop=True)

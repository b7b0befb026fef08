"""The partitions of a Dask DataFrame as parts of a table, and a sample drawn from them.

Nothing of Dask is imported until there is such a table. Rows are computed where Dask computes; of
the whole table only counts and the sample come back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.drawing import Drawn, check_strata, size_of
from pellucid.tabular.errors import ReadError

_BRANCHES = 8  # counts that are added up at a time
_SLACK = 6.0  # standard deviations of rows that are looked at beyond those that are drawn


@dataclass(frozen=True, eq=False)
class Partition:
    """One partition of a Dask DataFrame.

    rows : pandas DataFrame, or Dask's of one partition, which is computed when it is read.
    """

    rows: Any
    number: int

    @property
    def path(self) -> str:
        """What messages call it."""
        return f"partition {self.number} of the Dask DataFrame"

    @property
    def names(self) -> list[str]:
        """Columns, in order."""
        return list(self.rows.columns)

    def frames(self, rows: int, *, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
        """Give the rows in order, at most ``rows`` at a time, without columns not in ``wanted``."""
        chosen = self.rows[[name for name in self.names if name in wanted]]
        frame = chosen.compute() if is_dask(chosen) else chosen
        frame = frame.reset_index(drop=True)
        for start in range(0, max(1, len(frame)), rows):
            yield frame[start : start + rows]


def is_dask(X: Any) -> bool:
    """Whether a table is Dask's; imports nothing."""
    return type(X).__module__.startswith("dask.") and hasattr(X, "map_partitions")


def named_frame(X: Any) -> Any:
    """A Dask DataFrame whose column names are text, all different.

    Raises
    ------
    ReadError
        Another of Dask's tables, or two columns of one name.
    """
    if not hasattr(X, "columns") or getattr(X, "ndim", 0) != 2:
        raise ReadError(f"a Dask {type(X).__name__} is no table; pass a Dask DataFrame")
    names = [str(name) for name in X.columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ReadError(f"two columns are called {twice[0]!r}; give each its own name")
    return X if names == list(X.columns) else X.rename(columns=str)


def partitions_of(X: Any) -> list[Partition]:
    """The partitions of a Dask DataFrame, none of them computed."""
    return [Partition(X.partitions[number], number) for number in range(X.npartitions)]


def draw_partitions(
    X: Any, n: int, *, known: str, strata: str | None = None, seed: int = 0
) -> Drawn:
    """Draw rows of a Dask DataFrame as `pellucid.tabular.drawing.draw` does of files.

    A pass over one column counts the rows as a tree; a second one gives each row a random key, and
    brings back those whose key may be among the smallest. The same seed draws the same rows, as
    long as the partitions stay.

    Parameters
    ----------
    X : dask.dataframe.DataFrame
    n : rows to draw.
    known : column without which a row does not count.
    strata : column whose every value keeps its share of the rows.

    Raises
    ------
    ReadError
        No row that counts, or too many strata.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> rows = pd.DataFrame({"a": range(1000), "y": ["no"] * 900 + ["yes"] * 100})
    >>> drawn = draw_partitions(dd.from_pandas(rows, npartitions=4), 500, known="y", strata="y")
    >>> drawn.n_rows, drawn.rows["y"].value_counts().to_dict()
    (1000, {'no': 450, 'yes': 50})
    """
    import dask
    from dask import delayed

    columns = list({known: None, **({strata: None} if strata else {})})
    found = [delayed(_counted)(part, known, strata) for part in X[columns].to_delayed()]
    while len(found) > 1:
        found = [
            delayed(_added)(found[i : i + _BRANCHES], strata)
            for i in range(0, len(found), _BRANCHES)
        ]
    counts: Mapping[Any, int] = dask.compute(found[0])[0]
    n_rows = sum(counts.values())
    if n_rows == 0:
        raise ReadError(f"the Dask DataFrame has no rows with a {known!r} to draw from")
    sizes = {value: size_of(count, n, n_rows) for value, count in counts.items()}
    most = {
        value: (sizes[value] + _SLACK * np.sqrt(sizes[value] + 1.0)) / count
        for value, count in counts.items()
    }
    near = [
        delayed(_near)(part, most, known, strata, [seed, number])
        for number, part in enumerate(X.to_delayed())
    ]
    pieces = dask.compute(*near)
    rows = pd.concat([frame for frame, _ in pieces], ignore_index=True)
    keys = np.concatenate([keys for _, keys in pieces])
    kept = np.zeros(len(rows), dtype=bool)
    for value, own in _strata(rows, strata):
        kept[own[np.argsort(keys[own], kind="stable")[: sizes[value]]]] = True
    return Drawn(rows[kept].reset_index(drop=True), n_rows)


def _strata(rows: pd.DataFrame, strata: str | None) -> Iterator[tuple[Any, np.ndarray]]:
    """Each stratum, and the places of its rows."""
    if strata is None:
        yield None, np.arange(len(rows))
        return
    codes, values = pd.factorize(rows[strata])
    for code, value in enumerate(values):
        yield value, np.flatnonzero(codes == code)


# -- where Dask computes ------------------------------------------------------------------------
def _counted(frame: pd.DataFrame, known: str, strata: str | None) -> Counter[Any]:
    there = frame[frame[known].notna()]
    counts = Counter({value: len(own) for value, own in _strata(there, strata) if len(own)})
    check_strata(strata, len(counts))
    return counts


def _added(counts: Sequence[Counter[Any]], strata: str | None) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for each in counts:
        total.update(each)
    check_strata(strata, len(total))
    return total


def _near(
    frame: pd.DataFrame,
    most: Mapping[Any, float],
    known: str,
    strata: str | None,
    seed: Sequence[int],
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows whose key is small enough to be drawn perhaps, and their keys."""
    frame = frame[frame[known].notna()]
    keys = np.random.default_rng(seed).random(len(frame))
    near = np.zeros(len(frame), dtype=bool)
    for value, own in _strata(frame, strata):
        near[own] = keys[own] < most[value]
    return frame[near], keys[near]

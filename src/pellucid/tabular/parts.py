"""A table on disk that memory need not hold: its files, each read some rows at a time."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from pellucid.errors import UNREADABLE
from pellucid.tabular.errors import ReadError
from pellucid.tabular.read import text_format

_PARQUET = (".parquet", ".pq")
_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


class Piece(Protocol):
    """What a table is read from piece by piece: a file, or a partition of another engine's."""

    @property
    def path(self) -> object:
        """What messages call it."""
        ...

    @property
    def names(self) -> list[str]:
        """Columns, in order."""
        ...

    def frames(self, rows: int, *, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
        """Give the rows in order, at most ``rows`` at a time."""
        ...


@dataclass(frozen=True)
class Part:
    """One file of a table.

    Attributes
    ----------
    path : Path
    relative : Path
        Where it lies in the folder that is the table, or its name where it is the table.
    keys : mapping
        Columns whose one value the folders' names tell, as in ``year=2024/a.parquet``.
    """

    path: Path
    relative: Path
    keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> list[int]:
        """Size and time of change: other values mean that the file was written again."""
        facts = os.stat(self.path)
        return [facts.st_size, facts.st_mtime_ns]

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file; else it is text."""
        return self.path.suffix.lower() in _PARQUET

    def n_rows(self) -> int | None:
        """Rows, where the file tells without being read."""
        return _parquet(self.path).metadata.num_rows if self.is_parquet else None

    @property
    def names(self) -> list[str]:
        """Columns of the file, then those that its folders tell."""
        if self.is_parquet:
            own = list(_parquet(self.path).schema_arrow.remove_metadata().names)
        else:
            delimiter, encoding = text_format(self.path)
            own = list(pd.read_csv(self.path, sep=delimiter, encoding=encoding, nrows=0).columns)
        return own + [name for name in self.keys if name not in own]

    def frames(self, rows: int, *, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
        """Give the rows in order, at most ``rows`` at a time, without columns not in ``wanted``.

        A file without rows gives one frame without rows. A column of a text file has the type
        that all of its cells together have, as if the file were read at once.

        Raises
        ------
        ReadError
            For a damaged file.
        """
        read = _parquet_frames if self.is_parquet else _text_frames
        try:
            for frame in read(self.path, rows, wanted):
                missing = {k: v for k, v in self.keys.items() if k not in frame.columns}
                yield frame.assign(**missing) if missing else frame
        except ReadError:
            raise
        except UNREADABLE as error:  # Arrow's and pandas' errors too
            raise ReadError(
                f"{self.path} cannot be read: {' '.join(str(error).split())}"
            ) from error


def parts_of(source: str | Path) -> list[Part]:
    """Find the files that a table is made of.

    Parameters
    ----------
    source : str or Path
        A Parquet file, a text file (CSV, TSV), or a folder of Parquet files at any depth; names
        that begin with a point or an underscore are passed over, as other engines do.

    Raises
    ------
    ReadError
        If there is no such file, or no Parquet file in the folder.
    """
    source = Path(source)
    if source.is_dir():
        return _in_folder(source)
    if not source.exists():
        raise ReadError(f"there is no file {source}; is the path right?")
    if not source.name.lower().endswith((*_PARQUET, *_TEXT)):
        raise ReadError(
            f"{source} cannot be read in chunks; expected a folder of Parquet files, or a name "
            f"that ends in {', '.join((*_PARQUET, *_TEXT))}"
        )
    return [Part(source, Path(source.name))]


def _in_folder(source: Path) -> list[Part]:
    import pyarrow.dataset as ds

    found = sorted(path for path in source.rglob("*") if path.suffix.lower() in _PARQUET)
    inside = [path.relative_to(source) for path in found]
    inside = [path for path in inside if not any(name[0] in "._" for name in path.parts)]
    if not inside:
        raise ReadError(f"the folder {source} has no Parquet file; expected at least one")
    try:
        table = ds.dataset(
            [str(source / path) for path in inside],
            schema=None,
            format="parquet",
            partitioning="hive",
            partition_base_dir=str(source),
        )
    except UNREADABLE as error:
        raise ReadError(f"the folder {source} cannot be read: {error}") from error
    keys = [ds.get_partition_keys(piece.partition_expression) for piece in table.get_fragments()]
    return [Part(source / path, path, told) for path, told in zip(inside, keys, strict=True)]


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except UNREADABLE as error:
        raise ReadError(f"{path} cannot be read as Parquet: {error}") from error


def _parquet_frames(path: Path, rows: int, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
    with _parquet(path) as file:
        schema = file.schema_arrow.remove_metadata()  # a stored pandas index is a column here
        names = [name for name in schema.names if name in wanted]
        some = False
        for batch in file.iter_batches(batch_size=rows, columns=names):
            some = True
            batch.validate(full=True)
            yield batch.replace_schema_metadata(None).to_pandas()
        if not some:
            yield schema.empty_table().select(names).to_pandas()


def _text_frames(path: Path, rows: int, wanted: Collection[str]) -> Iterator[pd.DataFrame]:
    delimiter, encoding = text_format(path)

    def read(**options: Any) -> Any:
        return pd.read_csv(
            path, sep=delimiter, encoding=encoding, low_memory=False, chunksize=rows, **options
        )

    seen: dict[str, set[str]] = {}
    with read(usecols=lambda name: name in wanted) as chunks:
        for chunk in chunks:
            for name, values in chunk.items():
                seen.setdefault(name, set()).add(_sort_of(values))
    types = {name: _type_of(sorts) for name, sorts in seen.items()}
    known = {name: dtype for name, dtype in types.items() if dtype is not None}
    with read(usecols=lambda name: name in wanted, dtype=known) as chunks:
        yield from chunks


def _sort_of(values: pd.Series) -> str:
    """What a piece of a text file's column was read as: nothing, int, float, truth or text."""
    if values.isna().all():
        return "nothing"
    if values.dtype.kind in "iuf":
        return "float" if values.dtype.kind == "f" else "int"
    return "truth" if pd.api.types.infer_dtype(values, skipna=True) == "boolean" else "text"


def _type_of(sorts: set[str]) -> Any:
    """The type of a whole column, by what its pieces are; None leaves it to the reader."""
    if "text" in sorts or ("truth" in sorts and sorts & {"int", "float"}):
        return str
    if "truth" in sorts:
        return None
    return "int64" if sorts == {"int"} else "float64"

"""Read a table from a file."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
from pathlib import Path
from typing import Any, cast

import pandas as pd

from pellucid.errors import UNREADABLE, PellucidWarning
from pellucid.tabular.errors import ReadError
from pellucid.tabular.frames import to_frame

__all__ = ["ReadError", "read_table", "to_frame"]

_PARQUET = (".parquet", ".pq")
_ARROW = (".feather", ".arrow", ".ipc")
_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_HEAD = 1 << 16  # bytes looked at to tell delimiter and encoding
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(path: str | Path) -> pd.DataFrame:
    r"""Read a CSV, TSV, Parquet, Feather or Arrow file.

    A text file's delimiter (comma, semicolon, tab or bar) is told from its first lines, its
    encoding from its first bytes.

    Parameters
    ----------
    path : str or Path
        The suffix says what it is; text files may be compressed (``.csv.gz``).

    Returns
    -------
    DataFrame, (n_rows, n_columns)
        At least one row.

    Raises
    ------
    ReadError
        If the file is absent, a folder, empty, damaged, or of an unknown kind.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = path.write_text("age;city\n31;Rome\n45;Oslo\n")
    >>> read_table(path)
       age  city
    0   31  Rome
    1   45  Oslo
    """
    path = Path(path)
    suffix = _suffix(path)
    _check_file(path)
    try:
        frame = _read(path, suffix)
    except ReadError:
        raise
    except (*UNREADABLE, csv.Error) as error:  # pandas' and Arrow's errors too
        why = " ".join(str(error).split()) or type(error).__name__
        raise ReadError(
            f"{path} cannot be read as {suffix.lstrip('.')}: {why}; is the file damaged, or of "
            f"another kind than its name says?"
        ) from error
    if frame.shape[1] == 0 or len(frame) == 0:
        raise ReadError(f"{path} has no rows; expected a header and at least one row")
    return to_frame(frame)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    for suffix in (*_TEXT, *_PARQUET, *_ARROW):
        if name.endswith(suffix):
            return suffix
    raise ReadError(
        f"{path} is of an unknown kind; expected a name that ends in "
        f"{', '.join((*_TEXT, *_PARQUET, *_ARROW))}"
    )


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise ReadError(f"{path} is a folder; pass the path of one file")
        if not path.exists():
            raise ReadError(f"there is no file {path}; is the path right?")
        if path.stat().st_size == 0:
            raise ReadError(f"{path} is empty; expected a header and at least one row")
    except (OSError, ValueError) as error:
        raise ReadError(f"{path!s:.200} cannot be opened: {error}") from error


def _read(path: Path, suffix: str) -> pd.DataFrame:
    if suffix in _PARQUET:
        return parquet_frame(path)
    if suffix in _ARROW:
        return _read_arrow(path)
    return _read_text(path)


def parquet_table(source: Any) -> Any:
    """The Arrow table of a Parquet file, by its path or opened, once its text is known to be text.

    Raises
    ------
    OSError, ValueError
        Arrow's errors, for what is no such file.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(source)
    table.validate(full=True)  # bytes that are no text end the process where they are shown
    return table


def parquet_frame(source: Any) -> pd.DataFrame:
    """The frame of a Parquet file, read as `parquet_table` reads it."""
    frame: pd.DataFrame = parquet_table(source).to_pandas()
    return frame


def _read_arrow(path: Path) -> pd.DataFrame:
    """An Arrow file, or the stream form that some tools write under the same suffix."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        if source.read(6) == b"ARROW1":
            table = pa.ipc.open_file(source).read_all()
        else:
            source.seek(0)
            table = pa.ipc.open_stream(source).read_all()
        table.validate(full=True)  # offsets of text that lead outside would be followed
        return to_frame(table)


def _read_text(path: Path) -> pd.DataFrame:
    delimiter, encoding = text_format(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, sep=delimiter, encoding=encoding, low_memory=False)


def text_format(path: Path) -> tuple[str, str]:
    """Delimiter and encoding of a text file.

    Raises
    ------
    ReadError
        If it is empty, or two of its columns have one name.
    """
    encoding = _encoding(path)
    with _open(path) as raw, io.TextIOWrapper(raw, encoding, errors="replace", newline="") as text:
        head = text.read(_HEAD)
    if not head.strip():
        raise ReadError(f"{path} is empty; expected a header and at least one row")
    delimiter, header = _sniff(head)
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise ReadError(
            f"{path} has {header.count(twice)} columns named {twice!r}; give each a name of its own"
        )
    return delimiter, encoding


def _open(path: Path) -> io.BufferedReader:
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    return cast(io.BufferedReader, opener(path, "rb"))


def _encoding(path: Path) -> str:
    """UTF-16 by its mark, UTF-8 when the whole file is, else Windows-1252, with a warning."""
    with _open(path) as raw:
        if raw.read(2) in _UTF16:
            return "utf-16"
        raw.seek(0)
        try:
            with io.TextIOWrapper(raw, "utf-8") as text:
                while text.read(1 << 22):
                    pass
        except UnicodeDecodeError:
            warnings.warn(
                f"{path} is not UTF-8 and is read as Windows-1252; save it as UTF-8 if letters "
                f"look odd",
                PellucidWarning,
                stacklevel=5,
            )
            return "cp1252"
    return "utf-8-sig"


def _sniff(head: str) -> tuple[str, list[str]]:
    """The delimiter that splits the first lines most evenly, and the header it gives."""
    lines = head.splitlines()
    if len(lines) > 1 and len(head) >= _HEAD:
        lines = lines[:-1]  # the last one may be cut
    best: tuple[float, str, list[str]] = (0.0, ",", [])
    for delimiter in ",;\t|":
        rows = [row for row in csv.reader(lines[:50], delimiter=delimiter) if row]
        header = rows[0] if rows else []
        even = sum(len(row) == len(header) for row in rows) / max(1, len(rows))
        score = even * (len(header) - 1)
        if score > best[0]:
            best = (score, delimiter, header)
    return best[1], best[2]

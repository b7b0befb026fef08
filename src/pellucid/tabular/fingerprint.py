"""A digest of a table that changes with any cell, any type and any name."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 over column names, types and every cell, in order; 64 hexadecimal digits.

    The index is no part of it. Cells count by their value and type: 1 and 1.0 differ, NaN and None
    in one column of objects differ.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    >>> fingerprint(frame) == fingerprint(frame.copy())
    True
    >>> fingerprint(frame) == fingerprint(frame.rename(columns={"a": "c"}))
    False
    """
    return fingerprints(frame)[0]


def fingerprints(frame: pd.DataFrame) -> tuple[str, dict[str, str]]:
    """The digest of a table, and that of each column, which tells where two tables differ.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    >>> _, ours = fingerprints(frame)
    >>> _, theirs = fingerprints(frame.assign(a=[1, 3]))
    >>> [name for name in ours if ours[name] != theirs[name]]
    ['a']
    """
    whole = hashlib.sha256(f"{len(frame)} rows, {frame.shape[1]} columns".encode())
    columns = {}
    for at, name in enumerate(frame.columns):
        values = frame.iloc[:, at]
        head = f"\0{type(name).__name__} {name!r}\0{values.dtype}\0".encode(errors="replace")
        cells = _cells(values)
        whole.update(head)
        whole.update(cells)
        columns[str(name)] = hashlib.sha256(head + cells).hexdigest()
    return whole.hexdigest(), columns


def _cells(values: pd.Series) -> bytes:
    """The cells of one column as bytes."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufcmM":
        return np.ascontiguousarray(values.to_numpy()).tobytes()
    if isinstance(dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy().astype("<i4").tobytes()
        return codes + _texts(dtype.categories.tolist())
    return _texts(values.tolist())


def _texts(cells: list[object]) -> bytes:
    return "\0".join(map(_text, cells)).encode(errors="surrogatepass")


def _text(cell: object) -> str:
    kind = type(cell).__name__[:2]
    text = cell if isinstance(cell, str) else repr(cell)
    return f"{kind}{len(text)} {text}"  # the length keeps neighbours apart

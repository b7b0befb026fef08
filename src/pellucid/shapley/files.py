"""Compiled tables, or trees alone, as one file: prologue, JSON header, arrays that map into memory.

Layout, little-endian::

    8 bytes   magic "PLCDSHAP"
    4 bytes   version of the format
    4 bytes   length of the header
    32 bytes  SHA-256 of all that follows
    header    JSON: {"root": ..., "arrays": {name: {"dtype", "shape", "start"}}}
    arrays    C order, each aligned to 64 bytes from the start of the file

A file holds numbers and names only: loading runs no code. Arrays are mapped copy-on-write, so
processes on one machine share them. `sound` holds them to each other before a kernel sees them.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import tempfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import UNREADABLE
from pellucid.shapley.additive import AdditiveTables, BinnedTable, Term
from pellucid.shapley.errors import ShapleyError, TablesFileError
from pellucid.shapley.groups import Groups
from pellucid.shapley.linear import LinearTables
from pellucid.shapley.paths import Paths
from pellucid.shapley.players import Players
from pellucid.shapley.slopes import Slopes
from pellucid.shapley.sound import check_tables, check_trees
from pellucid.shapley.tables import TreeTables
from pellucid.shapley.trees import LinearLeaves, TreeEnsemble

VERSION = 1
_MAGIC = b"PLCDSHAP"
_PROLOGUE = len(_MAGIC) + 4 + 4 + 32
_ALIGN = 64
_CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        TreeTables,
        TreeEnsemble,
        LinearLeaves,
        Paths,
        Groups,
        Slopes,
        Players,
        LinearTables,
        AdditiveTables,
        Term,
        BinnedTable,
    )
}


def save_tables(tables: Any, path: str | Path) -> None:
    """Write tables to ``path`` in one step: a reader sees the old file or the whole new one."""
    header, table, arrays = _lay_out(tables)
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(_PROLOGUE))
            digest = hashlib.sha256()
            for piece in _pieces(header, table, arrays):
                digest.update(piece)
                file.write(piece)
            file.seek(0)
            file.write(_prologue(header, digest.digest()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_tables(path: str | Path) -> Any:
    """Read tables that `save_tables` wrote.

    Raises
    ------
    TablesFileError
        A file that is missing, damaged, of another version, or whose arrays do not fit each other.
    """
    try:
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:
        raise TablesFileError(f"cannot read tables from {path}: {error}") from error
    tables = _read(data, str(path))
    try:
        check_tables(tables)
    except (*UNREADABLE, ShapleyError) as error:  # fields of another type among them
        raise TablesFileError(f"{path} holds tables that are not sound: {error}") from error
    return tables


def trees_to_bytes(trees: TreeEnsemble) -> bytes:
    """The trees as a file of this format, for those who keep files of their own."""
    header, table, arrays = _lay_out(trees)
    body = b"".join(_pieces(header, table, arrays))
    return _prologue(header, hashlib.sha256(body).digest()) + body


def trees_from_bytes(data: bytes, *, name: str = "the file") -> TreeEnsemble:
    """Rebuild what `trees_to_bytes` wrote, bit for bit; messages call it ``name``.

    Raises
    ------
    TablesFileError
        Bytes that are damaged, of another version, or hold no trees.
    ReaderError
        Trees that contradict the conventions of `pellucid.shapley.trees`.
    """
    trees = _read(bytearray(data), name)  # kernels are compiled for arrays that can be written to
    if not isinstance(trees, TreeEnsemble):
        raise TablesFileError(f"{name} holds {type(trees).__name__}; expected a TreeEnsemble")
    try:
        check_trees(trees)
    except UNREADABLE as error:  # fields of another type
        raise TablesFileError(f"{name} holds no sound trees ({error!r})") from error
    return trees


def _lay_out(item: Any) -> tuple[bytes, list[dict[str, Any]], list[np.ndarray]]:
    """Header, table of arrays with their places, and the arrays."""
    arrays: list[np.ndarray] = []
    root = _describe(item, arrays)
    table: list[dict[str, Any]] = [
        {"dtype": a.dtype.str, "shape": list(a.shape), "start": 10**15} for a in arrays
    ]
    reserved = _aligned(_PROLOGUE + len(json.dumps({"root": root, "arrays": table})))
    start = reserved
    for entry, array in zip(table, arrays):
        entry["start"] = start
        start = _aligned(start + array.nbytes)
    header = json.dumps({"root": root, "arrays": table}).encode().ljust(reserved - _PROLOGUE)
    return header, table, arrays


def _prologue(header: bytes, digest: bytes) -> bytes:
    return _MAGIC + VERSION.to_bytes(4, "little") + len(header).to_bytes(4, "little") + digest


def _read(data: mmap.mmap | bytearray, name: str) -> Any:
    if len(data) < _PROLOGUE or data[:8] != _MAGIC:
        raise TablesFileError(f"{name} is not a file of Shapley tables; save them again")
    version = int.from_bytes(data[8:12], "little")
    if version != VERSION:
        raise TablesFileError(
            f"{name} has format version {version}; expected {VERSION}: compile the model again"
        )
    if hashlib.sha256(memoryview(data)[_PROLOGUE:]).digest() != data[16:_PROLOGUE]:
        raise TablesFileError(f"{name} is damaged: its checksum does not match; save it again")
    try:
        length = int.from_bytes(data[12:16], "little")
        header = json.loads(data[_PROLOGUE : _PROLOGUE + length])
        arrays = [_array(data, entry) for entry in header["arrays"]]
        return _rebuild(header["root"], arrays)
    except UNREADABLE as error:
        raise TablesFileError(
            f"{name} holds tables that this version cannot read ({error}); compile the model again"
        ) from error


def _aligned(position: int) -> int:
    return -(-position // _ALIGN) * _ALIGN


def _pieces(header: bytes, table: list[dict[str, Any]], arrays: list[np.ndarray]) -> Any:
    yield header
    end = _PROLOGUE + len(header)
    for entry, array in zip(table, arrays):
        yield bytes(entry["start"] - end)
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        end = entry["start"] + array.nbytes


def _describe(item: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(item, np.ndarray):
        arrays.append(item)
        return {"array": len(arrays) - 1}
    if is_dataclass(item):
        parts = {field.name: _describe(getattr(item, field.name), arrays) for field in fields(item)}
        return {"class": type(item).__name__, "fields": parts}
    if isinstance(item, tuple):
        return {"tuple": [_describe(part, arrays) for part in item]}
    return item


def _rebuild(item: Any, arrays: list[np.ndarray]) -> Any:
    if not isinstance(item, dict):
        return item
    if "array" in item:
        return arrays[item["array"]]
    if "tuple" in item:
        return tuple(_rebuild(part, arrays) for part in item["tuple"])
    parts = {name: _rebuild(part, arrays) for name, part in item["fields"].items()}
    return _CLASSES[item["class"]](**parts)


def _array(data: mmap.mmap | bytearray, entry: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(entry["dtype"])
    if dtype.kind not in "fiub":
        raise ValueError(f"arrays of {dtype} are not part of the format")
    start, shape = entry["start"], entry["shape"]
    if any(type(n) is not int or not 0 <= n < 2**48 for n in (start, *shape)) or start % _ALIGN:
        raise ValueError(f"no array has shape {shape} and starts at {start}")
    count = math.prod(shape)
    if count == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype, count, start).reshape(shape)

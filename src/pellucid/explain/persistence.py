"""An Explanation as one file: a zip of arrays, Arrow tables and JSON, sealed by a digest.

The file is an ordinary zip archive whose members are stored uncompressed; nothing in it is code.
The archive's comment, which ends the file, is the SHA-256 of all bytes before it. A reader checks
that first, so no parser ever sees a damaged file.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.arrays import check_stored, read_array
from pellucid.errors import UNREADABLE
from pellucid.explain.certificate import Certificate
from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.explain.tagged import tag, untag
from pellucid.files import write_file

_FORMAT = "pellucid-explanation"
_VERSION = 1
_SEAL = b"sha256:"
_DIGEST = 64  # hexadecimal digits that end the file
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same explanation gives the same bytes, whenever it is written
_FACTS = ("level", "space", "method", "background_size", "rows_from")


class ExplanationFileError(ExplanationError):
    """A file is not an explanation, is damaged, or cannot be written."""


# -- files ------------------------------------------------------------------------------------
def save_explanation(explanation: Explanation, path: str | Path) -> None:
    """Write an explanation and its engineered twin to one file, all at once.

    Raises
    ------
    ExplanationFileError
        If the file cannot be written.
    TaggedValueError
        If a label, a detail or a cell is of a type that a file cannot keep.
    """
    data = explanation_to_bytes(explanation)
    try:
        write_file(path, data)
    except OSError as error:
        raise ExplanationFileError(f"cannot write {path}: {error.strerror or error}") from error


def load_explanation(path: str | Path) -> Explanation:
    """Read what `save_explanation` wrote.

    Raises
    ------
    ExplanationFileError
        If there is no such file, or it is damaged, or something else.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ExplanationFileError(f"cannot read {path}: {error.strerror or error}") from error
    return explanation_from_bytes(data, name=str(path))


def explanation_to_bytes(explanation: Explanation) -> bytes:
    """The content of the file, for those who store it themselves."""
    facts: dict[str, Any] = {"format": _FORMAT, "version": _VERSION}
    members: dict[str, bytes] = {}
    level: Explanation | None = explanation
    facts["levels"] = []
    while level is not None:  # the raw explanation, then its engineered twin
        folder = f"{len(facts['levels'])}-{level.level}/"
        facts["levels"].append(_write_level(level, folder, members))
        level = level.engineered
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {"explanation.json": _json(facts), **members}.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
        archive.comment = _SEAL + b"0" * _DIGEST
    body = buffer.getvalue()[:-_DIGEST]
    return body + hashlib.sha256(body).hexdigest().encode()


def explanation_from_bytes(data: bytes, *, name: str = "these bytes") -> Explanation:
    """Read what `explanation_to_bytes` gave; ``name`` is what errors call it."""
    if data[:4] != b"PK\x03\x04" or data[-_DIGEST - len(_SEAL) : -_DIGEST] != _SEAL:
        raise ExplanationFileError(
            f"{name} is not a whole explanation file; expected what Explanation.save wrote"
        )
    if hashlib.sha256(data[:-_DIGEST]).hexdigest().encode() != data[-_DIGEST:]:
        raise ExplanationFileError(
            f"{name} is damaged: its content does not match its SHA-256; copy it again from "
            f"where it was made, or explain the rows again"
        )
    try:
        return _read(data, name)
    except UNREADABLE as error:
        raise ExplanationFileError(
            f"{name} is intact but holds no explanation that this Pellucid reads "
            f"({type(error).__name__}: {error}); explain the rows again"
        ) from error


def _read(data: bytes, name: str) -> Explanation:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_stored(archive, len(data))
        facts = json.loads(archive.read("explanation.json"))
        if facts.get("format") != _FORMAT or facts["version"] > _VERSION:
            raise ExplanationFileError(
                f"{name} is of format {facts.get('format')!r}, version {facts.get('version')}; "
                f"this Pellucid reads {_FORMAT!r} up to version {_VERSION}: upgrade it"
            )
        explanation: Explanation | None = None
        for i, level in reversed(list(enumerate(facts["levels"]))):
            explanation = _read_level(level, f"{i}-{level['level']}/", archive, explanation)
    if explanation is None:
        raise ExplanationFileError(f"{name} holds no explanation")
    return explanation


def _write_level(level: Explanation, folder: str, members: dict[str, bytes]) -> dict[str, Any]:
    members[folder + "values.npy"] = _array(level.values)
    members[folder + "base_values.npy"] = _array(level.base_values)
    table, layout = _frame_to_arrow(level.data)
    members[folder + "data.arrow"] = table
    members[folder + "details.json"] = _json(tag(dict(level.details)))
    if level.certificate is not None:
        members[folder + "certificate.json"] = _json(tag(level.certificate.to_dict()))
    if level.standard_errors is not None:
        members[folder + "standard_errors.npy"] = _array(level.standard_errors)
    return {
        **{fact: getattr(level, fact) for fact in _FACTS},
        "feature_names": list(level.feature_names),
        "classes": None if level.classes is None else [tag(label) for label in level.classes],
        "data": layout,
    }


def _read_level(
    facts: Mapping[str, Any], folder: str, archive: zipfile.ZipFile, engineered: Explanation | None
) -> Explanation:
    classes, held = facts["classes"], set(archive.namelist())
    certificate, errors = folder + "certificate.json", folder + "standard_errors.npy"
    return Explanation(
        values=read_array(archive.read(folder + "values.npy")),
        base_values=read_array(archive.read(folder + "base_values.npy")),
        feature_names=tuple(facts["feature_names"]),
        data=_frame_from_arrow(archive.read(folder + "data.arrow"), facts["data"]),
        classes=None if classes is None else tuple(untag(label) for label in classes),
        engineered=engineered,
        details=untag(json.loads(archive.read(folder + "details.json"))),
        certificate=Certificate.from_dict(untag(json.loads(archive.read(certificate))))
        if certificate in held
        else None,
        standard_errors=read_array(archive.read(errors)) if errors in held else None,
        **{fact: facts[fact] for fact in _FACTS},
    )


def _array(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


# -- frames -------------------------------------------------------------------------------------
def _frame_to_arrow(frame: pd.DataFrame) -> tuple[bytes, dict[str, Any]]:
    """An Arrow file, and what Arrow does not say of a frame: labels, index, objects."""
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    index: dict[str, Any]
    if isinstance(frame.index, pd.RangeIndex):
        index = {"range": [frame.index.start, frame.index.stop, frame.index.step]}
    else:
        index = {"levels": frame.index.nlevels}
        columns += [pd.Series(frame.index.get_level_values(i)) for i in range(frame.index.nlevels)]
    index["names"] = [tag(name) for name in frame.index.names]
    encoded = [_encode_column(column.reset_index(drop=True)) for column in columns]
    layout = {
        "columns": [tag(name) for name in frame.columns],
        "index": index,
        "encodings": [encoding for _, encoding in encoded],
    }
    return _table_to_ipc([column for column, _ in encoded], len(frame)), layout


def _frame_from_arrow(data: bytes, layout: Mapping[str, Any]) -> pd.DataFrame:
    import pyarrow as pa

    held = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    held.validate(full=True)  # offsets that lead outside would be followed
    table = held.to_pandas()
    columns = [
        _decode_column(table[str(i)], encoding) for i, encoding in enumerate(layout["encodings"])
    ]
    labels, index = [untag(name) for name in layout["columns"]], layout["index"]
    names = [untag(name) for name in index["names"]]
    rows: pd.Index
    if "range" in index:
        start, stop, step = index["range"]
        rows = pd.RangeIndex(start, stop, step, name=names[0])
    elif index["levels"] == 1:
        rows = pd.Index(columns[-1]).rename(names[0])
    else:
        rows = pd.MultiIndex.from_arrays(columns[-index["levels"] :], names=names)
    frame = pd.DataFrame(dict(enumerate(columns[: len(labels)])), index=range(len(rows)))
    return frame.set_axis(rows, axis=0).set_axis(pd.Index(labels), axis=1)


def _table_to_ipc(columns: list[pd.Series], n_rows: int) -> bytes:
    import pyarrow as pa

    frame = pd.DataFrame({str(i): column for i, column in enumerate(columns)}, index=range(n_rows))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _encode_column(column: pd.Series) -> tuple[pd.Series, str]:
    """A column that Arrow keeps, and how to turn it back: "arrow", "text" or "cells"."""
    if column.dtype == object:
        if len(column) and pd.api.types.infer_dtype(column, skipna=False) == "string":
            return column, "text"
        return _cells(column), "cells"
    if isinstance(column.dtype, np.dtype):
        return column, "arrow"
    import pyarrow as pa

    try:  # extension types: most survive, not all
        back = pa.Table.from_pandas(column.to_frame("0"), preserve_index=False).to_pandas()["0"]
        if back.dtype == column.dtype:
            return column, "arrow"
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        pass
    return _cells(column), "cells"


def _cells(column: pd.Series) -> pd.Series:
    return pd.Series([json.dumps(tag(cell), allow_nan=False) for cell in column], dtype=object)


def _decode_column(column: pd.Series, encoding: str) -> pd.Series:
    if encoding == "arrow":
        return column
    cells = list(column) if encoding == "text" else [untag(json.loads(cell)) for cell in column]
    return pd.Series(cells, dtype=object)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()

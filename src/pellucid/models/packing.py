"""Named files as one zip, for models that are kept in numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from pellucid.models.family import FamilyError

_LARGEST = 4 * 2**30  # bytes that a pack may unfold to
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes


def pack(files: Mapping[str, bytes]) -> bytes:
    """Put files in one zip; the same files give the same bytes.

    Examples
    --------
    >>> unpack(pack({"a/b.json": b"{}"}))
    {'a/b.json': b'{}'}
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Read what `pack` wrote; nothing is written to disk, so names lead nowhere.

    Raises
    ------
    FamilyError
        Bytes that are no such zip, are damaged, or unfold to more than 4 GiB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > _LARGEST:
                raise FamilyError(f"a packed model unfolds to {size} bytes; at most {_LARGEST}")
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise FamilyError(f"a packed model is damaged ({error}); copy it again") from error

"""Arrays from npy and npz bytes that may be hostile: nothing is allocated that the bytes lack."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib

import numpy as np

_KINDS = "biufSUmM"  # of dtypes: plain values, no objects, which would be pickled


def read_array(data: bytes) -> np.ndarray:
    """Read one npy file.

    Raises
    ------
    ValueError
        For bytes that are no npy file of plain values, or not as many as its header says.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> np.save(buffer, np.arange(3))
    >>> read_array(buffer.getvalue())
    array([0, 1, 2])
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an npy file of version {version}; expected 1 or 2")
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        shape, _, dtype = read(stream)
    except (SyntaxError, tokenize.TokenError) as error:  # the header is a literal
        raise ValueError(f"an npy file with a damaged header ({error})") from error
    if dtype.kind not in _KINDS or dtype.fields or dtype.subdtype:
        raise ValueError(f"an array of {dtype}; expected plain values")
    held = len(data) - stream.tell()
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"an array of shape {shape} and {dtype} in {held} bytes")
    stream.seek(0)
    return np.load(stream, allow_pickle=False)


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Read one npz file whose members are stored as they are, name -> array.

    Raises
    ------
    ValueError
        For what is no such file, or one that unfolds to more than it holds.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> np.savez(buffer, a=np.arange(3), b=np.ones(1))
    >>> sorted(read_arrays(buffer.getvalue()))
    ['a', 'b']
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_stored(archive, len(data))
            return {
                entry.filename.removesuffix(".npy"): read_array(archive.read(entry))
                for entry in archive.infolist()
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not an npz file ({error})") from error


def check_stored(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse, as a ValueError, members that are compressed, overlap, or have one name."""
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("members are compressed; expected them as they are")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("members unfold to more than the file holds")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ValueError("two members have one name")

"""Files that appear whole, and folders that disappear, on every system."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE = 2.0  # seconds for readers of the old file to be done, where they are in the way


def write_file(path: str | Path, data: bytes) -> None:
    """Write a file all at once: a reader sees the old one or the whole new one.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder) / "a.txt", b"one")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    path = Path(path)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with scratch.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def scratch_folder(inside: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards; enter it before workers that map its files.

    What Windows does not let go of stays, among the files of the system that may be removed.
    """
    with tempfile.TemporaryDirectory(
        prefix="pellucid-", dir=inside, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


def put_in_place(scratch: Path, path: Path) -> None:
    """Give a whole file its name, whatever had it before.

    Windows refuses that while somebody reads the old file, which is seldom for long.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.replace(scratch, path)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)

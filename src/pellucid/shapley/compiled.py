"""Numba's compiler with a cache that belongs to these very sources.

Numba keeps machine code beside a module and looks only at that module's own file to see whether it
is stale. A kernel that calls one of another module would then go on with the other's old code after
an upgrade, and give wrong numbers without a word. So the cache lies in a folder named by a digest
of all sources here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config

_HOME = Path(__file__).parent
_NAME = "numba-"


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function when it is first called, without the GIL, kept on disk.

    Used as ``@kernel`` or with options of Numba's, as ``@kernel(inline="always")``.
    """

    def compile_later(plain: Callable[..., Any]) -> Any:
        with _cache_here():
            return njit(cache=True, nogil=True, **options)(plain)

    return compile_later if function is None else compile_later(function)


def digest_of(folder: Path) -> str:
    """A digest of the names and contents of a folder's Python files, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def _folder() -> Path:
    """Where machine code is kept: where NUMBA_CACHE_DIR says, beside the sources, or at home."""
    name = _NAME + digest_of(_HOME)
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / name
    beside = _HOME / "__pycache__"
    if _is_writable(beside):
        for other in beside.glob(f"{_NAME}*"):  # of sources that are no more
            if other.name != name:
                shutil.rmtree(other, ignore_errors=True)
        return beside / name
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    at_home = Path(home) / "pellucid"
    return (at_home if _is_writable(at_home) else Path(tempfile.gettempdir()) / "pellucid") / name


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@contextmanager
def _cache_here() -> Iterator[None]:
    """Numba picks a function's cache when it is decorated; what others decorate is left alone."""
    before, config.CACHE_DIR = config.CACHE_DIR, str(_folder())
    try:
        yield
    finally:
        config.CACHE_DIR = before

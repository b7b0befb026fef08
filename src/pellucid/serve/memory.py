"""Memory that is given back when a model is let go of.

glibc keeps what was freed for later, and after the first large array is freed it takes arrays of up
to 32 MB from that too. Tables are of that size, so that each change of a model left a service with
100 MB more. Large arrays are therefore mapped one by one, which are given back whole.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import cache
from typing import Any

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
_LARGE = 4 * 2**20  # bytes; what a batch of rows needs is smaller


@cache
def _glibc() -> Any:
    """The C library, where it is one that has these two functions."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def map_large_arrays() -> None:
    """Have large arrays mapped, whatever was freed before; where there is no glibc, do nothing."""
    if _glibc() is not None:
        _glibc().mallopt(_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Collect what is no longer used, and give its memory back."""
    gc.collect()
    if _glibc() is not None:
        _glibc().malloc_trim(0)

"""What every error and warning of Pellucid derives from."""

import zipfile
import zlib


class PellucidError(Exception):
    """A problem the caller can act on: the message names it, what was expected, what to do."""


class PellucidWarning(UserWarning):
    """Something unusual in the data or the search that the caller may want to act on."""


# what reading bytes that hold something else raises in Python, NumPy, Arrow and zipfile
UNREADABLE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RecursionError, TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip

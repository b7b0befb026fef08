"""What has no meaning here is said once, and goes on."""

from __future__ import annotations

import sys
import warnings

from pellucid.errors import PellucidWarning

_said: set[str] = set()


class NoMeaningWarning(PellucidWarning):
    """Something that the old SDK took, and that changes nothing on this machine."""


def note_once(message: str) -> None:
    """Warn, the first time."""
    if message not in _said:
        _said.add(message)
        warnings.warn(message, NoMeaningWarning, stacklevel=_level())


def _level() -> int:
    """How far up the script's own line is, seen from `note_once`."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("pellucid."):
        frame, level = frame.f_back, level + 1
    return level

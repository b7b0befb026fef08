"""What has no meaning here is said once, and goes on."""

from __future__ import annotations

import warnings

from pellucid.errors import PellucidWarning

_said: set[str] = set()


class NoMeaningWarning(PellucidWarning):
    """Something that the old SDK took, and that changes nothing on this machine."""


def note_once(message: str) -> None:
    """Warn, the first time."""
    if message not in _said:
        _said.add(message)
        warnings.warn(message, NoMeaningWarning, stacklevel=3)

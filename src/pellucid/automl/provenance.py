"""Where a run comes from: its data column by column, its packages, its machine, its command."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_INSTALLED = re.compile(r"(.+?)-([^-]+)\.dist-info")
_PASSWORD = re.compile(r"(://)[^/@\s]*@|((?:key|token|secret|password)[= ])\S+", re.IGNORECASE)


def provenance(columns: Mapping[str, str]) -> dict[str, Any]:
    """The facts that tell two runs apart beside their options, as plain values.

    Parameters
    ----------
    columns : column name -> fingerprint of its cells and type.
    """
    return {
        "columns": dict(columns),
        "packages": packages(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "command": command(sys.argv),
    }


def packages() -> dict[str, str]:
    """Every distribution that is installed, name -> version; told by the names of folders.

    Examples
    --------
    >>> "numpy" in packages()
    True
    """
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = [each.name for each in Path(place).glob("*.dist-info")]
        except OSError:
            continue
        for name in names:
            told = _INSTALLED.fullmatch(name)
            if told:  # what stands first on the path is what is imported
                found.setdefault(told[1].lower().replace("_", "-"), told[2])
    return dict(sorted(found.items()))


def command(words: list[str]) -> str:
    """A command as it was typed, without the secrets that addresses and options hold.

    Examples
    --------
    >>> command(["/usr/bin/pellucid", "train", "a b.csv", "--store", "https://me:pw@host/x"])
    "pellucid train 'a b.csv' --store https://***@host/x"
    """
    typed = shlex.join([Path(words[0]).name, *words[1:]]) if words else ""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***{'@' if found[1] else ''}", typed)

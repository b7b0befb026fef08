"""What runs on a worker of a cluster: it receives the data once, then trials over it.

A worker shares no disk and no clock with the caller. The data comes as bytes and is kept in a
folder of the worker's own; a deadline comes as the seconds that are left; members go back as bytes.
"""

from __future__ import annotations

import inspect
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pellucid.search.trials import FOLDERS, DataRef
from pellucid.search.versions import versions
from pellucid.search.workers import load_libraries


@dataclass(frozen=True)
class Order:
    """A task as it is sent.

    args : of the function, without the data and the deadline where it has one.
    left : seconds until the deadline, None without one.
    """

    function: Callable[..., Any]
    args: Mapping[str, Any]
    left: float | None

    @classmethod
    def of(cls, function: Callable[..., Any], args: tuple[Any, ...]) -> Order:
        """The call ``function(*args)``, to be made on another clock."""
        given = dict(inspect.signature(function).bind(*args).arguments)
        deadline = given.pop("deadline", None)
        left = None if deadline is None else deadline - time.monotonic()
        return cls(function, given, left)


def packed_data(data: DataRef) -> dict[str, bytes]:
    """The arrays of a folder, by name."""
    return {path.name: path.read_bytes() for path in Path(data.folder).glob("*.npy")}


def receive(files: Mapping[str, bytes], name: str) -> str:
    """Keep arrays on this worker's disk; gives the folder."""
    home = Path(_local_directory()) / f"pellucid-{name}"
    if not home.exists():
        scratch = Path(tempfile.mkdtemp(dir=home.parent))
        for file, content in files.items():
            (scratch / file).write_bytes(content)
        for folder in FOLDERS:
            (scratch / folder).mkdir()
        os.replace(scratch, home)
    return str(home)


def carry_out(order: Order, folder: str) -> tuple[Any, dict[str, bytes]]:
    """Do a task over the data in a folder; gives its answer, and the files that it left."""
    args = {
        name: replace(value, folder=folder) if isinstance(value, DataRef) else value
        for name, value in order.args.items()
    }
    if "deadline" in inspect.signature(order.function).parameters:
        args["deadline"] = None if order.left is None else time.monotonic() + order.left
    found = order.function(**args)
    left: dict[str, bytes] = {}
    for inside in FOLDERS:
        for path in (Path(folder) / inside).glob("*.zip"):
            left[f"{inside}/{path.name}"] = path.read_bytes()
            path.unlink()
    return found, left


def introduce() -> dict[str, str]:
    """The versions of this worker, its libraries loaded."""
    load_libraries()
    return versions()


def _local_directory() -> str:
    from distributed import get_worker

    return str(get_worker().local_directory)

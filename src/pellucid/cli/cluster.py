"""`--cluster`: run what follows on a Dask cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from pellucid.cli.errors import CommandError
from pellucid.cli.streaming import is_folder
from pellucid.search.cluster import cluster


def on_cluster(address: str | None) -> AbstractContextManager[Any]:
    """The cluster at an address; without one, this machine."""
    return nullcontext() if address is None else cluster(address)


def check_folder(address: str | None, output: Path | None) -> None:
    """Hold a cluster to an output that its workers can write file by file.

    Raises
    ------
    CommandError
        An output that is one file, or none.
    """
    if address is not None and (output is None or not is_folder(output)):
        raise CommandError("--cluster needs an output that is a folder, on a disk that workers see")

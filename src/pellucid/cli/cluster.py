"""`--cluster`: run what follows on a Dask cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pellucid.search.cluster import cluster


def on_cluster(address: str | None) -> AbstractContextManager[Any]:
    """The cluster at an address; without one, this machine."""
    return nullcontext() if address is None else cluster(address)

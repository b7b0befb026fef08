"""Where trials run: on this machine, or on the Dask cluster that surrounds the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pellucid.search.cluster_workers import ClusterError, ClusterWorkers
from pellucid.search.workers import Pool, Workers

_CONNECT = 15.0  # seconds to reach a scheduler
_CLIENT: ContextVar[Any] = ContextVar("pellucid-cluster", default=None)


@contextmanager
def cluster(address: Any) -> Iterator[Any]:
    """Run what is inside on a Dask cluster: trials, refits, and explanations of Dask's tables.

    Parameters
    ----------
    address : str or distributed.Client
        Of the scheduler, such as ``"tcp://scheduler:8786"``. Start its workers with one thread
        each: ``dask worker tcp://scheduler:8786 --nworkers auto --nthreads 1``.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ClusterError
        Dask is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(
            "a cluster needs Dask, which is not installed: pip install 'pellucid[cluster]'"
        ) from error
    own = None
    if not isinstance(address, Client):
        try:
            own = Client(address, timeout=_CONNECT)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"no scheduler answers at {address}: {error}; is it running, and reachable from "
                f"here?"
            ) from error
    token = _CLIENT.set(own or address)
    try:
        yield own or address
    finally:
        _CLIENT.reset(token)
        if own is not None:
            own.close()


def current_client() -> Any:
    """The client of the cluster that surrounds the caller, or None."""
    return _CLIENT.get()


def open_workers(n_jobs: int | None = None) -> Pool:
    """The workers of the surrounding cluster, or ``n_jobs`` of this machine."""
    client = current_client()
    return Workers(n_jobs) if client is None else ClusterWorkers(client)


@contextmanager
def on_this_machine(workers: Pool, n_jobs: int | None) -> Iterator[Pool]:
    """Workers that see this machine's disk: those that there are, or others for a while."""
    if isinstance(workers, Workers):
        yield workers
        return
    with Workers(n_jobs) as local:
        yield local

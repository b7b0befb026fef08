"""Where trials run: on this machine, or on the Dask cluster that surrounds the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Literal, get_args

from pellucid.models.memory import available_memory
from pellucid.search.cluster_workers import ClusterError, ClusterWorkers
from pellucid.search.workers import Pool, Workers

Learn = Literal["auto", "together", "here"]
_CONNECT = 15.0  # seconds to reach a scheduler
_BESIDE = 40  # bytes that a fit holds of each row, beside one of each cell
_HELD = 0.5  # of this machine's free memory, above which a fit goes to the workers
_CLIENT: ContextVar[Any] = ContextVar("pellucid-cluster", default=None)
_LEARN: ContextVar[Learn] = ContextVar("pellucid-cluster-learn", default="auto")


@contextmanager
def cluster(address: Any, *, learn: Learn = "auto") -> Iterator[Any]:
    """Run what is inside on a Dask cluster: trials, refits, and explanations of Dask's tables.

    Parameters
    ----------
    address : str or distributed.Client
        Of the scheduler, such as ``"tcp://scheduler:8786"``. Start its workers with one thread
        each: ``dask worker tcp://scheduler:8786 --nworkers auto --nthreads 1``.
    learn : "auto", "together" or "here"
        Where members learn from all rows of a folder or a Dask DataFrame: the workers together,
        each from its share, or this machine. By itself, together where memory is short for it
        here, and always for a Dask DataFrame.

    Yields
    ------
    distributed.Client

    Raises
    ------
    ClusterError
        Dask is not installed, nobody answers at the address, or a place to learn that is none.
    """
    if learn not in get_args(Learn):
        raise ClusterError(
            f"learn must be one of {', '.join(map(repr, get_args(Learn)))}, not {learn!r}"
        )
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
    tokens = _CLIENT.set(own or address), _LEARN.set(learn)
    try:
        yield own or address
    finally:
        _CLIENT.reset(tokens[0])
        _LEARN.reset(tokens[1])
        if own is not None:
            own.close()


def current_client() -> Any:
    """The client of the cluster that surrounds the caller, or None."""
    return _CLIENT.get()


@contextmanager
def computing() -> Iterator[None]:
    """Have what Dask computes inside computed by the surrounding cluster, if there is one."""
    client = current_client()
    with nullcontext() if client is None else client.as_current():
        yield


def learning_client(n_rows: int, n_columns: int, *, there: bool = False) -> Any:
    """The client whose workers are to learn together from so many engineered rows, or None.

    ``there`` : the workers have the rows already, so that none need come here.
    """
    client, learn = current_client(), _LEARN.get()
    if client is None or learn == "here":
        return None
    if there:
        return client
    free = available_memory()
    held = n_rows * (n_columns + _BESIDE)
    short = free is not None and held > _HELD * free and len(client.nthreads()) > 1
    return client if learn == "together" or short else None


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

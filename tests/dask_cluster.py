"""A cluster of this machine for tests."""

from contextlib import contextmanager


@contextmanager
def two_workers(*, set_as_default):
    """The client of two worker processes of one thread, each with a nanny that starts it anew."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as local,
        distributed.Client(local, set_as_default=set_as_default) as client,
    ):
        yield client

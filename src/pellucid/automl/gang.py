"""The workers of a cluster that do one thing together, each its part at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pellucid.errors import PellucidError
from pellucid.search.remote import introduce
from pellucid.search.versions import other_versions, versions

LATE = "there was no time to learn from all rows"
_POLL = 0.2
_GATHER = 60.0  # seconds that an answer may take to come
_RESTART = 60.0  # seconds that workers may take to start anew


class BrokenError(Exception):
    """The workers cannot go on together."""


@dataclass(eq=False)
class Gang:
    """Workers of the caller's versions; when one is lost or fails, all are.

    end : by this machine's `time.monotonic`.
    """

    client: Any
    end: float | None

    def __post_init__(self) -> None:
        told = self.client.run(introduce, on_error="ignore")  # those of other versions stay out
        own = versions()
        self.addresses = sorted(at for at in told if not other_versions(told[at], own))
        if not self.addresses:
            raise BrokenError("the cluster has no worker that fits")

    def keep(self, places: Sequence[int]) -> None:
        """Go on with some of the workers."""
        self.addresses = [self.addresses[i] for i in places]

    def run(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], *, tell: bool = False
    ) -> list[Any]:
        """One call on each worker, all at once; ``tell`` as in `watch`."""
        running = [
            self.client.submit(
                function, *call, workers=[address], allow_other_workers=False, pure=False
            )
            for call, address in zip(calls, self.addresses)
        ]
        return self.watch(running, tell=tell)

    def watch(self, running: list[Any], *, tell: bool = False) -> list[Any]:
        """What Dask's futures give; a worker that is lost, or a failure, ends them all.

        Raises
        ------
        BrokenError
            They were ended.
        PellucidError
            What a task raised, where it is to ``tell``.
        """
        while True:
            failed = next((each for each in running if each.status == "error"), None)
            if failed is not None:
                error = failed.exception()
                if tell and isinstance(error, PellucidError):
                    self.client.cancel(running)
                    raise error
                self._break(running, f"{type(error).__name__}: {error}")
            if all(each.status == "finished" for each in running):
                try:
                    return [each.result(timeout=_GATHER) for each in running]
                except TimeoutError:
                    self._break(running, "a worker went before its answer came")
            if self.end is not None and time.monotonic() > self.end:
                self._break(running, LATE)
            there = self.client.nthreads()  # scheduler_info may come without workers
            gone = [address for address in self.addresses if address not in there]
            if gone or any(each.status in ("cancelled", "lost") for each in running):
                self._break(running, f"worker {', '.join(gone)} is gone")
            time.sleep(_POLL)

    def _break(self, running: list[Any], why: str) -> NoReturn:
        """Start anew who may be waiting for one that does not answer."""
        self.client.cancel(running)
        there = set(self.client.nthreads())
        busy = [address for address in self.addresses if address in there]
        self.client.restart_workers(busy, timeout=_RESTART, raise_for_error=False)
        raise BrokenError(why)

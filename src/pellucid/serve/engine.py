"""One request's rows through the model: inline when few, in a thread when many, never too long."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from pellucid.models.ensemble import available_cores
from pellucid.serve.errors import RequestError, too_late
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.metrics import Metrics
from pellucid.serve.options import Options
from pellucid.serve.scores import Scores
from pellucid.serve.settings import Limits

_INLINE = 4  # rows that cost less than to hand them to a thread


class Engine:
    """Scores requests within limits.

    Parameters
    ----------
    limits : Limits
    metrics : Metrics
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self._pool = ThreadPoolExecutor(available_cores(), thread_name_prefix="pellucid-score")
        self._batches, self._lock = 0, threading.Lock()  # that wait or are scored

    async def score(
        self, served: Served, asked: Asked, options: Options, *, arrived: float | None = None
    ) -> Scores:
        """Score rows.

        Parameters
        ----------
        arrived : float, optional
            When the request did, by `time.perf_counter`; its time counts from then.

        Raises
        ------
        RequestError
            Too many rows (413), rows that do not fit, no answer in time, or too many batches (503).
        """
        if asked.n_rows > self._limits.rows:
            raise RequestError(
                f"{asked.n_rows} rows are more than {self._limits.rows}; send fewer at a time",
                code="too_many_rows",
                status=413,
            )
        begun = time.perf_counter() if arrived is None else arrived
        end = begun + self._limits.seconds
        left = end - time.perf_counter()
        if left <= 0.0:
            raise too_late()
        until = None if options.deadline is None else begun + options.deadline
        if asked.n_rows <= _INLINE and options.space == "margin":
            scores = _score(served, asked, options, until, end)
        else:
            if self._batches >= self._limits.batches:
                raise RequestError(
                    "too many batches wait; ask again in a second", code="busy", status=503
                )
            with self._lock:
                self._batches += 1
            work = self._pool.submit(_score, served, asked, options, until, end)
            work.add_done_callback(self._count_down)
            try:
                scores = await asyncio.wait_for(asyncio.wrap_future(work), left)
            except TimeoutError:
                raise too_late() from None
        explained = len(scores) if scores.explained is None else int(scores.explained.sum())
        self._metrics.count_rows(len(scores), explained if scores.levels else 0)
        return scores

    def _count_down(self, _: Future[Scores]) -> None:
        with self._lock:
            self._batches -= 1

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _score(
    served: Served, asked: Asked, options: Options, until: float | None, end: float
) -> Scores:
    if options.space != "margin" and options.explain:
        from pellucid.serve.spaces import score_in_space

        return score_in_space(served.scorer, asked, options, until=until, end=end)
    return served.scorer.score(
        asked.rows,
        explain=options.explain,
        policy=options.policy,
        checked=asked.checked,
        above=options.above,
        until=until,
    )

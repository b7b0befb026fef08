"""One request's rows through the model: inline when few, in a thread when many, never too long."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.models.ensemble import available_cores
from pellucid.serve.errors import RequestError
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.metrics import Metrics
from pellucid.serve.options import Options
from pellucid.serve.scores import Importances, Scores, among, left_out, row_scores
from pellucid.serve.settings import Limits

_INLINE = 4  # rows that cost less than to hand them to a thread
_SAMPLED = 100  # rows whose importances are sampled, for spaces that have no closed form


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
        left = self._limits.seconds - (time.perf_counter() - begun)
        if left <= 0.0:
            raise _late(self._limits.seconds)
        until = None if options.deadline is None else begun + options.deadline
        if asked.n_rows <= _INLINE and options.space == "margin":
            scores = _score(served, asked, options, until)
        else:
            if self._batches >= self._limits.batches:
                raise RequestError(
                    "too many batches wait; ask again in a second", code="busy", status=503
                )
            with self._lock:
                self._batches += 1
            work = self._pool.submit(_score, served, asked, options, until)
            work.add_done_callback(self._count_down)
            try:
                scores = await asyncio.wait_for(asyncio.wrap_future(work), left)
            except TimeoutError:
                raise _late(self._limits.seconds) from None
        explained = len(scores) if scores.explained is None else int(scores.explained.sum())
        self._metrics.count_rows(len(scores), explained if scores.levels else 0)
        return scores

    def _count_down(self, _: Future[Scores]) -> None:
        with self._lock:
            self._batches -= 1

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _late(seconds: float) -> RequestError:
    return RequestError(
        f"there was no answer within {seconds:g} s; send fewer rows", code="deadline", status=503
    )


def _score(served: Served, asked: Asked, options: Options, until: float | None) -> Scores:
    if options.space != "margin" and options.explain:
        return _score_in_space(served, asked, options, until)
    return served.scorer.score(
        asked.rows,
        explain=options.explain,
        policy=options.policy,
        checked=asked.checked,
        above=options.above,
        until=until,
    )


def _score_in_space(served: Served, asked: Asked, options: Options, until: float | None) -> Scores:
    """Importances behind the link, which are sampled unless players are few."""
    from pellucid.explain.explainer import explain

    if asked.n_rows > _SAMPLED:
        raise RequestError(
            f"importances in {options.space} space are sampled, of at most {_SAMPLED} rows a "
            f"request; send fewer, or ask for space=margin",
            code="too_many_rows",
            status=413,
        )
    scorer = served.scorer
    plain = scorer.score(asked.rows, explain=(), policy=options.policy, checked=asked.checked)
    table = scorer.table(asked.rows)
    told = np.ones(len(plain), dtype=bool)
    if options.above is not None:
        told = row_scores(plain.predictions, plain.probabilities) >= options.above
    levels, notes = {}, plain.notes
    if not told.any():
        notes = (*notes, "no row's score is as high as explain_above: none is explained")
        return replace(plain, notes=notes, explained=told)
    for level in options.explain:
        if until is not None and time.perf_counter() >= until:
            notes = (*notes, left_out(level))
            continue
        try:
            found = explain(scorer.predictor, table[told], players=level, space=options.space)
        except ExplanationError as error:
            raise RequestError(
                f"space={options.space} is not possible: {error}", code="bad_option"
            ) from error
        levels[level] = _importances(found, told)
    explained = None if options.above is None else told
    return replace(plain, levels=levels, notes=notes, explained=explained)


def _importances(found: Explanation, told: np.ndarray) -> Importances:
    """What was found of the rows that were told, among all rows."""

    def among_all(column: pd.Series) -> np.ndarray:
        cells = np.full(len(told), None, dtype=object)
        cells[told] = column.to_numpy()
        return cells

    certificate: Any = found.certificate
    return Importances(
        values=among(found.values, told),
        base_values=found.base_values,
        names=found.feature_names,
        cells=[among_all(found.data.iloc[:, k]) for k in range(found.n_features)],
        error=float(certificate.additivity_error),
        space=found.space,
        method=found.method,
        standard_error=None
        if found.standard_errors is None
        else float(np.max(found.standard_errors, initial=0.0)),
    )

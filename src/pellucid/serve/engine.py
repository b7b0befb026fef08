"""One request's rows through the model: inline when few, in a thread when many, never too long."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pellucid.explain.explanation import Explanation, ExplanationError
from pellucid.models.ensemble import available_cores
from pellucid.serve.errors import RequestError
from pellucid.serve.formats import Asked
from pellucid.serve.holder import Served
from pellucid.serve.metrics import Metrics
from pellucid.serve.options import Options
from pellucid.serve.scorer import Importances, Scores
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

    async def score(self, served: Served, asked: Asked, options: Options) -> Scores:
        """Score rows.

        Raises
        ------
        RequestError
            Too many rows (413), rows that do not fit, or a deadline that passed (503).
        """
        if asked.n_rows > self._limits.rows:
            raise RequestError(
                f"{asked.n_rows} rows are more than {self._limits.rows}; send fewer at a time",
                code="too_many_rows",
                status=413,
            )
        if asked.n_rows <= _INLINE and options.space == "margin":
            scores = _score(served, asked, options)
        else:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(self._pool, _score, served, asked, options)
            try:
                scores = await asyncio.wait_for(work, self._limits.seconds)
            except TimeoutError:
                raise RequestError(
                    f"there was no answer within {self._limits.seconds:g} s; send fewer rows",
                    code="deadline",
                    status=503,
                ) from None
        self._metrics.count_rows(len(scores), explained=bool(scores.levels))
        return scores

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _score(served: Served, asked: Asked, options: Options) -> Scores:
    if options.space != "margin" and options.explain:
        return _score_in_space(served, asked, options)
    return served.scorer.score(
        asked.rows, explain=options.explain, policy=options.policy, checked=asked.checked
    )


def _score_in_space(served: Served, asked: Asked, options: Options) -> Scores:
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
    levels = {}
    for level in options.explain:
        try:
            found = explain(scorer.predictor, table, players=level, space=options.space)
        except ExplanationError as error:
            raise RequestError(
                f"space={options.space} is not possible: {error}", code="bad_option"
            ) from error
        levels[level] = _importances(found)
    return Scores(plain.predictions, plain.probabilities, plain.margins, levels, plain.notes)


def _importances(found: Explanation) -> Importances:
    certificate: Any = found.certificate
    return Importances(
        values=found.values,
        base_values=found.base_values,
        names=found.feature_names,
        cells=[found.data.iloc[:, k].to_numpy() for k in range(found.n_features)],
        error=float(certificate.additivity_error),
        space=found.space,
        method=found.method,
        standard_error=None
        if found.standard_errors is None
        else float(np.max(found.standard_errors, initial=0.0)),
    )

"""Importances behind the link, in probability or response space.

There they have no closed form: they are sampled, unless players are few. A row costs thousands of
predictions instead of a look-up, so a request may ask for so many and no more, and rows are
explained one by one, between which the time is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.explain.explainer import explain
from pellucid.explain.explanation import Explanation, ExplanationError, Level
from pellucid.explain.games import most_predictions
from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import RequestError, too_late
from pellucid.serve.formats import Asked
from pellucid.serve.options import Options
from pellucid.serve.scorer import Scorer
from pellucid.serve.scores import Importances, Scores, among, left_out, row_scores

MOST = 2**21  # predictions of a request: some seconds, for four hundred trees


def score_in_space(
    scorer: Scorer, asked: Asked, options: Options, *, until: float | None, end: float
) -> Scores:
    """Predict rows, and explain them in the space that is asked for.

    Parameters
    ----------
    until : float or None
        When no more rows are begun, by `time.perf_counter`; the level is left out then.
    end : float
        The same for the whole request, which is refused then.

    Raises
    ------
    RequestError
        Too many rows for these importances (413), a space that there is not (400), or no end in
        time (503).
    """
    plain = scorer.score(asked.rows, explain=(), policy=options.policy, checked=asked.checked)
    told = np.ones(len(plain), dtype=bool)
    if options.above is not None:
        told = row_scores(plain.predictions, plain.probabilities) >= options.above
    explained, notes = None if options.above is None else told, plain.notes
    if not told.any():
        if explained is not None:
            notes = (*notes, "no row's score is as high as explain_above: none is explained")
        return replace(plain, notes=notes, explained=explained)
    _check_cost(scorer, options, int(told.sum()))
    table, levels = scorer.table(asked.rows), {}
    chosen = np.flatnonzero(told)
    alone = type(scorer.predictor) is Predictor  # a forecast's rows belong together
    for level in options.explain:
        parts = []
        for rows in np.split(chosen, len(chosen)) if alone else [chosen]:
            now = time.perf_counter()
            if now >= end:
                raise too_late()
            if until is not None and now >= until:
                notes = (*notes, left_out(level))
                break
            parts.append(_explain(scorer, table.iloc[rows], level, options))
        else:
            levels[level] = _together(parts, told)
    return replace(plain, levels=levels, notes=notes, explained=explained)


def _check_cost(scorer: Scorer, options: Options, n_rows: int) -> None:
    predictor = scorer.predictor
    each = sum(
        most_predictions(len(predictor.names_of(level)), len(predictor.background))
        for level in options.explain
    )
    most = max(1, MOST // each)  # one row is always answered
    if n_rows > most:
        raise RequestError(
            f"importances in {options.space} space are sampled, and of this model take up to "
            f"{each:,} predictions a row: send at most {most} rows a request, or ask for fewer "
            f"levels by explain, for the highest scores by explain_above, or for space=margin",
            code="too_many_rows",
            status=413,
        )


def _explain(scorer: Scorer, rows: Any, level: Level, options: Options) -> Explanation:
    try:
        return explain(scorer.ground, rows, players=level, space=options.space)
    except ExplanationError as error:
        raise RequestError(
            f"space={options.space} is not possible: {error}", code="bad_option"
        ) from error


def _together(parts: Sequence[Explanation], told: np.ndarray) -> Importances:
    """What was found of the rows that were told, among all rows."""
    cells = []
    for k in range(parts[0].n_features):
        column = np.full(len(told), None, dtype=object)
        column[told] = np.concatenate([part.data.iloc[:, k].astype(object) for part in parts])
        cells.append(column)
    certificates: list[Any] = [part.certificate for part in parts]
    errors = [part.standard_errors for part in parts if part.standard_errors is not None]
    sampled = next((part.method for part in parts if part.method != "exact"), "exact")
    return Importances(
        values=among(np.concatenate([part.values for part in parts]), told),
        base_values=parts[0].base_values,
        names=parts[0].feature_names,
        cells=cells,
        error=max(float(certificate.additivity_error) for certificate in certificates),
        space=parts[0].space,
        method=sampled,
        standard_error=max(map(np.max, errors)).item() if errors else None,
    )

"""The reader's own cohorts, kept with the run that they are of."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from pellucid.store.cohorts import (
    NamedCohort,
    drop_cohort,
    named_cohort,
    read_cohorts,
    save_cohort,
)
from pellucid.store.run import Run
from pellucid.view.studio.library import Library, StudioError
from pellucid.view.studio.totals import cohort_totals

_changing = threading.Lock()  # one page after the other


def kept_cohorts(run: Run) -> list[dict[str, Any]]:
    """The cohorts of a run as a page takes them."""
    return [_plain(each) for each in read_cohorts(run)]


def change_cohorts(library: Library, run: Run, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Keep a cohort, or one no longer; gives all that are then kept.

    Parameters
    ----------
    asked : mapping
        ``{"save": cohort}`` or ``{"drop": name}``.

    Raises
    ------
    StudioError, CohortError
        For anything else, and rows that the explanation does not have.
    """
    with _changing:
        if isinstance(asked.get("drop"), str):
            return [_plain(each) for each in drop_cohort(run, asked["drop"])]
        if "save" not in asked:
            raise StudioError('expected {"save": cohort} or {"drop": name}')
        cohort = named_cohort(asked["save"])
        n_rows = library.explanation(run).n_rows
        if cohort.rows is not None and cohort.rows[-1] >= n_rows:
            raise StudioError(
                f"cohort {cohort.name!r} names row {cohort.rows[-1]}; run {run.id} explains "
                f"{n_rows} rows, from 0"
            )
        return [_plain(each) for each in save_cohort(run, cohort)]


def told_cohort(library: Library, run: Run, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Sums, counts and figures over all rows of a cohort, of those that a page does not hold too.

    Parameters
    ----------
    asked : mapping
        ``{"cohort": cohort or the name of one that every page offers, "output": position}``;
        ``"others"``: whether all other rows are meant.
    """
    explanation, output = library.explanation(run), asked.get("output", 0)
    if type(output) is not int or not 0 <= output < explanation.n_outputs:
        raise StudioError(f"output is {output!r:.40}; run {run.id} has {explanation.n_outputs}")
    given = asked.get("cohort")
    cohort = given if isinstance(given, str) else named_cohort(given)
    return cohort_totals(explanation, cohort, output, others=asked.get("others") is True)


def _plain(cohort: NamedCohort) -> dict[str, Any]:
    what = {"where": cohort.where} if cohort.rows is None else {"rows": list(cohort.rows)}
    return {"name": cohort.name, **what}

"""Named cohorts of a run's explained rows, kept with the run.

Artefacts are written once, so each change writes the whole list as the next folder of ``cohorts/``:
who reads sees one list or the next, and of two who write at once in a folder's store the second
starts again from what the first has written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidError
from pellucid.store.artifacts import ArtifactError, load_files

if TYPE_CHECKING:
    from pellucid.store.run import Run

COHORTS = "cohorts"  # the folder of a run's artefacts
_FILE = "cohorts.json"
_MOST = 200  # cohorts of a run
_LONGEST_NAME, _LONGEST_QUERY, _MOST_ROWS = 80, 2000, 1_000_000
_TRIES = 5


class CohortError(PellucidError):
    """A cohort that cannot be kept."""


@dataclass(frozen=True)
class NamedCohort:
    """Rows of a run's explanation by a condition or by their positions, with a name.

    Attributes
    ----------
    name : str
    where : str or None
        A condition as `pellucid.explain.conditions` reads it.
    rows : tuple of int, or None
        Positions among the explained rows, ascending.
    """

    name: str
    where: str | None = None
    rows: tuple[int, ...] | None = None


def named_cohort(given: Any) -> NamedCohort:
    """A cohort from plain values, checked.

    Raises
    ------
    CohortError
        For what is none, with what was expected.

    Examples
    --------
    >>> named_cohort({"name": "young", "where": "age < 30"})
    NamedCohort(name='young', where='age < 30', rows=None)
    """
    if not isinstance(given, dict):
        raise CohortError('a cohort is {"name": ..., "where": ...} or {"name": ..., "rows": [...]}')
    name, where, rows = given.get("name"), given.get("where"), given.get("rows")
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        raise CohortError(f"a cohort's name has 1 to {_LONGEST_NAME} characters, not {name!r:.100}")
    if (where is None) == (rows is None):
        raise CohortError(f"cohort {name!r} needs either a condition or rows")
    if where is not None:
        if (
            not isinstance(where, str)
            or not 1 <= len(where.strip()) <= len(where) <= _LONGEST_QUERY
        ):
            raise CohortError(f"the condition of {name!r} has 1 to {_LONGEST_QUERY} characters")
        return NamedCohort(name, where=where)
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_ROWS:
        raise CohortError(f"the rows of {name!r} are a list of 1 to {_MOST_ROWS} positions")
    if any(type(row) is not int or row < 0 for row in rows):
        raise CohortError(f"the rows of {name!r} are positions from 0")
    return NamedCohort(name, rows=tuple(sorted(set(rows))))


def read_cohorts(run: Run) -> list[NamedCohort]:
    """The cohorts that are kept with a run, in the order in which they were made."""
    return _read(run, _latest(run))


def save_cohort(run: Run, cohort: NamedCohort) -> list[NamedCohort]:
    """Keep a cohort with a run, in place of one of its name; gives all that are then kept.

    Raises
    ------
    CohortError, StoreError
        If the run has too many, or the store cannot be written.
    """
    return _change(run, cohort.name, cohort)


def drop_cohort(run: Run, name: str) -> list[NamedCohort]:
    """Keep a cohort no longer; gives those that are."""
    return _change(run, name, None)


def _change(run: Run, name: str, cohort: NamedCohort | None) -> list[NamedCohort]:
    from pellucid.store.writer import write_folders

    for attempt in range(_TRIES):
        latest = _latest(run)
        kept = [each for each in _read(run, latest) if each.name != name]
        kept += [] if cohort is None else [cohort]
        if len(kept) > _MOST:
            raise CohortError(f"run {run.id} has {_MOST} cohorts already; delete one of them")
        content = json.dumps([asdict(each) for each in kept]).encode()
        try:
            write_folders(run.store.tracking, run.id, {f"{COHORTS}/{latest + 1}": {_FILE: content}})
            return kept
        except ArtifactError:  # another was quicker, or the disk is full
            if attempt == _TRIES - 1 or _latest(run) == latest:
                raise
    raise AssertionError("unreachable")


def _read(run: Run, number: int) -> list[NamedCohort]:
    if number == 0:
        return []
    with run.store.files(run.id, f"{COHORTS}/{number}") as folder:
        content = load_files(folder)
    try:
        return [named_cohort(each) for each in json.loads(content[_FILE])]
    except (KeyError, ValueError, RecursionError, TypeError) as error:
        raise CohortError(f"the cohorts of run {run.id} cannot be read: {error}") from error


def _latest(run: Run) -> int:
    return max(run.store.numbered(run.id, COHORTS), default=0)

"""Cohorts kept with a run: read back, replaced, dropped, and safe from writers at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pellucid.store.cohorts import (
    CohortError,
    NamedCohort,
    drop_cohort,
    named_cohort,
    read_cohorts,
    save_cohort,
)
from pellucid.store.runs import Store


@pytest.fixture
def run(tmp_path):
    store = Store(tmp_path)
    writer = store.begin(name="one", params={})
    yield store.load(writer.id)
    writer.fail("no results are needed")


def test_cohorts_are_kept_replaced_and_dropped(run):
    assert read_cohorts(run) == []
    save_cohort(run, NamedCohort("young", where="age < 30"))
    save_cohort(run, NamedCohort("drawn", rows=(1, 5)))
    save_cohort(run, NamedCohort("young", where="age < 20"))
    assert read_cohorts(run.store.load(run.id)) == [
        NamedCohort("drawn", rows=(1, 5)),
        NamedCohort("young", where="age < 20"),
    ]
    assert drop_cohort(run, "drawn") == read_cohorts(run)
    assert [each.name for each in read_cohorts(run)] == ["young"]


def test_of_writers_at_once_none_is_lost(run):
    names = [f"cohort {i}" for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: save_cohort(run, NamedCohort(name, where="a < 1")), names))
    assert {each.name for each in read_cohorts(run)} == set(names)


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"name": "", "where": "a < 1"},
        {"name": "a" * 81, "where": "a < 1"},
        {"name": "both", "where": "a < 1", "rows": [1]},
        {"name": "neither"},
        {"name": "long", "where": "a" * 2001},
        {"name": "none", "rows": []},
        {"name": "odd", "rows": [1, True]},
        {"name": "below", "rows": [-1]},
    ],
    ids=["list", "nameless", "long name", "both", "neither", "long", "no rows", "truth", "below"],
)
def test_what_is_no_cohort_is_refused(given):
    with pytest.raises(CohortError):
        named_cohort(given)

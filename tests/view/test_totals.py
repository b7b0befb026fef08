"""Totals over all rows of a cohort: conditions mean what they mean in the page."""

import numpy as np
import pytest
from tests.view.test_odd import made

from pellucid.explain.conditions import ConditionError
from pellucid.store.cohorts import NamedCohort
from pellucid.view.studio.totals import cohort_totals


@pytest.fixture(scope="module")
def explanation():
    return made(400, ("a", "b", "error"), 3, ("x", "y", "z"))


@pytest.mark.parametrize(
    ("where", "mask"),
    [
        ("a > 0 and b < 0.5", lambda e, p: (e.data["a"] > 0) & (e.data["b"] < 0.5)),
        ("`importance of b` > 0.3", lambda e, p: e.values[:, 1, 2] > 0.3),
        ("probability >= 0.5", lambda e, p: p[:, 2] >= 0.5),
        ("truth == 'y' and prediction != 'y'", lambda e, p: (_truth(e) == "y") & (_said(e) != "y")),
        ("row < 50", lambda e, p: np.arange(400) < 50),
        ("error > 0", lambda e, p: e.data["error"] > 0),  # a column comes before our own word
    ],
    ids=["columns", "importance", "probability", "labels", "row", "a column of a word of ours"],
)
def test_conditions(explanation, where, mask):
    chances = np.array(explanation.details["probability"])
    expected = np.asarray(mask(explanation, chances))
    found = cohort_totals(explanation, NamedCohort("some", where=where), 2)
    assert found["n"] == expected.sum() > 0
    sizes = np.abs(explanation.values[expected]).mean(axis=0).T
    assert np.allclose(found["size"]["raw"], sizes, rtol=1e-6)


def test_rows_and_errors(explanation):
    assert cohort_totals(explanation, NamedCohort("some", rows=(1, 5, 9)), 0)["n"] == 3
    plain = made(400, ("a", "b"), 3, ("x", "y", "z"))
    chances = np.array(plain.details["probability"])
    truth = np.array(["xyz".index(t) for t in plain.details["y_true"]])
    wrong = 1 - chances[np.arange(400), truth] > 0.7
    assert cohort_totals(plain, NamedCohort("off", where="error > 0.7"), 0)["n"] == wrong.sum()
    with pytest.raises(ConditionError, match="nobody"):
        cohort_totals(plain, NamedCohort("off", where="nobody > 0.7"), 0)


def _truth(explanation):
    return np.array(explanation.details["y_true"])


def _said(explanation):
    return np.array(explanation.details["predicted"])

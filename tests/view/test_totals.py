"""Totals over all rows of a cohort: conditions mean what they mean in the page."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.view.test_odd import made

from pellucid.explain.conditions import ConditionError
from pellucid.store.cohorts import NamedCohort
from pellucid.view.presets import PresetError, preset_cuts
from pellucid.view.studio.totals import cohort_mask, cohort_totals

_THIRDS = ("lowest", "middle", "highest")


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


def test_cohorts_that_every_page_offers(explanation):
    cases = {
        "error:wrong": _truth(explanation) != _said(explanation),
        "error:right": _truth(explanation) == _said(explanation),
        "true:1": _truth(explanation) == "y",
        "predicted:2": _said(explanation) == "z",
    }
    for preset, expected in cases.items():
        assert (cohort_mask(explanation, preset, 0) == expected).all(), preset
    low, high = preset_cuts(explanation)["score"][1]
    score = explanation.margins[:, 1]
    parts = [cohort_mask(explanation, f"score:{part}", 1) for part in _THIRDS]
    assert [int(part.sum()) for part in parts] == [133, 133, 134]
    assert score[parts[0]].max() < low <= score[parts[1]].min()
    assert score[parts[1]].max() < high <= score[parts[2]].min()
    for wrong in ("error:over", "true:x", "early:0", "nobody", "score:", "predicted:-1"):
        with pytest.raises(PresetError, match=f"no cohort '{wrong}'"):
            cohort_mask(explanation, wrong, 0)


def test_cohorts_of_values_and_dates():
    told = made(401, ("a", "b"))
    rng = np.random.default_rng(0)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, 401), "h")
    said = told.margins[:, 0]
    details = {"predicted": said.tolist(), "y_true": rng.normal(size=401).tolist()}
    told = replace(
        told, data=told.data.assign(b=dates.where(rng.random(401) > 0.1)), details=details
    )
    off = said - details["y_true"]
    assert (cohort_mask(told, "error:over", 0) == (off > 0)).all()
    assert (cohort_mask(told, "error:under", 0) == (off < 0)).all()
    assert cohort_mask(told, "error:large", 0).sum() == pytest.approx(100, abs=1)
    early, late = cohort_mask(told, "early:1", 0), cohort_mask(told, "late:1", 0)
    known = told.data["b"].notna()
    assert ((early | late) == known).all()
    assert told.data["b"][early].max() < told.data["b"][late].min()
    assert early.sum() == pytest.approx(known.sum() / 2, abs=6)
    cuts = preset_cuts(told)
    assert cuts["dates"] == {"1": told.data["b"][late].min().timestamp() * 1000}
    assert (np.abs(off) > cuts["error"]).sum() == cohort_mask(told, "error:large", 0).sum()


def _truth(explanation):
    return np.array(explanation.details["y_true"])


def _said(explanation):
    return np.array(explanation.details["predicted"])

"""A page that holds a sample of the rows tells sums and counts of all of them."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import Page
from tests.view.test_odd import made

from pellucid.view.payload import explanation_payload
from pellucid.view.whole import whole_of

N = 2500  # more than a page holds


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "amount": np.where(rng.random(N) < 0.1, np.nan, rng.normal(size=N)),
            "steps": rng.integers(0, 4, N).astype(float),
            "job": rng.choice(["cook", "maid", None], N),
            "joined": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, N), "D"),
            "code": [f"c{i}" for i in range(N)],
        }
    )
    data.loc[7, "amount"] = np.inf
    return made(N, data.columns, 3, ("a", "b", "c"), data)


def test_sums_are_of_all_rows_or_of_those_asked_for(large):
    whole = whole_of(large)
    assert whole["n"] == N
    expected = np.abs(large.values).mean(axis=0).T
    assert np.allclose(whole["size"]["raw"], expected, rtol=1e-6)
    mask = large.data["steps"].to_numpy() > 1
    part = whole_of(large, mask)
    assert part["n"] == mask.sum()
    assert np.allclose(part["size"]["raw"], np.abs(large.values[mask]).mean(axis=0).T, rtol=1e-6)
    (low, high), counts = part["columns"][1]["edges"], np.array(part["columns"][1]["counts"])
    assert (low, high) == (2, 3)
    assert counts.sum() == mask.sum()


def test_histograms_count_every_cell_once(large):
    amount, steps, job, joined, code = whole_of(large)["columns"]
    cells = large.data["amount"].to_numpy()
    finite = cells[np.isfinite(cells)]
    assert np.array(amount["counts"]).sum(axis=1).tolist() == (
        np.histogram(finite, bins=24, range=amount["edges"])[0].tolist()
    )
    assert (amount["missing"], amount["odd"]) == (np.isnan(cells).sum(), 1)
    assert len(steps["counts"]) == 4
    truth = np.array(large.details["y_true"])
    for level, counts in zip(job["levels"], job["counts"]):
        inside = (large.data["job"] == level).to_numpy()
        assert counts == [int((truth[inside] == c).sum()) for c in "abc"] + [0]
    assert job["missing"] == large.data["job"].isna().sum()
    assert np.array(joined["counts"]).sum() == N
    assert (code["levels"], code["others"]) == ([], N)
    json.dumps(explanation_payload(large, {}), allow_nan=False)


def test_a_page_shows_them_and_says_what_is_a_sample(large, browser, tmp_path):
    opened = Page(browser, large.show(target="y").save(tmp_path / "page.html"))
    page = opened.page
    page.get_by_label("Class").select_option(label="b")
    words = page.locator("#importance .lede").inner_text()
    assert "over all 2,500 rows (bar)" in words
    assert "of a sample of 1,000 (dots)" in words
    shown = [float(t.split(" ")[0]) for t in page.locator(".imp-value").all_inner_texts()]
    expected = np.sort(np.abs(large.values[:, :, 1]).mean(axis=0))[::-1]
    assert shown == pytest.approx(expected, rel=2e-3)
    assert "The cells of 2,500 explained rows" in page.locator("#columns .lede").inner_text()
    said = page.locator("#columns figure", has=page.get_by_role("heading", name="steps"))
    whole = pd.Series(large.data["steps"]).value_counts().sort_index()
    label = said.locator(".chart svg").first.get_attribute("aria-label")
    assert all(f" {n}" in label for n in whole)
    page.get_by_label("Cohort", exact=True).select_option("error:wrong")
    assert "of a sample of 1,000" in page.locator("#columns .lede").inner_text()
    opened.close()

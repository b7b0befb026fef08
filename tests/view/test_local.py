"""One row on the page: its nearest rows, and what a page without a model says."""

import numpy as np
import pytest

from pellucid.explain.asking import is_ordered
from pellucid.explain.moves import spread_of


def _nearest(run, row, most=5):
    """Ids of the nearest rows, in the units of counterfactuals, by brute force."""
    data = run.explanation().data
    total = np.zeros(len(data))
    for name in data:
        column, cell = data[name], data[name].iloc[row]
        if not is_ordered(column):
            total += (column != cell).to_numpy()
        else:
            far = (column - cell).abs() / spread_of(column)
            far = far.astype(float).to_numpy()
            both = column.isna().to_numpy() & (cell != cell)  # NaN and NaT are not themselves
            total += np.where(both, 0.0, np.where(np.isnan(far), 1.0, far))
    total[row] = np.inf
    return total, np.argsort(total, kind="stable")[:most]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_nearest_rows_are_those_of_brute_force_and_lead_there(runs, show, task):
    run = runs[task]
    ids = [str(i) for i in run.explanation().data.index]
    page = show(run)
    near = page.get_by_role("region", name="Nearest rows")
    page.locator("#row .below").last.scroll_into_view_if_needed()
    near.wait_for()
    row = ids.index(page.locator("#row .row-line[aria-selected=true] .row-id").inner_text())
    total, expected = _nearest(run, row)
    told = near.locator("tbody tr")
    shown = [ids.index(text) for text in near.locator(".to-row bdi").all_inner_texts()]
    assert total[shown] == pytest.approx(total[expected])
    assert told.count() == 5
    to = near.locator(".to-row").nth(1)
    to.focus()
    page.keyboard.press("Enter")
    chosen = page.locator("#row .row-line[aria-selected=true] .row-id").inner_text()
    assert chosen == ids[shown[1]]
    page.wait_for_timeout(200)  # until the table is of the other row
    assert page.evaluate("document.activeElement.className") == "to-row"
    page.get_by_role("button", name="By reasons").click()
    values = run.explanation().values
    gaps = np.abs(values - values[shown[1]]).sum(axis=1)
    gaps[shown[1]] = np.inf
    reasons = [ids.index(text) for text in near.locator(".to-row bdi").all_inner_texts()]
    assert gaps[reasons] == pytest.approx(np.sort(gaps)[:5], rel=1e-3)


def test_without_a_model_the_page_says_that_nobody_can_be_asked(runs, show):
    page = show(runs["binary"], what_if=False)
    curves = page.locator("#dependence .response")
    assert "written without its model" in curves.inner_text()
    assert "no partial dependence" in curves.inner_text()
    assert "nobody can be asked what would change" in page.locator("#row").inner_text()
    assert page.get_by_role("button", name="Find the fewest changes").count() == 0
    page = show(runs["binary"])
    assert "has no model files" in page.locator("#dependence .response").inner_text()

"""Cohorts that a reader makes: by conditions, by drawing around dots; named, and in the link."""

import json
from urllib.parse import parse_qs

import numpy as np
import pytest
from tests.view.conftest import Page

from pellucid.explain.conditions import holds
from pellucid.view.report import write_report

QUERIES = [
    "age < 30",
    "not (age < 30 or visits >= 4)",
    "20 <= age < 40 and job in ['cook', \"maid\"]",
    "job not in ['cook'] and visits != 3",
    "income == None",
    "income > 20_000.5 or income < 1e4",
    "`age` > -1 and joined >= '2021-01-01'",
    "joined < '2020-06-15' and not job == 'admin.'",
    "visits != 3 and income != None",
]
REFUSED = {
    "constructor.constructor('window.hacked=1')()": "cannot be read",
    "age": "comparison",
    "age < ": "The query ends",
    "nobody == 1": "no column “nobody”",
    "__proto__ == 1": "no column",
    "age < 'young'": "cannot be compared",
    "age < income < job": "cannot be compared",
    "(" * 100 + "age < 1" + ")" * 100: "too many brackets",
    "joined < 'tomorrow'": "no date",
}


@pytest.fixture(scope="module")
def path(runs, tmp_path_factory):
    return write_report(runs["regression"], tmp_path_factory.mktemp("own") / "report.html")


@pytest.fixture
def open_at(browser, path):
    pages = []

    class At:
        uri = path.as_uri()

        def as_uri(self):
            return self.uri

    def opened(hash_=""):
        at = At()
        at.uri += hash_
        pages.append(Page(browser, at))
        return pages[-1].page

    yield opened
    for page in pages:
        page.close()


def test_queries_hold_for_the_rows_that_python_finds(runs, open_at):
    data = runs["regression"].held.data
    page = open_at()
    page.get_by_role("button", name="New cohort").click()
    status = page.locator(".builder [role=status]")
    for query in QUERIES:
        page.get_by_label("Conditions", exact=True).fill(query)
        n = int(np.sum(holds(query, data)))
        assert 0 < n < len(data), query
        assert status.inner_text().startswith(f"{n} of "), query
    for query, words in REFUSED.items():
        page.get_by_label("Conditions", exact=True).fill(query)
        assert page.get_by_role("button", name="Use it").is_disabled(), query
        assert words in status.inner_text(), query
    assert page.evaluate("window.hacked") is None


def test_a_cohort_is_made_by_the_keyboard_and_a_link_shows_it(runs, open_at):
    page = open_at()
    page.get_by_role("button", name="New cohort").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Column", exact=True).select_option("job")
    page.get_by_label("Value", exact=True).select_option("maid")
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    page.keyboard.type("the <b>maids")
    page.keyboard.press("Enter")
    expected = runs["regression"].held
    maids = expected[np.flatnonzero(expected.data["job"] == "maid")]
    assert page.get_by_label("Cohort", exact=True).locator("option:checked").inner_text() == (
        f"the <b>maids ({maids.n_rows})"
    )
    again = open_at(page.evaluate("location.hash"))
    assert f"each of {maids.n_rows} rows" in again.locator("#importance .lede").inner_text()
    shown = again.locator(".imp-list .imp-value").first.inner_text().split()[0]
    assert float(shown) == pytest.approx(np.abs(maids.values).mean(axis=0).max(), rel=5e-3)
    assert f"{maids.n_rows} explained rows" in again.locator("#columns .lede").inner_text()
    again.get_by_role("button", name="New cohort").click()
    again.get_by_role("button", name="Delete the <b>maids").click()
    assert again.get_by_label("Cohort", exact=True).input_value() == ""
    again.wait_for_function("() => !location.hash.includes('own')")


@pytest.mark.parametrize("way", ["Box", "Lasso"])
def test_dots_that_are_drawn_around_are_a_cohort(runs, open_at, way):
    data = runs["regression"].held.data
    page = open_at("#scatter?x=age&y=visits")
    page.get_by_role("button", name=way, exact=True).click()
    chart = page.locator("#scatter .chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    corners = [(0.3, 0.02), (0.6, 0.02), (0.6, 0.98), (0.3, 0.98)]
    corners = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in corners]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:] if way == "Lasso" else [corners[2]]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    inside = int(page.locator("#scatter [role=status]").inner_text().split()[0])
    page.get_by_role("button", name="Make a cohort of them").click()
    page.get_by_label("Name", exact=True).fill("drawn")
    page.get_by_role("button", name="Use it").click()
    picked = page.get_by_label("Cohort", exact=True).locator("option:checked").inner_text()
    assert picked == f"drawn ({inside})"
    assert inside == pytest.approx(len(data) * 0.3, rel=0.35)
    if way == "Box":  # is a query, which Python reads alike
        hash_ = page.evaluate("location.hash")
        ((_, where),) = json.loads(parse_qs(hash_.partition("?")[2])["own"][0])
        assert abs(int(np.sum(holds(where, data))) - inside) <= 1

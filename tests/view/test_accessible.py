"""What axe-core finds wrong with each page: nothing serious, in light and dark, wide and narrow."""

import pytest
from tests.view.stored import begin_one
from tests.view.test_odd import made

from pellucid.view.report import write_report
from pellucid.view.studio.server import Studio

_LOOKS = (("light", 1280), ("dark", 390))


@pytest.fixture(scope="module")
def axe():
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


@pytest.fixture(params=_LOOKS, ids=("light, wide", "dark, narrow"))
def page(browser, request):
    scheme, width = request.param
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def grave(axe, page):
    """Rules broken seriously or critically, with the first elements that break them."""
    page.wait_for_selector("html[data-ready]", state="attached")
    found = axe.run(page).response["violations"]
    return {
        each["id"]: [node["html"][:200] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in ("serious", "critical")
    }


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_reports(axe, page, runs, tmp_path, task):
    page.goto(write_report(runs[task], tmp_path / "report.html").as_uri())
    assert grave(axe, page) == {}


def test_a_notebooks_page(axe, page, tmp_path):
    explanation = made(40, ("a", "b", "c"), 3, ("x", "y", "z"))
    page.goto(explanation.show().save(tmp_path / "page.html").as_uri())
    assert grave(axe, page) == {}


def test_the_studio(axe, page, studio, stored):
    first, second = stored[1]["binary"], stored[1]["other"]
    for place in (
        "/",
        f"/run/{first}",
        f"/run/{first}/explanation",
        f"/run/{first}/what-if",
        f"/compare/{first}/{second}",
        "/nothing",
    ):
        page.goto("about:blank")
        page.goto(f"{studio.url}#{place}")
        assert grave(axe, page) == {}, place


def test_a_run_under_way(axe, page, tmp_path):
    run = begin_one(tmp_path).id
    with Studio(tmp_path) as opened:
        for place in ("/", f"/run/{run}"):
            page.goto("about:blank")
            page.goto(f"{opened.url}#{place}")
            assert grave(axe, page) == {}, place


@pytest.fixture(scope="module")
def studio(stored):
    with Studio(stored[0]) as opened:
        yield opened

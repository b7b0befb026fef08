"""Pages in the frame that a notebook gives them, in a real browser with the network off."""

from dataclasses import replace

import numpy as np
import pytest

import pellucid
from pellucid.view.notebook import ExplanationDashboard, PageError, explanation_page, run_page

_NOTEBOOK = """<!doctype html><html lang="en"><head><title>Notebook</title>
<style>h2 {{ color: red; font-size: 3px }} div {{ margin: 40px }}</style></head>
<body><h1>A notebook</h1><div>{cell}</div></body></html>"""


@pytest.fixture
def cell(browser, tmp_path):
    """What a notebook shows of an object: the frame in its page; no error, no request."""
    problems, contexts = [], []

    def show(thing, **options):
        path = tmp_path / "notebook.html"
        path.write_text(_NOTEBOOK.format(cell=thing._repr_html_()), "utf-8")
        context = browser.new_context(reduced_motion="reduce", **options)
        context.set_offline(True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith("file:") else problems.append(r.url))
        page.goto(path.as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("html[data-ready]").wait_for(state="attached")
        return page, frame

    yield show
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_explanation_shows_itself(runs, cell, task):
    _, frame = cell(runs[task].held.show(target="y"))
    assert frame.locator("h2").all_inner_texts() == [
        "What matters",
        "How one feature works",
        "Why one row",
        "Any two columns",
        "Two cohorts",
        "From your columns to the model’s",
        "How the columns look",
    ]
    frame.get_by_role("button", name="Engineered").click()
    assert "job=maid" in frame.locator(".imp-list bdi").all_inner_texts()


def test_links_stay_in_the_frame(runs, cell):
    page, frame = cell(run_page(runs["binary"], height=500))
    frame.get_by_role("link", name="Data", exact=True).click()
    page.wait_for_timeout(200)
    assert frame.locator("#data h2").is_visible()
    assert frame.get_by_role("heading", name="A notebook").count() == 0
    assert page.locator("iframe").bounding_box()["height"] == 500


def test_the_page_sees_nothing_of_the_notebook(runs, cell):
    page, _ = cell(runs["binary"].held.show())
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts allow-downloads"
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_probabilities_are_not_called_log_odds(runs, cell):
    held = runs["binary"].held
    share = 1 / (1 + np.exp(-held.margins[:, 0]))
    scale = (share - 0.5) / held.values.sum(axis=1)
    spread = replace(
        held,
        values=held.values * scale[:, None],
        base_values=np.array([0.5]),
        space="probability",
        engineered=None,
    )
    _, frame = cell(spread.show(target="y"))
    assert "probability of y = yes is" in frame.locator(".sentence").inner_text()
    assert "log-odds" not in frame.locator("main").inner_text()


def test_the_old_name_asks_the_model_for_what_is_not_known(runs):
    held = runs["binary"].held
    bare = replace(held, details={})

    class Model:
        def predict(self, rows):
            return np.array(held.details["predicted"])[: len(rows)]

        def predict_proba(self, rows):
            return np.array(held.details["probability"])[: len(rows)]

    told = ExplanationDashboard(bare, Model(), held.data, held.details["y_true"])
    assert told.explanation.details["predicted"] == held.details["predicted"]
    assert told._repr_html_() == ExplanationDashboard(told.explanation)._repr_html_()
    assert pellucid.ExplanationDashboard is ExplanationDashboard


def test_what_cannot_be_shown_is_refused_in_words(runs, tmp_path):
    held = runs["regression"].held
    with pytest.raises(PageError, match="true_y has 2 rows"):
        ExplanationDashboard(held, true_y=[1, 2])
    with pytest.raises(PageError, match="0 rows"):
        explanation_page(held[:0])
    with pytest.raises(PageError, match="cannot write"):
        held.show().save(tmp_path / "none" / "page.html")
    assert held.show().save(tmp_path / "page.html").read_text("utf-8") == held.show().html

"""The widget: what is selected in its page reaches Python's side of it."""

import json

import numpy as np
import pytest
from tests.view.test_odd import made

from pellucid.view.assets import asset
from pellucid.view.notebook import explanation_page

_PAGE = """<!doctype html><html lang="en"><head><title>Notebook</title></head><body>
<div id="cell"></div><script type="module">
const traits = {traits};
window.sent = [];
window.asked = [];
const model = {{ get: (name) => traits[name], set: (name, value) => {{ traits[name] = value; }},
  save_changes: () => window.sent.push([...traits.rows]), send: (said) => window.asked.push(said),
  on: (event, hear) => {{ window.tell = hear; }}, off: () => {{}} }};
const module = await import(URL.createObjectURL(new Blob([{esm}], {{ type: "text/javascript" }})));
module.default.render({{ model, el: document.getElementById("cell") }});
postMessage({{ pellucidRows: [99] }}, "*");
</script></body></html>"""


@pytest.fixture
def put(browser, tmp_path):
    """A page in a cell of a notebook: the notebook's page, and the frame in it."""
    context = browser.new_context()

    def open_cell(html):
        traits = {"page": html, "height": 600, "rows": []}
        file = tmp_path / "notebook.html"
        text = json.dumps(traits).replace("<", "\\u003c")
        file.write_text(_PAGE.format(traits=text, esm=json.dumps(asset("widget.js"))), "utf-8")
        page = context.new_page()
        page.goto(file.as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("html[data-ready]").wait_for(state="attached")
        return page, frame

    yield open_cell
    context.close()


def test_a_row_and_a_cohort_reach_the_model(put):
    explanation = made(30, ("a", "b"), classes=("no", "yes"))
    page, frame = put(explanation_page(explanation).html)
    assert page.evaluate("window.sent") == []  # not the frame's, nor chosen by anyone
    frame.locator(".rows [data-row='7']").click()
    page.wait_for_function("() => window.sent.length === 1")
    frame.locator(".cohort-pick select").select_option("error:wrong")
    page.wait_for_function("() => window.sent.length === 2")
    details = explanation.details
    wrong = np.flatnonzero(np.array(details["predicted"]) != np.array(details["y_true"]))
    assert page.evaluate("window.sent") == [[7], wrong.tolist()]


def test_the_page_draws_the_curves_that_the_notebooks_model_answers(put):
    pytest.importorskip("anywidget")
    from pellucid.view.widget import explanation_widget

    explanation = made(30, ("a", "b"), space="response")
    widget = explanation_widget(explanation, lambda rows: 2 * rows["a"] + rows["b"])
    told = []
    widget.send = told.append
    page, frame = put(widget.page)
    frame.locator("#dependence").get_by_label("Feature").select_option("a")
    frame.locator("#dependence .response").scroll_into_view_if_needed()
    page.wait_for_function("() => window.asked.length > 0")
    for asked in page.evaluate("window.asked"):
        widget._handle_custom_msg(asked, [])
    page.evaluate("told => told.forEach((said) => window.tell(said))", told)
    frame.locator("#dependence summary").click()
    shown = frame.locator("#dependence .response td.n").all_inner_texts()
    middle = explanation.data["a"].to_numpy()
    means = np.sort(2 * (middle - middle.mean()))
    said = [float(text.replace("\u2212", "-").replace("+", "")) for text in shown[::2]]
    assert said == pytest.approx(means, rel=5e-3, abs=5e-3)


def test_selected_rows_are_positions_in_the_explanation():
    pytest.importorskip("anywidget")
    from pellucid.view.widget import explanation_widget

    explanation = made(2500, ("a", "b"))  # more than a page holds
    widget = explanation_widget(explanation)
    widget.set_state({"rows": [0, 999]})  # as the page's side sends it
    assert widget.selected_rows == [0, 2499]
    assert np.array_equal(widget.selected.values, explanation.values[[0, 2499]])
    assert widget.page == explanation_page(explanation).html

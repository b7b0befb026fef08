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
const model = {{ get: (name) => traits[name], set: (name, value) => {{ traits[name] = value; }},
  save_changes: () => window.sent.push([...traits.rows]) }};
const module = await import(URL.createObjectURL(new Blob([{esm}], {{ type: "text/javascript" }})));
module.default.render({{ model, el: document.getElementById("cell") }});
postMessage({{ pellucidRows: [99] }}, "*");
</script></body></html>"""


def test_a_row_and_a_cohort_reach_the_model(browser, tmp_path):
    explanation = made(30, ("a", "b"), classes=("no", "yes"))
    traits = {"page": explanation_page(explanation).html, "height": 600, "rows": []}
    page_file = tmp_path / "notebook.html"
    text = json.dumps(traits).replace("<", "\\u003c")
    page_file.write_text(_PAGE.format(traits=text, esm=json.dumps(asset("widget.js"))), "utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(page_file.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("html[data-ready]").wait_for(state="attached")
    assert page.evaluate("window.sent") == []  # not the frame's, nor chosen by anyone
    frame.locator(".rows [data-row='7']").click()
    page.wait_for_function("() => window.sent.length === 1")
    frame.locator(".cohort select").select_option("error:wrong")
    page.wait_for_function("() => window.sent.length === 2")
    details = explanation.details
    wrong = np.flatnonzero(np.array(details["predicted"]) != np.array(details["y_true"]))
    assert page.evaluate("window.sent") == [[7], wrong.tolist()]
    context.close()


def test_selected_rows_are_positions_in_the_explanation():
    pytest.importorskip("anywidget")
    from pellucid.view.widget import explanation_widget

    explanation = made(2500, ("a", "b"))  # more than a page holds
    widget = explanation_widget(explanation)
    widget.set_state({"rows": [0, 999]})  # as the page's side sends it
    assert widget.selected_rows == [0, 2499]
    assert np.array_equal(widget.selected.values, explanation.values[[0, 2499]])
    assert widget.page == explanation_page(explanation).html

"""The studio in a real browser, on a store of real trainings."""

import io
import json
import re
import socket

import numpy as np
import pandas as pd
import pytest
from tests.view.stored import HOSTILE, begin_one

from pellucid.search.trials import TrialRecord
from pellucid.store.runs import load_run
from pellucid.view.asking import answer_page
from pellucid.view.payload import shown_rows
from pellucid.view.studio.server import Studio


@pytest.fixture(scope="module")
def studio(stored):
    with Studio(stored[0]) as opened:
        yield opened


@pytest.fixture
def visit(browser, studio):
    """Open a place of the studio; at the end there must have been no error."""
    problems: list[str] = []
    contexts = []

    def go(place="/", **options):
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15000)
        page.on(
            "console",
            lambda m: problems.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda e: problems.append(str(e)))
        page.goto(f"{studio.url}#{place}")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []


def places(ids):
    odd = ids[HOSTILE[0]]
    return [
        "/",
        f"/run/{ids['unexplained']}",
        f"/run/{ids['unexplained']}/what-if",
        *(
            f"/run/{run}{part}"
            for name, run in ids.items()
            if name != "unexplained"
            for part in ("", "/explanation", "/what-if")
        ),
        f"/compare/{ids['binary']}/{odd}",
    ]


def test_no_page_scrolls_sideways_or_runs_what_the_data_spells(stored, visit):
    for width in (390, 1280):
        page = visit(viewport={"width": width, "height": 800})
        for place in places(stored[1]):
            before = page.evaluate("document.documentElement.dataset.ready")
            page.evaluate("place => { location.hash = place }", place)
            if place != "/":
                page.wait_for_function(
                    "before => document.documentElement.dataset.ready !== before", arg=before
                )
            assert page.locator("h1").count() == 1, place
            assert page.get_by_text("This cannot be shown").count() == 0, place
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(over) == 0, (place, width)
        assert page.evaluate("window.hacked") is None


def test_the_token_is_not_left_in_the_address(visit):
    page = visit("/")
    assert "token" not in page.url


def test_runs_are_found_sorted_and_compared_with_the_keyboard_alone(stored, visit):
    page = visit("/")
    names = page.locator("td a")
    assert names.count() == 6
    page.get_by_label("Find runs").focus()
    page.keyboard.type("binary")
    assert set(names.all_inner_texts()) == {"binary", "other", "unexplained", HOSTILE[0]}
    for name in ("binary", "other"):
        page.get_by_label(f"Compare {name}").focus()
        page.keyboard.press("Space")
    page.get_by_role("link", name="Compare the two").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="binary and other").wait_for()
    assert page.evaluate("document.activeElement.id") == "content"
    gone = page.locator("tr", has=page.locator("td bdi", has_text=re.compile("^job$")))
    assert "gone from" in gone.inner_text()


def test_two_runs_differ_by_what_their_explanations_say(stored, visit):
    folder, ids = stored
    page = visit(f"/compare/{ids['binary']}/{ids['other']}")
    found = page.request.get(
        page.url.split("#")[0] + f"api/compare?first={ids['binary']}&second={ids['other']}"
    ).json()
    for side, name in enumerate(("binary", "other")):
        importance = load_run(ids[name], store=folder).explanation().global_importance()
        shares = importance / importance.sum()
        told = {r["feature"]: r["shares"][side] for r in found["importances"]}
        assert {k: v for k, v in told.items() if v is not None} == pytest.approx(shares.to_dict())
        ranks = {r["feature"]: r["ranks"][side] for r in found["importances"]}
        assert [ranks[name] for name in shares.index] == list(range(1, len(shares) + 1))


def test_an_edited_row_gets_what_the_model_says_of_it(stored, visit):
    folder, ids = stored
    run = load_run(ids["binary"], store=folder)
    row = run.explanation().data.iloc[[4]].copy()
    page = visit(f"/run/{run.id}/what-if?row=4")
    page.get_by_label("age", exact=True).fill("31.5")
    page.get_by_label("job", exact=True).select_option("maid")
    page.get_by_label("joined", exact=True).fill("2021-02-03")
    page.get_by_label("income", exact=True).fill("")
    page.get_by_label("member", exact=True).select_option("false")
    page.get_by_text("Answered by the model").wait_for()
    row["age"], row["job"], row["income"] = 31.5, "maid", np.nan
    row["joined"], row["member"] = pd.Timestamp("2021-02-03"), False
    expected = run.model().explain(row)
    share = run.model().predict_proba(row)[0, 1]
    page.wait_for_function(
        """chance => {
          const said = parseFloat(document.querySelector(".verdict-value").textContent);
          return Math.abs(said - chance) < 0.51;
        }""",
        arg=100 * share,
    )
    importances = dict(zip(expected.feature_names, expected.values[0]))
    for label in page.locator(".waterfall button.wf-name").all():
        feature = label.locator("bdi").first.inner_text()
        shown = label.locator("xpath=..").locator(".wf-value").inner_text()
        assert float(shown.replace("−", "-").replace("+", "")) == pytest.approx(
            importances[feature], rel=5e-3, abs=1e-4
        )


def test_the_address_of_an_edited_row_leads_back_to_it(stored, visit):
    page = visit(f"/run/{stored[1]['binary']}/what-if?row=4")
    page.get_by_label("age", exact=True).fill("77")
    page.wait_for_function("() => location.hash.includes('cells')")
    verdict = page.locator(".verdict-value")
    page.get_by_text("Answered by the model").wait_for()
    said, place = verdict.inner_text(), page.url.split("#")[1]
    again = visit(place)
    again.get_by_text("Answered by the model").wait_for()
    assert again.get_by_label("age", exact=True).input_value() == "77"
    assert again.locator(".verdict-value").inner_text() == said
    again.get_by_role("button", name="Reset all").click()
    again.get_by_text("as it is").first.wait_for()
    again.wait_for_function("() => !location.hash.includes('cells')")


def test_what_is_chosen_in_an_explanation_is_in_the_address(stored, visit):
    page = visit(f"/run/{stored[1]['multiclass']}/explanation")
    page.get_by_role("button", name="Engineered").click()
    page.get_by_label("Class").select_option("C")
    place = page.url.split("#")[1]
    assert "level=engineered" in place
    assert "class=C" in place
    again = visit(place)
    assert again.get_by_role("button", name="Engineered").get_attribute("aria-pressed") == "true"
    assert again.get_by_label("Class").locator("option:checked").inner_text() == "C"


def test_curves_over_a_feature_are_the_live_models(stored, visit):
    run = load_run(stored[1]["binary"], store=stored[0])
    shown = shown_rows(run.explanation())
    page = visit(f"/run/{run.id}/explanation?feature=job")
    with page.expect_response("**/ask") as answered:
        page.locator("#dependence .response").scroll_into_view_if_needed()
    page.get_by_text("Partial dependence: the mean of 100 background rows").wait_for()
    asked = json.loads(answered.value.request.post_data)
    assert shown.feature_names[asked["feature"]] == "job"
    assert answered.value.json() == answer_page(run.model(), shown, asked)


def test_cohorts_are_kept_with_the_run(stored, visit):
    place = f"/run/{stored[1]['binary']}/explanation"
    page = visit(place)
    page.get_by_role("button", name="New cohort").click()
    page.get_by_label("Conditions", exact=True).fill("job == 'maid' and age < 40")
    page.get_by_label("Name", exact=True).fill("young maids")
    page.get_by_role("button", name="Save with the run").click()
    page.wait_for_function("() => location.hash.includes('cohort=own')")
    again = visit(page.url.split("#")[1])
    chosen = again.get_by_label("Cohort", exact=True).locator("option:checked").inner_text()
    data = load_run(stored[1]["binary"], store=stored[0]).explanation().data
    assert chosen == f"young maids ({((data['job'] == 'maid') & (data['age'] < 40)).sum()})"
    again.get_by_role("button", name="New cohort").click()
    again.get_by_role("button", name="Delete young maids").click()
    again.wait_for_function("() => !location.hash.includes('cohort')")
    assert "young maids" not in visit(place).locator(".cohort-pick").inner_text()


def test_what_would_change_an_answer_leads_to_the_form_that_has_it(stored, visit):
    run = load_run(stored[1]["binary"], store=stored[0])
    page = visit(f"/run/{run.id}/explanation")
    page.get_by_label("Sort by").select_option("close")
    page.locator("#row .row-line").nth(1).click()
    page.get_by_role("button", name="Find the fewest changes").click()
    said = page.locator("#row .changes tbody tr").first
    says = said.locator("td").nth(1).inner_text()
    said.get_by_role("button", name="Try it in the form").click()
    page.get_by_text("Answered by the model").wait_for()
    assert "cells" in page.url
    assert f"“{says.split()[0]}”" in page.locator(".verdict").inner_text()


def test_explanations_are_downloaded_whole(stored, visit):
    folder, ids = stored
    explanation = load_run(ids["regression"], store=folder).explanation()
    page = visit(f"/run/{ids['regression']}")
    base = page.url.split("#")[0]
    for level, expected in (("raw", explanation), ("engineered", explanation.engineered)):
        content = page.request.get(
            f"{base}api/runs/{ids['regression']}/explanation.parquet?level={level}"
        ).body()
        table = pd.read_parquet(io.BytesIO(content))
        assert np.array_equal(table[list(expected.feature_names)].to_numpy(), expected.values)
    with page.expect_download() as download:
        page.get_by_role("link", name="Explanation, CSV").click()
    assert download.value.suggested_filename == "regression-raw.csv"


def test_the_report_opens_in_the_studio(stored, visit):
    page = visit(f"/run/{stored[1]['binary']}")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the report").click()
    opened.value.wait_for_selector("html[data-ready]", state="attached")
    assert opened.value.get_by_role("heading", name="What matters").count() == 1


def test_a_cell_that_does_not_fit_is_refused_in_words(stored, visit):
    page = visit(f"/run/{stored[1]['regression']}")
    base = page.url.split("/#")[0]
    reply = page.request.post(
        f"{base}/api/runs/{stored[1]['regression']}/explain",
        headers={"Origin": base},
        data={"cells": {"age": "old"}},
    )
    assert reply.status == 400
    assert "'age'" in reply.json()["error"]


def test_a_run_without_an_explanation_has_a_form_of_examples(stored, visit):
    page = visit(f"/run/{stored[1]['unexplained']}/what-if")
    page.get_by_text("A row of each column’s commonest cells.").wait_for()
    before = page.locator(".verdict-value").inner_text()
    page.get_by_label("age", exact=True).fill("79")
    page.get_by_text("Answered by the model").wait_for()
    assert page.locator(".verdict-value").inner_text() != before
    other = visit(f"/run/{stored[1]['unexplained']}/explanation")
    other.get_by_text("trained without an explanation").wait_for()


def test_an_empty_store_says_what_to_do(browser, tmp_path):
    with Studio(tmp_path / "none") as studio:
        context = browser.new_context()
        page = context.new_page()
        page.goto(studio.url)
        page.get_by_text("There are no runs yet").wait_for()
        context.close()


def test_a_run_under_way_is_followed_until_it_ends(browser, tmp_path):
    writer = begin_one(tmp_path)
    with Studio(tmp_path) as studio:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(15000)
        page.goto(studio.url)
        page.get_by_text("running: 0 trials").wait_for()
        page.get_by_role("link", name="under way").click()
        page.get_by_text("The search goes on").wait_for()
        writer.log_trial(TrialRecord(0, "one", "lightgbm", {}, {}, 0.1, "completed"), {"kept": b""})
        page.get_by_text("running: 1 trial").wait_for()
        begin_one(tmp_path)  # seen in the list too, though the page stood before
        page.get_by_role("link", name="Runs").click()
        page.get_by_text("2 runs in").wait_for()
        page.get_by_role("link", name="under way").last.click()
        page.get_by_text("The search goes on").wait_for()
        writer.fail("no more rows")
        page.get_by_text("is failed (no more rows)").wait_for()
        context.close()


def test_events_end_with_the_studio(tmp_path):
    studio = Studio(tmp_path)
    host, token = f"127.0.0.1:{studio.port}", studio.url.split("=")[1]
    with socket.create_connection(("127.0.0.1", studio.port), timeout=10) as asking:
        cookie = f"pellucid-studio-{studio.port}={token}"
        request = f"GET /api/live HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
        asking.sendall(request.encode())
        head = b""
        while b"\n\n" not in head:
            head += asking.recv(4096)
        assert b"text/event-stream" in head
        assert json.loads(head.split(b"data: ")[1])["runs"] == []
        studio.close()
        assert asking.recv(1) == b""


def test_what_is_searched_for_is_in_the_address(stored, visit):
    page = visit("/")
    page.get_by_label("Find runs").fill("regr")
    again = visit(page.evaluate("location.hash").removeprefix("#"))
    assert again.locator("td a").all_inner_texts() == ["regression"]

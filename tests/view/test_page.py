"""The report in a real browser, from a file, with the network off."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import Page, table
from tests.view.trained import trained_run

from pellucid.view.report import write_report

_HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "'\"`${window.hacked = 1}",
    "\u202eRTL \u05d0\u05d1\u05d2 😀",
    "long " * 2000,
]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_task_opens_offline_without_sideways_scroll(
    runs, browser, tmp_path, task, width, scheme
):
    path = write_report(runs[task], tmp_path / "report.html")
    opened = Page(browser, path, width=width, color_scheme=scheme)
    assert opened.page.locator("h2").all_inner_texts() == [
        "What matters",
        "How one feature works",
        "Why one row",
        "Any two columns",
        "Two cohorts",
        "What if",
        "How good, and what was tried",
        "From your columns to the model’s",
        "How the columns look",
        "The data",
    ]
    assert opened.overflow() == 0
    opened.close()


def test_the_switch_shows_engineered_features(runs, show):
    page = show(runs["binary"])
    names = page.locator(".imp-list bdi")
    assert "job" in names.all_inner_texts()
    page.get_by_role("button", name="Engineered").click()
    assert "job=maid" in names.all_inner_texts()
    assert "job" not in names.all_inner_texts()
    assert page.get_by_role("button", name="Engineered").get_attribute("aria-pressed") == "true"


def test_a_feature_opens_into_its_engineered_columns_and_becomes_the_one_looked_at(runs, show):
    page = show(runs["binary"])
    page.locator(".imp-list").get_by_role("button", name="job", exact=True).click()
    detail = page.locator(".imp-detail")
    assert sorted(detail.locator("bdi").all_inner_texts()) == [
        "job=admin.",
        "job=clerk",
        "job=cook",
        "job=maid",
    ]
    assert page.get_by_label("Feature", exact=True).locator("option:checked").inner_text() == "job"
    page.locator(".imp-list").get_by_role("button", name="job", exact=True).click()
    assert detail.count() == 0


def test_the_strongest_interaction_is_offered_first(runs, show):
    page = show(runs["regression"])
    page.locator(".imp-list").get_by_role("button", name="job", exact=True).click()
    chosen = page.get_by_label("Coloured by").locator("option:checked").inner_text()
    assert chosen == "Strongest interaction: visits"


def test_classes_are_chosen(runs, show):
    page = show(runs["multiclass"])
    page.get_by_label("Class").select_option(label="A")
    assert "score of y = A" in page.locator("#importance .lede").inner_text()
    assert "chance of y = A" in page.locator(".verdict").inner_text()
    page.get_by_label("Class").select_option(label="D")
    assert "chance of y = D" in page.locator(".verdict").inner_text()


def test_rows_are_found_sorted_and_explained(runs, show):
    run = runs["regression"]
    page = show(run)
    page.get_by_label("Sort by").select_option(label="Highest prediction")
    page.locator(".rows .row-line").first.click()
    row = int(np.argmax(run.held.margins[:, 0]))
    identity = str(run.held.data.index[row])
    assert page.locator(".rows [aria-selected=true] .row-id").inner_text() == identity
    assert f"row {identity}" in page.locator(".verdict").inner_text()
    largest = run.held.local_importance(row).index[0]
    assert page.locator(".waterfall button").first.inner_text().startswith(largest)
    page.get_by_label("Find rows").fill("job=maid")
    assert page.locator(".rows .row-line").count() <= (run.held.data["job"] == "maid").sum()
    page.get_by_label("Find rows").fill(identity)
    assert page.locator(".rows .row-id").all_inner_texts() == [identity]


def test_the_waterfall_ends_at_the_margin(runs, show):
    run = runs["regression"]
    page = show(run)
    chosen = page.locator(".rows [aria-selected=true]").get_attribute("data-row")
    end = page.locator(".wf-row.end .wf-value").inner_text().replace("−", "-").replace(",", "")
    assert float(end) == pytest.approx(run.held.margins[int(chosen), 0], rel=1e-3)


def test_the_keyboard_is_enough(runs, show):
    page = show(runs["binary"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".imp-list button").first.focus()
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.dataset.feature")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.feature") == second
    assert page.locator(f'button[data-feature="{second}"]').get_attribute("aria-expanded") == "true"
    rows = page.get_by_role("listbox")
    rows.focus()
    before = page.locator(".verdict").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".verdict").inner_text() != before
    assert rows.get_attribute("aria-activedescendant")
    page.keyboard.press("End")
    last = page.locator(".rows .row-line").last
    assert last.get_attribute("aria-selected") == "true"


def test_the_theme_is_switched(runs, show):
    page = show(runs["binary"])
    before = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before
    assert page.get_by_role("button", name="Light theme").count() == 1


def test_every_control_has_a_name(runs, show):
    page = show(runs["multiclass"])
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, input, select, a, [role=img], [tabindex='0']")]
        .filter(n => !(n.getAttribute("aria-label") || n.textContent.trim() || n.labels?.length))
        .map(n => n.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_what_names_and_cells_spell_is_shown_and_never_runs(show):
    frame = table("binary", 300).rename(
        columns=dict(zip(("age", "income", "job", "joined", "visits"), _HOSTILE))
    )
    frame[_HOSTILE[2]] = np.resize(_HOSTILE, len(frame))
    frame["y"] = np.where(frame["y"] == "yes", _HOSTILE[0], _HOSTILE[1])
    run = trained_run(frame, "y", "binary", trees=10)
    training = {**run.training, "target": "<b>y</b>\ud800"}
    page = show(replace(run, training=training, name=_HOSTILE[0], id=_HOSTILE[1]), width=390)
    for level in ("Engineered", "Raw"):
        page.get_by_role("button", name=level).click()
        for position in range(3):
            page.locator(".imp-list button").nth(position).click()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, main script").count() == 0
    assert "<script>" in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_run_without_test_rows_curves_or_explanations(runs, show):
    run = runs["binary"]
    bare = {
        key: run.training[key]
        for key in ("task", "target", "n_rows", "n_columns", "primary_metric")
    }
    page = show(
        replace(
            run,
            held=None,
            training={
                **bare,
                "model_explainability": False,
                "metrics": {"cv": {"AUC_weighted": 0.9}, "test": None},
            },
        )
    )
    assert "cross-validated" in page.locator(".primary").inner_text()
    assert page.locator("#importance").count() == 0
    assert page.locator("#data").count() == 1


def test_a_forecaster_says_how_far_it_sees_and_what_it_beats(show):
    error = "normalized_root_mean_squared_error"
    run = trained_run(
        table("regression"), "y", "regression", trees=20,
        horizon=4, frequency="week", season=52, n_series=9, n_values=885, time_column="joined",
        metrics={"cv": {error: 0.1}, "test": {error: 0.3}},
        baselines={"Seasonal naive": {"cv": {error: 0.2}, "test": {error: 0.25}}},
    )  # fmt: skip
    page = show(run, width=390)
    assert page.locator(".eyebrow").inner_text().startswith("Forecaster")
    said = page.locator("#overview .lede").inner_text()
    assert "trained on 885 values of 9 series" in said
    assert "It forecasts up to 4 steps of one week ahead." in said
    assert "20% above on the test rows and 50% below in cross-validation" in said
    assert "joined for the calendar" in page.locator("#importance .lede").inner_text()
    assert "forecast from two steps before" in page.locator("#row .lede").inner_text()
    assert "run.model().forecast(new_rows)" in page.locator("footer pre").inner_text()
    boxes = "all => all.map((each) => each.getBoundingClientRect().toJSON())"
    marks = [m for m in page.locator(".imp-axis span").evaluate_all(boxes) if m["width"]]
    assert len(marks) >= 2
    assert all(one["right"] < other["left"] for one, other in pairwise(marks))


def test_one_row_and_one_feature(show):
    frame = table("regression", 200)[["age", "y"]]
    page = show(trained_run(frame, "y", "regression", rows=1, trees=5))
    assert page.locator(".rows .row-line").count() == 1


def test_many_columns_and_classes_stay_usable(show):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 300)), columns=[f"column {i}" for i in range(300)])
    frame["y"] = np.arange(400) % 12
    page = show(trained_run(frame, "y", "multiclass", rows=100, trees=1))
    assert page.locator(".imp-item").count() == 12
    page.get_by_role("button", name="Show 30 more of 300").click()
    assert page.locator(".imp-item").count() == 42
    page.get_by_role("searchbox", name="Find a feature").fill("column 299")
    assert page.locator(".imp-item").count() == 1


def test_thirty_columns_of_a_thousand_rows_are_small_and_fast(show, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(3400, 20)), columns=[f"number {i}" for i in range(20)])
    for i in range(10):
        frame[f"letter {i}"] = rng.choice(list("abcd"), len(frame))
    frame["y"] = np.where(frame["number 0"] + (frame["letter 0"] == "a") > 0, "yes", "no")
    run = trained_run(frame, "y", "binary")
    page = show(run)
    assert write_report(run, tmp_path / "size.html").stat().st_size < 1_000_000
    ready = int(page.evaluate("document.documentElement.dataset.ready"))
    assert ready < 1500  # about 150 on a quiet machine


def test_lineage_gives_each_engineered_column_its_share(runs, show):
    page = show(runs["binary"])
    page.locator("#lineage summary").click()
    told = {}
    for line in page.locator("#lineage tbody tr").all():
        raw, made, share = line.locator("td").all_inner_texts()
        told[made] = (raw, share)
    engineered = runs["binary"].held.engineered.global_importance()
    shares = 100 * engineered / engineered.sum()
    assert told["job=maid"][0] == "job"
    assert told["joined.month"][0] == "joined"
    for name, (_, share) in told.items():
        assert float(share.rstrip("%").lstrip("<")) == pytest.approx(shares[name], abs=0.51)


def test_a_cohort_has_the_importances_of_its_rows_beside_those_of_all(runs, show):
    held = runs["binary"].held
    wrong = np.array(held.details["predicted"]) != np.array(held.details["y_true"])
    page = show(runs["binary"])
    page.locator(".cohort-pick select").select_option("error:wrong")
    expected = held[wrong].global_importance()
    assert page.locator(".imp-list .imp-name bdi").all_inner_texts() == expected.index.tolist()
    shown = [float(t.split(" ")[0]) for t in page.locator(".imp-value").all_inner_texts()]
    assert shown == pytest.approx(expected.to_numpy(), rel=5e-3)
    assert page.locator(".bar-whole").count() == len(expected)
    assert f"each of {wrong.sum()} rows" in page.locator("#importance .lede").inner_text()
    chosen = page.locator(".cohort-pick option").all_inner_texts()
    assert f"predicted wrongly ({wrong.sum()})" in chosen
    page.locator(".cohort-pick select").select_option("")
    assert page.locator(".bar-whole").count() == 0


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_columns_are_shown_with_every_cell_and_what_is_missing(runs, show, task):
    held = runs[task].held
    page = show(runs[task])
    figures = page.locator("#columns figure")
    assert figures.count() == held.n_features
    for figure in figures.all():
        name = figure.locator("h3").inner_text()
        missing = held.data[name].isna().mean()
        said = figure.locator("p").inner_text()
        assert said == "none missing" if missing == 0 else float(said.split("%")[0]) > 0
        label = figure.locator("svg").get_attribute("aria-label")
        if held.data[name].nunique() <= 12:
            counts = [int(part.rsplit(" ", 1)[1]) for part in label.split(";")[0].split(", ")]
            assert sum(counts) == held.data[name].notna().sum()


def test_the_mean_over_classes_is_told_class_by_class(runs, show):
    held = runs["multiclass"].held
    page = show(runs["multiclass"])
    page.get_by_label("Bars for").select_option("all")
    assert page.locator(".class-key bdi").all_inner_texts() == [str(c) for c in held.classes]
    first = held.global_importance(per_class=True).iloc[0]
    boxes = "all => all.map((each) => each.getBoundingClientRect().width)"
    widths = np.array(page.locator(".imp-row").first.locator(".by-class i").evaluate_all(boxes))
    assert widths / widths.sum() == pytest.approx(first.to_numpy() / first.sum(), abs=0.01)
    page.get_by_label("Bars for").select_option("one")
    assert page.locator(".by-class").count() == 0

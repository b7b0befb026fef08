"""The views of how good a model is: what the slider and the residuals say is what was counted."""

import re

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.view.conftest import Page

from pellucid.view.report import write_report


@pytest.fixture
def show(browser, tmp_path):
    opened = []

    def open_report(run, **options):
        opened.append(Page(browser, write_report(run, tmp_path / "report.html"), **options))
        return opened[-1]

    yield open_report
    for page in opened:
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_slider_counts_what_would_be_called_the_second_class(runs, show, width):
    run = runs["binary"]
    drawn = run.training["curves"]
    opened = show(run, width=width)
    matrix = opened.page.locator(".threshold .cell-n")
    assert matrix.all_inner_texts() == [str(n) for row in drawn["confusion"]["counts"] for n in row]
    slider = opened.page.get_by_label("above a probability of")
    slider.focus()
    for _ in range(23):
        opened.page.keyboard.press("ArrowRight")
    (rows, above) = (drawn["thresholds"][key] for key in ("rows", "above"))
    wrong, right = above[0][73], above[1][73]
    assert slider.get_attribute("aria-valuetext") == "0.73"
    assert matrix.all_inner_texts() == [
        str(n) for n in (rows[0] - wrong, wrong, rows[1] - right, right)
    ]
    low, high = binomtest(right, rows[1]).proportion_ci(method="wilson")
    recall = opened.page.locator(".rates dd").nth(1).inner_text()
    said = [float(word.strip("(%)")) for word in recall.split() if "%" in word]
    assert said == pytest.approx([100 * right / rows[1], 100 * low, 100 * high], abs=0.05001)
    assert opened.overflow() == 0


def test_a_link_holds_the_threshold(runs, browser, tmp_path):
    path = write_report(runs["binary"], tmp_path / "report.html")

    class At:
        hash_ = "#model?threshold=0.73"

        def as_uri(self):
            return path.as_uri() + self.hash_

    opened = Page(browser, At())
    slider = opened.page.get_by_label("above a probability of")
    assert slider.get_attribute("aria-valuetext") == "0.73"
    slider.focus()
    opened.page.keyboard.press("ArrowLeft")
    opened.page.wait_for_function("() => location.hash.includes('threshold=0.72')")
    opened.page.keyboard.press("Home")
    opened.page.wait_for_function("() => /threshold=0($|&)/.test(location.hash)")
    opened.close()
    At.hash_ = "#model?threshold=7e9"
    opened = Page(browser, At())
    slider = opened.page.get_by_label("above a probability of")
    assert slider.get_attribute("aria-valuetext") == "0.50"
    opened.close()


def test_nothing_is_called_the_second_class_above_a_probability_of_one(runs, show):
    opened = show(runs["binary"])
    opened.page.get_by_label("above a probability of").focus()
    opened.page.keyboard.press("End")
    assert opened.page.locator(".rates dd").first.inner_text().startswith("–")


def test_a_run_of_before_thresholds_were_kept_shows_its_confusion(runs, show):
    run = runs["binary"]
    drawn = {k: v for k, v in run.training["curves"].items() if k != "thresholds"}
    page = show(type(run)({**run.training, "curves": drawn}, run.held)).page
    assert page.locator(".confusion").count() == 1
    assert page.locator(".threshold").count() == 0


def test_residuals_say_how_far_predictions_are_off(runs, show):
    run = runs["regression"]
    dots = run.training["curves"]["predicted_true"]
    missed = np.array(dots["true"]) - np.array(dots["predicted"])
    label = show(run).page.locator("svg[aria-label^=Residuals]").get_attribute("aria-label")
    mean, within = (float(n.replace("−", "-")) for n in re.findall(r"−?[\d.]+\d", label))
    assert mean == pytest.approx(missed.mean(), rel=0.01)
    assert within == pytest.approx(np.sort(np.abs(missed))[len(missed) // 2], rel=0.01)


def test_a_score_on_test_rows_stands_with_its_interval(runs, show):
    run = runs["binary"]
    page = show(run).page
    assert page.locator(".primary .interval").inner_text().startswith("95%: 0.9")
    told = run.training["test_intervals"]
    assert page.locator("#overview .interval").count() == len(told) == 3
    low, high = told["accuracy"]
    row = page.locator(".metrics tr", has_text="Accuracy").first
    assert f"95%: {low:.4f} to {high:.4f}" in row.inner_text()

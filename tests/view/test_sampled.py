"""Where a page holds a sample, figures of cohorts are of all rows in the studio, or say what of."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score
from tests.view.conftest import Page
from tests.view.test_against import number, shown

from pellucid.store.runs import load_run
from pellucid.view import payload
from pellucid.view.report import write_report
from pellucid.view.studio.server import Studio


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(payload, "_ROWS", 60)
    monkeypatch.setattr(payload, "_FEWEST_ROWS", 10)


@pytest.fixture
def compare(stored, small_pages, browser):
    """Two cohorts of a run in the studio, all their rows counted."""
    problems = []
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(15000)
    page.on("pageerror", lambda error: problems.append(str(error)))

    def opened(name, query):
        page.goto(f"{studio.url}#/run/{stored[1][name]}/explanation?{query}")
        page.locator("#cohorts").scroll_into_view_if_needed()
        page.get_by_text("The figures are of all 240 explained rows.").wait_for()
        return page

    with Studio(stored[0]) as studio:
        yield opened
    context.close()
    assert problems == []


def explained(stored, name):
    told = load_run(stored[1][name], store=stored[0]).explanation()
    assert told.n_rows == 240
    return told


def test_two_times_of_a_classifier(stored, compare):
    told = explained(stored, "binary")
    place = told.feature_names.index("joined")
    joined = told.data["joined"].to_numpy()
    middle = np.sort(joined)[120]
    page = compare("binary", f"one=early:{place}&with=late:{place}&cohort=error:wrong")
    figures = shown(page, "Figures of both cohorts")
    weights = shown(page, "Importance in both cohorts")
    chance = np.array(told.details["probability"])[:, 1]
    truth = np.array(told.details["y_true"]) == "yes"
    said = np.array(told.details["predicted"]) == "yes"
    for k, part in enumerate([joined < middle, joined >= middle]):
        p, t = chance[part], truth[part]
        assert number(figures["Mean chance of y = yes"][k]) == pytest.approx(p.mean(), abs=6e-4)
        assert number(figures["Truly y = yes"][k]) == pytest.approx(t.mean(), abs=6e-4)
        assert number(figures["AUC"][k]) == pytest.approx(roc_auc_score(t, p), abs=6e-5)
        assert number(figures["Log loss"][k]) == pytest.approx(log_loss(t, p), abs=6e-5)
        assert number(figures["Accuracy"][k]) == pytest.approx(
            (said == truth)[part].mean(), abs=6e-4
        )
        for name, size in zip(told.feature_names, np.abs(told.values[part]).mean(axis=0)):
            assert number(weights[name][k]) == pytest.approx(size, rel=5e-3, abs=1e-4)
    label = page.locator("#cohorts svg").first.get_attribute("aria-label")
    half = np.sort(chance[joined < middle])[np.sum(joined < middle) // 2]
    assert float(label.split("the median is ")[1].split(" in ")[0]) == pytest.approx(half, rel=6e-3)
    wrong = np.abs(told.values[said != truth]).mean(axis=0).max()
    bar = page.locator(".imp-list .imp-value").first.inner_text().split()[0]
    assert float(bar) == pytest.approx(wrong, rel=5e-3)


def test_a_third_of_a_regressors_rows_against_all_others(stored, compare):
    told = explained(stored, "regression")
    page = compare("regression", "one=score:lowest")
    figures = shown(page, "Figures of both cohorts")
    said, truth = np.array(told.details["predicted"]), np.array(told.details["y_true"])
    low = told.margins[:, 0] < np.sort(told.margins[:, 0])[80]
    assert "80 rows" in page.locator("#cohorts .legend").first.inner_text()
    for k, part in enumerate([low, ~low]):
        mae, r2 = mean_absolute_error(truth[part], said[part]), r2_score(truth[part], said[part])
        assert number(figures["Mean absolute error"][k]) == pytest.approx(mae, rel=1e-3)
        assert number(figures["R²"][k]) == pytest.approx(r2, rel=1e-3, abs=6e-5)


def test_a_report_says_that_its_figures_are_of_a_sample(stored, small_pages, browser, tmp_path):
    run = load_run(stored[1]["binary"], store=stored[0])
    opened = Page(browser, write_report(run, tmp_path / "report.html", what_if=False))
    words = opened.page.locator("#cohorts .against").inner_text()
    assert "of a sample of 60 of 240 explained rows: this page does not hold the others" in words
    assert "rows of the sample" in words
    opened.close()

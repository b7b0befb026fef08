"""Answers recorded in a page that the model does not fit into: they are what the model says."""

import base64

import numpy as np
import pytest
from tests.view.conftest import Page

from pellucid.store.runs import load_run
from pellucid.view import carried, recorded
from pellucid.view.payload import build_payload, shown_rows
from pellucid.view.report import write_report


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(carried, "MOST_CHARACTERS", 10)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_recorded_answer_is_what_python_predicts_of_the_changed_row(stored, small_pages, task):
    run = load_run(stored[1][task], store=stored[0])
    predictor, shown = run.model(), shown_rows(run.explanation())
    told = build_payload(run)["model"]
    assert "a page carries at most" in told["why"]
    record = told["recorded"]
    said = np.frombuffer(base64.b64decode(record["margins"]["f32"]), "<f4")
    said = said.reshape(-1, len(record["rows"]), shown.n_outputs)
    grids = [(each["feature"], row) for each in record["features"] for row in each["at"]]
    assert {shown.feature_names[feature] for feature, _ in grids} == set(shown.feature_names)
    rows = shown.data.iloc[record["rows"]]
    for (feature, source), margins in zip(grids, said, strict=True):
        changed = rows.copy()
        changed.iloc[:, feature] = shown.data.iat[source, feature]
        right = predictor.margins(changed.astype(shown.data.dtypes))
        np.testing.assert_allclose(margins, right, rtol=1e-6, atol=1e-6)
    highest, lowest = shown.margins[:, 0].argmax(), shown.margins[:, 0].argmin()
    assert shown.n_outputs > 1 or {highest, lowest} <= set(record["rows"])


def test_a_page_says_of_one_change_at_a_time_what_was_recorded(
    stored, small_pages, browser, tmp_path
):
    run = load_run(stored[1]["binary"], store=stored[0])
    predictor, data = run.model(), run.explanation().data
    opened = Page(browser, write_report(run, tmp_path / "report.html"))
    form = opened.page.locator("#what-if")
    note = form.locator(".note").inner_text()
    assert note.startswith("Recorded answers, one change at a time.")
    rows = form.get_by_label("Row", exact=True)
    chosen = rows.locator("option").nth(3).get_attribute("value")
    rows.select_option(chosen)
    row = data.iloc[[int(chosen)]]

    form.get_by_label("job", exact=True).select_option("maid")
    only_job = row.assign(job="maid")
    assert _chance(form) == pytest.approx(predictor.predict_proba(only_job)[0, 1], abs=6e-3)
    age = form.get_by_label("age", exact=True)
    age.focus()
    opened.page.keyboard.press("End")
    only_age = row.assign(age=data["age"].max())
    assert age.get_attribute("aria-valuetext") == f"{data['age'].max():g}"
    assert _chance(form) == pytest.approx(predictor.predict_proba(only_age)[0, 1], abs=6e-3)
    assert "job is back as it was" in form.locator(".sentence").inner_text()
    ends = form.locator(".reach-row", has_text="age").locator(".reach-ends").inner_text()
    asked = [row.assign(age=value) for value in sorted(set(data["age"]))]
    every = np.array([predictor.predict_proba(each)[0, 1] for each in asked])
    low, high = (float(end) / 100 for end in ends.replace("%", "").split(" to "))
    assert every.min() - 6e-3 <= low < high <= every.max() + 6e-3
    form.get_by_role("button", name="As it was").click()
    assert _chance(form) == pytest.approx(predictor.predict_proba(row)[0, 1], abs=6e-3)
    opened.close()


def test_many_classes_and_columns_stay_within_what_a_page_holds(stored, monkeypatch):
    run = load_run(stored[1]["multiclass"], store=stored[0])
    shown = shown_rows(run.explanation())
    monkeypatch.setattr(recorded, "_NUMBERS", 400)
    record = recorded.recorded_answers(run.model(), shown)
    n_points = sum(len(each["at"]) for each in record["features"])
    assert len(record["rows"]) * n_points * shown.n_outputs <= 400
    assert len(record["rows"]) >= 5
    assert 1 <= len(record["features"]) < shown.n_features


def _chance(form):
    return float(form.locator(".verdict-value").inner_text().rstrip("%")) / 100

"""What the page's own code says of rows, held to what the model says in Python."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import table

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.view import carried
from pellucid.view.asking import answer_page
from pellucid.view.assets import _modules
from pellucid.view.linker import link
from pellucid.view.payload import build_payload, shown_rows
from pellucid.view.responding import Question, curves_of
from pellucid.view.studio.form import cells_of, row_from

_PROBE = 'import { openModel } from "./carried/model.js";\nglobalThis.openModel = openModel;\n'
_ASKING = """import { carriedAsker } from "./carried/asker.js";
import { createSubject } from "./model.js";
globalThis.askAll = async (payload, about, all) => {
  const asker = carriedAsker(createSubject(payload), payload.model, "");
  const said = [];
  for (const question of all) said.push(await asker[about](question));
  return said;
};
"""
_ASK = """async ([text, rows]) => {
  const model = await openModel(text);
  const numbers = (array) => Array.from(array, String);  // JSON has no NaN
  return { base: numbers(model.base), rows: rows.map((cells) => {
    const { engineered, margins, raw, fine } = model.explain(cells);
    return [engineered, margins, raw, fine].map(numbers);
  }) };
}"""


def _table(task):
    """Every kind of column: numbers, truths, few levels and many, texts, times; all with gaps."""
    frame = table(task, 200)
    rng = np.random.default_rng(3)
    frame["city"] = [f"city {i}" for i in rng.geometric(0.03, len(frame))]
    words = np.array(["très", "good", "<b>bad</b>", "İstanbul", "x", "soup\u0085"])
    frame["review"] = [" ".join(rng.choice(words, rng.integers(3, 9))) for _ in range(len(frame))]
    frame["review"] += [f" {i}" for i in range(len(frame))]
    frame["member"] = rng.random(len(frame)) < 0.5
    frame["stamp"] = 1.7e9 + rng.integers(0, 10**5, len(frame))
    for i, name in enumerate(frame.columns.drop(["y", "member"])):
        frame.loc[i::23, name] = None
    return frame


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def run(request, tmp_path_factory):
    frame = _table(request.param)
    kind = AutoMLRegressor if request.param == "regression" else AutoMLClassifier
    model = kind(
        max_trials=3, time_budget=None, n_cross_validations=2, seed=0,
        store=tmp_path_factory.mktemp("store"),
    )  # fmt: skip
    return model.fit(frame.drop(columns="y"), frame["y"]).run_


@pytest.fixture(scope="module")
def predictor(run):
    return run.model()


def test_a_page_says_of_odd_rows_what_python_says(predictor, browser):
    frame = predictor.frame(_table("binary").drop(columns="y").iloc[:40])
    rows = [cells_of(predictor.schema, row) for _, row in frame.iterrows()]
    rng = np.random.default_rng(0)
    for cells in rows:
        for name in rng.choice(list(cells), 2):
            odd = isinstance(cells[name], str) and name != "joined" and rng.random() < 0.5
            cells[name] = "never seen" if odd else None
    given = carried.carried_model(predictor, frame)
    modules = _modules(files("pellucid.view").joinpath("web"), "") | {"probe.js": _PROBE}
    page = browser.new_page()
    page.add_script_tag(content=link(modules, entry="probe.js"))
    said = page.evaluate(_ASK, [given["gzip"], rows])
    page.close()

    asked = pd.concat([row_from(predictor.schema, cells) for cells in rows], ignore_index=True)
    truth = predictor.explain(asked)
    expected = [truth.engineered.data, truth.margins, truth.values, truth.engineered.values]
    for found, right in zip(zip(*said["rows"]), expected):
        right = np.asarray(right, dtype=np.float64).reshape(len(rows), -1)
        np.testing.assert_allclose(np.array(found, dtype=np.float64), right, atol=1e-9)
    np.testing.assert_allclose(np.array(said["base"], float), truth.base_values, atol=1e-9)


def test_curves_in_a_page_are_those_of_the_live_model(run, predictor, browser):
    shown = shown_rows(run.explanation())
    names = list(shown.feature_names)
    fine = shown.engineered.n_features
    asked = [
        Question("raw", names.index("age"), shown.n_outputs - 1, 5, (5, 0, 1, 17)),
        Question("raw", names.index("city"), 0, 2, (2, 8)),
        Question("engineered", fine - 1, 0, 2, (2, 11)),
    ]
    said = _asked_in_a_page(browser, run, "curves", [vars(question) for question in asked])
    for found, question in zip(said, asked):
        right = curves_of(predictor, shown, question)
        assert found["mean"] == pytest.approx(right["mean"], abs=1e-9)
        assert found["row"] == pytest.approx(right["row"], abs=1e-9)
        assert found["n"] == right["n"]


def test_changes_found_in_a_page_are_as_few_as_pythons_and_the_model_agrees(
    run, predictor, browser
):
    shown = shown_rows(run.explanation())
    names = list(shown.feature_names)
    fixed = [names.index(name) for name in ("review", "joined")]
    rows = (0, 7, 20)
    wanted = None
    if shown.classes is None:
        above = float(np.median(shown.details["predicted"]))
        rows = [i for i in range(shown.n_rows) if shown.details["predicted"][i] < above][:3]
        wanted = [above, None]
    asked = [{"row": row, "wanted": wanted, "fixed": fixed} for row in rows]
    for question, found in zip(asked, _asked_in_a_page(browser, run, "changes", asked)):
        here = answer_page(predictor, shown, {"about": "changes", **question})
        fewest = [len(each["changes"]) for each in here["found"]][:1]
        counts = {len(each["changes"]) for each in found["found"]}
        assert counts == {n for n in fewest if n <= found["most"]}
        now = shown.data.iloc[[question["row"]]]
        for each in found["found"]:
            cells = {names[c["feature"]]: c["cell"] for c in each["changes"]}
            assert not {"review", "joined"} & set(cells)
            after = now.assign(**cells).astype(shown.data.dtypes)
            if wanted is None:
                assert predictor.predict(after)[0] != predictor.predict(now)[0]
                assert predictor.predict_proba(after)[0] == pytest.approx(each["response"])
            else:
                assert predictor.predict(after)[0] >= above
                assert predictor.predict(after) == pytest.approx(each["response"])


def test_what_would_change_the_answer_is_found_with_the_keyboard_alone(run, show):
    page = show(run)
    row = page.locator("#row")
    row.get_by_text("columns may change").focus()
    page.keyboard.press("Enter")
    row.get_by_role("checkbox", name="age").focus()
    page.keyboard.press("Space")
    if run.explanation().classes is None:
        row.get_by_label("Wanted").select_option("high")
        row.get_by_label("Limit of y").fill("-0.5")
    row.get_by_role("button", name="Find the fewest changes").focus()
    page.keyboard.press("Enter")
    changes = row.get_by_role("region", name="Changes after which the model says otherwise")
    changes.or_(row.get_by_text("None was found")).wait_for()
    assert "age" not in changes.locator(".move > bdi").all_inner_texts()
    if changes.count():
        says = changes.locator("tbody td").nth(1).inner_text().split()[0]
        changes.get_by_role("button", name="Try it in the form").first.focus()
        page.keyboard.press("Enter")
        page.locator("#what-if").get_by_text("Answered by the model").wait_for()
        assert says in page.locator("#what-if .verdict").inner_text()
    row.get_by_role("listbox").focus()
    page.keyboard.press("ArrowDown")
    assert row.locator(".changes").inner_text() == ""  # it was of another row


def _asked_in_a_page(browser, run, about, questions):
    page = browser.new_page()
    modules = _modules(files("pellucid.view").joinpath("web"), "") | {"probe.js": _ASKING}
    page.add_script_tag(content=link(modules, entry="probe.js"))
    given = [build_payload(run), about, questions]
    said = page.evaluate("(given) => askAll(...given)", given)
    page.close()
    return said


def test_a_model_that_takes_too_much_room_is_refused(predictor, monkeypatch):
    monkeypatch.setattr(carried, "MOST_CHARACTERS", 10)
    with pytest.raises(carried.CarriedError, match="a page carries at most"):
        carried.carried_model(predictor, pd.DataFrame(index=[0]))


def test_a_report_from_a_file_answers_an_edited_row_as_python_does(run, predictor, show):
    rows = run.explanation().data
    page = show(run)
    page.locator("#what-if").scroll_into_view_if_needed()
    form = page.locator("#what-if")
    form.get_by_label("Row", exact=True).select_option(index=3)
    row = rows.iloc[[3]].copy()
    assert _margin(page) == pytest.approx(_leading(run, predictor, row), rel=2e-3, abs=2e-3)
    form.get_by_label("age", exact=True).fill("31.5")
    form.get_by_label("job", exact=True).select_option("maid")
    form.get_by_label("income", exact=True).fill("")
    form.get_by_label("member", exact=True).select_option("false")
    form.get_by_label("review", exact=True).fill("soup, très good")
    form.get_by_text("Answered by the model").wait_for()
    page.wait_for_timeout(200)
    row["age"], row["job"], row["income"] = 31.5, "maid", np.nan
    row["member"], row["review"] = False, "soup, très good"
    assert _margin(page) == pytest.approx(_leading(run, predictor, row), rel=2e-3, abs=2e-3)
    truth = predictor.explain(row)
    for level, button in ((truth, "Raw"), (truth.engineered, "Engineered")):
        page.get_by_role("button", name=button).click()
        values = level.values.reshape(level.n_features, -1)[:, _output(run)]
        shown = form.locator(".waterfall .wf-row:not(.edge) .wf-value").first.inner_text()
        assert _number(shown) == pytest.approx(values[np.abs(values).argmax()], rel=5e-3)


def test_a_report_may_leave_its_model_out(run):
    assert "gzip" in build_payload(run)["model"]
    assert build_payload(run, what_if=False)["model"] is None


def test_a_report_says_why_its_model_cannot_come_along(runs, show):
    page = show(runs["binary"])
    assert "has no model files" in page.locator("#what-if .note").inner_text()
    assert show(runs["binary"], what_if=False).locator("#what-if").count() == 0


def _margin(page):
    """Where the section's waterfall ends."""
    return _number(page.locator("#what-if .wf-row.end .wf-value").inner_text())


def _number(text):
    return float(text.replace("\u2212", "-").replace("+", "").replace(",", ""))


def _leading(run, predictor, row):
    return predictor.margins(row)[0, _output(run)]


def _output(run):
    """The class that the report speaks of first: what the model says most often."""
    explanation = run.explanation()
    if explanation.n_outputs == 1:
        return 0
    said = list(explanation.details["predicted"])
    return max(range(explanation.n_outputs), key=lambda k: said.count(explanation.classes[k]))

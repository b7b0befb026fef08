"""What pages ask a live model: held to Shapley values, to brute force and to the model itself."""

import numpy as np
import pandas as pd
import pytest
from tests.view.conftest import table

from pellucid.explain.asking import AskError
from pellucid.explain.explainer import explain
from pellucid.explain.predictor import Predictor
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Rows, get_family
from pellucid.models.problem import Problem
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import infer_schema
from pellucid.view.asking import QuestionError, answer_page
from pellucid.view.notebook import ExplanationDashboard, explanation_page
from pellucid.view.responding import Question, curves_of


@pytest.fixture(scope="module")
def additive():
    """A linear model over a table that also has a constant column, and its explanation."""
    frame = table("multiclass", 120).assign(constant=1.0)
    X, y = frame.drop(columns="y"), frame["y"]
    schema = infer_schema(X)
    featurizer = Featurizer.fit(X, schema)
    features, matrix = featurizer.feature_map, featurizer.transform(X)
    classes, codes = np.unique(y, return_inverse=True)
    problem = Problem("multiclass", len(classes))
    given = {
        "family": "linear",
        "config": {"strength": 1.0},
        "columns": list(features.columns_for("indicators")),
        "categorical": [],
        "encoded": [],
    }
    member = get_family("view").fit(Rows(matrix, codes), problem, given, seed=0, rounds=5)
    ensemble = Ensemble((member,), np.ones(1), np.zeros(len(classes)), ("linear",))
    predictor = Predictor(problem, "y", classes, schema, featurizer, ensemble, matrix[:50])
    return predictor, predictor.explain(X.iloc[:30])


def test_partial_dependence_of_an_additive_model_is_its_shapley_values(additive):
    predictor, shown = additive
    at = tuple(range(shown.n_rows))
    for level, over in (("raw", shown), ("engineered", shown.engineered)):
        for feature in range(over.n_features):
            found = curves_of(predictor, shown, Question(level, feature, 2, 4, at))
            assert found["mean"] == pytest.approx(over.values[:, feature, 2], abs=1e-9)
            assert found["background"]
            assert found["n"] == len(predictor.background)


def test_a_rows_curve_is_what_the_model_says_of_the_row_with_each_value(additive):
    predictor, shown = additive
    at = (4, 0, 9, 17)
    for feature, name in enumerate(shown.feature_names):
        found = curves_of(predictor, shown, Question("raw", feature, 1, 4, at))
        rows = pd.concat([shown.data.iloc[[4]]] * len(at), ignore_index=True)
        rows[name] = shown.data[name].iloc[list(at)].to_numpy()
        assert found["row"] == pytest.approx(predictor.margins(rows)[:, 1], abs=1e-12)


def test_any_other_model_is_asked_over_the_rows_themselves():
    rows = pd.DataFrame({"a": np.arange(250.0), "b": np.arange(250.0) % 7})
    shown = explain(lambda x: x["a"] * x["b"], rows, background=rows.iloc[:20])
    found = answer_page(
        lambda x: x["a"] * x["b"], shown,
        {"about": "curves", "level": "raw", "feature": 0, "output": 0, "row": 3, "at": [3, 249]},
    )  # fmt: skip
    some = rows.iloc[np.linspace(0, 249, 100).round().astype(int)]
    means = [v * some["b"].mean() - (some["a"] * some["b"]).mean() for v in (3.0, 249.0)]
    assert found["mean"] == pytest.approx(means)
    assert found["row"] == pytest.approx([9.0, 747.0])
    assert (found["n"], found["background"]) == (100, False)
    with pytest.raises(AskError, match="only raw features"):
        curves_of(lambda x: x["a"], shown, Question("engineered", 0, 0, 0, (0,)))


def test_a_notebooks_page_asks_the_model_that_it_was_given(additive, browser, tmp_path):
    predictor, shown = additive
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(shown.show(model=predictor).save(tmp_path / "page.html").as_uri())
    page.locator("#dependence").get_by_label("Feature").first.select_option("job")
    page.locator("#dependence .response").scroll_into_view_if_needed()
    assert '"gzip"' in ExplanationDashboard(shown, predictor).page.html
    page.get_by_text("the mean of 50 background rows").wait_for()
    other = explain(predictor, shown.data, space="probability")
    assert '"model":null' in explanation_page(other, model=predictor).html
    context.close()


def test_changes_are_the_fewest_and_the_model_agrees(additive):
    predictor, shown = additive
    names = list(shown.feature_names)
    fixed = [names.index("job")]
    for row in range(0, 30, 3):
        now = shown.data.iloc[[row]]
        said = predictor.predict(now)[0]
        asked = {"about": "changes", "row": row, "wanted": None, "fixed": fixed}
        found = answer_page(predictor, shown, asked)
        alone = [
            now.assign(**{name: shown.data[name].iloc[other]})
            for name in names
            if name != "job"
            for other in range(shown.n_rows)
        ]
        flips = predictor.predict(pd.concat(alone)) != said
        assert flips.any() == any(len(each["changes"]) == 1 for each in found["found"])
        for each in found["found"]:
            cells = {names[c["feature"]]: c["cell"] for c in each["changes"]}
            assert "job" not in cells
            after = now.assign(**cells).astype(shown.data.dtypes)
            assert predictor.predict(after)[0] != said
            assert predictor.predict_proba(after)[0] == pytest.approx(each["response"])


def test_where_nothing_changes_the_answer_the_reason_holds_no_advice_for_code(additive):
    predictor, shown = additive
    everything = list(range(shown.n_features))
    asked = {"about": "changes", "row": 0, "wanted": None, "fixed": everything}
    found = answer_page(predictor, shown, asked)
    assert found["found"] == []
    assert "no column may move" in found["why"]
    assert "immutable=" not in found["why"]


@pytest.mark.parametrize(
    "change",
    [
        {"about": "everything"},
        {"level": "middle"},
        {"feature": 99},
        {"feature": True},
        {"row": -1},
        {"row": "<script>"},
        {"output": None},
        {"at": []},
        {"at": [0] * 65},
        {"at": [1e9]},
        {"about": "changes", "fixed": 3},
        {"about": "changes", "fixed": ["age"]},
        {"about": "changes", "wanted": 4},
        {"about": "changes", "wanted": [None, None]},
    ],
    ids=str,
)
def test_a_question_about_what_there_is_not_is_refused(additive, change):
    question = {"about": "curves", "feature": 0, "output": 0, "row": 0, "at": [0], **change}
    with pytest.raises(QuestionError, match=r"there is no|may ask|has no|must list"):
        answer_page(*additive, question)

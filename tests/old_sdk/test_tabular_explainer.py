"""TabularExplainer: the importances of raw columns add up to what the model says."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pellucid.azureml.scoring import KernelScoringExplainer, load, save
from pellucid.azureml.tabular import TabularExplainer, TabularExplainerError

rng = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "age": rng.normal(40, 9, 200),
        "pay": rng.normal(size=200),
        "job": rng.choice(list("abc"), 200),
    }
)
LABELS = np.where(ROWS["age"] + 9 * (ROWS["job"] == "b") > 42, "yes", "no")
JOB = OneHotEncoder(sparse_output=False).fit(ROWS[["job"]])
SCALE = StandardScaler().fit(ROWS[["age", "pay"]])


@pytest.fixture
def pipeline():
    columns = ColumnTransformer([("n", StandardScaler(), ["age", "pay"]), ("c", JOB, ["job"])])
    forest = RandomForestClassifier(8, max_depth=4, random_state=0)
    return Pipeline([("columns", columns), ("forest", forest)]).fit(ROWS, LABELS)


def explainer_of(pipeline, **others):
    return TabularExplainer(
        pipeline[-1], ROWS, features=ROWS.columns, classes=["no", "yes"],
        transformations=pipeline[0], **others,
    )  # fmt: skip


def test_raw_columns_are_explained_through_the_transformations(pipeline):
    found = explainer_of(pipeline).explain_global(ROWS[:20])
    assert found.features == ["age", "pay", "job"]
    assert found.classes == ["no", "yes"]
    assert found.explanation.certificate.method == "exact"
    sums = np.sum(found.local_importance_values[1], axis=1) + found.expected_values[1]
    np.testing.assert_allclose(sums, pipeline.predict_proba(ROWS[:20])[:, 1], atol=1e-9)


def test_a_list_of_transformers_says_the_same_as_a_column_transformer():
    parts = [(["age", "pay"], SCALE), (["job"], JOB)]
    columns = ColumnTransformer([("n", SCALE, ["age", "pay"]), ("c", JOB, ["job"])]).fit(ROWS)
    model = LogisticRegression().fit(columns.transform(ROWS), LABELS)
    found = TabularExplainer(model, ROWS, features=ROWS.columns, transformations=parts)
    told = found.explain_local(ROWS[:5])
    sums = np.sum(told.explanation.values, axis=1) + told.explanation.base_values
    np.testing.assert_allclose(sums, model.predict_proba(columns.transform(ROWS[:5])), atol=1e-9)
    with pytest.raises(TabularExplainerError, match="has no transform"):
        TabularExplainer(model, ROWS, transformations=[(["age"], [object()])]).model(ROWS)


def test_one_row_and_rows_without_names(pipeline):
    explainer = explainer_of(pipeline)
    one = explainer.explain_local(ROWS.iloc[3])
    many = explainer.explain_local(ROWS[3:5])
    assert np.shape(one.local_importance_values) == (2, 1, 3)
    assert one.local_importance_values[1][0] == many.local_importance_values[1][0]


def test_it_makes_a_scoring_explainer_that_is_saved(pipeline, tmp_path):
    explainer = explainer_of(pipeline)
    save(KernelScoringExplainer(explainer), str(tmp_path))
    again = load(str(tmp_path))
    assert again.features == ["age", "pay", "job"]
    assert again.explain(ROWS[:2]) == explainer.explain_local(ROWS[:2]).local_importance_values

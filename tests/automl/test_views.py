"""What families are told of the engineered columns that they see."""

import numpy as np
import pandas as pd

from pellucid.automl.views import views_of
from pellucid.models.family import Rows, get_family
from pellucid.models.problem import Problem
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import infer_schema


def test_linear_models_are_told_which_columns_are_words():
    rng = np.random.default_rng(0)
    words = ["good", "bad", "slow", "fast", "cheap", "dear", "fresh", "stale", "sweet", "sour"]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(200)]
    frame = pd.DataFrame({"age": rng.normal(size=200), "review": texts})
    schema = infer_schema(frame, overrides={"review": "text"})
    featurizer = Featurizer.fit(frame, schema)
    X, names = featurizer.transform(frame), featurizer.feature_map.engineered_names
    y = 3.0 * np.array(["good" in text for text in texts]) + rng.normal(size=200)
    for view in views_of(featurizer.feature_map).values():
        assert {names[i] for i in view.words} == {f"review~{word}" for word in words}
    view = views_of(featurizer.feature_map)["indicators"]
    config = {"family": "linear", "config": {"strength": 1.0}, "columns": view.columns}
    problem = Problem("regression")
    told = get_family("view").fit(Rows(X, y), problem, {**config, "words": view.words}, seed=0)
    seen = np.take(X, view.columns, axis=1)
    own = Rows(seen, y, words=tuple(view.columns.index(i) for i in view.words))
    expected = get_family("linear").fit(own, problem, {"strength": 1.0}, seed=0)
    assert np.array_equal(told.margins(X), expected.margins(seen))
    untold = get_family("view").fit(Rows(X, y), problem, config, seed=0)
    assert not np.allclose(told.margins(X), untold.margins(X))

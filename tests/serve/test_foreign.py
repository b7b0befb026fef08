"""Scorers of models of other libraries: what the model predicts, reasons that add up, no code."""

import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid.serve.errors import ServeError
from pellucid.serve.foreign import load_scorer, scorer_of
from pellucid.serve.foreign.tables import LINKS

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(300, 4)), columns=["a", "b", "c", "d"])
SCORE = X["a"] * X["b"] + X["c"]
TWO = np.where(SCORE > 0, "good", "bad")
THREE = np.digitize(SCORE, [-0.5, 0.5])
SETTINGS = {"n_estimators": 10, "verbose": -1, "n_jobs": 1}
MODELS = {
    "boosted classes": (lgb.LGBMClassifier(**SETTINGS), TWO, "tree"),
    "boosted three": (lgb.LGBMClassifier(**SETTINGS), THREE, "tree"),
    "boosted values": (lgb.LGBMRegressor(**SETTINGS), SCORE, "tree"),
    "boosted counts": (lgb.LGBMRegressor(objective="poisson", **SETTINGS), SCORE - SCORE.min(),
                       "tree"),
    "forest": (RandomForestClassifier(5, random_state=0), TWO, "tree"),
    "forest of three": (RandomForestClassifier(5, random_state=0), THREE, "tree"),
    "line": (LinearRegression(), SCORE, "linear"),
    "logistic": (LogisticRegression(), TWO, "linear"),
    "logistic of three": (LogisticRegression(), THREE, "linear"),
    "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), TWO, "sampled"),
    "neighbours": (KNeighborsRegressor(), SCORE, "sampled"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MODELS))
def test_predictions_and_reasons_survive_the_folder(name, tmp_path):
    model, y, kind = MODELS[name]
    model = model.fit(X, y)
    scorer = scorer_of(model, X[:50])
    assert scorer.kind == kind
    scorer.save(tmp_path / "scorer")
    kinds = {path.suffix for path in (tmp_path / "scorer").iterdir()}
    assert kinds <= {".json", ".bin", ".parquet"}
    loaded = load_scorer(tmp_path / "scorer", model=model if kind == "sampled" else None)
    rows = X[100:120]
    told, again = scorer.score(rows), loaded.score(rows)
    np.testing.assert_array_equal(told.values, again.values)
    assert told.names == ("a", "b", "c", "d")
    if told.probabilities is None:
        np.testing.assert_allclose(again.predictions, model.predict(rows), rtol=1e-6)
    else:
        np.testing.assert_array_equal(again.predictions, model.predict(rows))
        np.testing.assert_allclose(again.probabilities, model.predict_proba(rows), atol=1e-6)
    assert told.method == "exact"
    sums = told.values.reshape(len(rows), 4, -1).sum(axis=1) + told.base_values
    response = LINKS["sigmoid" if name == "pipeline" else getattr(scorer, "link", "identity")](sums)
    wanted = told.predictions if told.probabilities is None else told.probabilities
    np.testing.assert_allclose(response[:, -1], wanted.reshape(len(rows), -1)[:, -1], atol=1e-6)


def test_a_scorer_of_tables_needs_no_library_of_the_model(tmp_path):
    scorer_of(lgb.LGBMClassifier(**SETTINGS).fit(X, TWO), X[:50]).save(tmp_path / "scorer")
    X[:3].to_parquet(tmp_path / "rows.parquet")
    code = """
import sys
for name in ("lightgbm", "sklearn"):
    sys.modules[name] = None
import pandas as pd
from pellucid.serve.foreign import load_scorer
told = load_scorer("scorer").score(pd.read_parquet("rows.parquet"))
print(told.predictions.tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "good" in done.stdout or "bad" in done.stdout


def test_groups_of_columns_play_together(tmp_path):
    model = lgb.LGBMRegressor(**SETTINGS).fit(X, SCORE)
    told = scorer_of(model, X[:50], players={"ab": ["a", "b"], "cd": ["c", "d"]}).score(X[:5])
    assert told.names == ("ab", "cd")
    np.testing.assert_allclose(told.values.sum(axis=1) + told.base_values, model.predict(X[:5]))


def test_columns_are_found_by_name_and_missed_by_name():
    scorer = scorer_of(LinearRegression().fit(X, SCORE), X[:50])
    turned = X[["d", "c", "b", "a"]][:5]
    np.testing.assert_array_equal(scorer.score(turned).values, scorer.score(X[:5]).values)
    with pytest.raises(ServeError, match="'b'"):
        scorer.score(X[:5].drop(columns="b"))
    with pytest.raises(ServeError, match="must be numbers"):
        scorer.score(X[:5].assign(a="one"))


def test_what_is_refused_says_why(tmp_path):
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, TWO)
    with pytest.raises(ServeError, match="steps before it"):
        scorer_of(pipe, X[:50], kind="linear")
    with pytest.raises(ServeError, match="it is tree"):
        scorer_of(lgb.LGBMRegressor(**SETTINGS).fit(X, SCORE), X[:50], kind="linear")
    scorer_of(pipe, X[:50]).save(tmp_path / "asks")
    with pytest.raises(ServeError, match="give it with model="):
        load_scorer(tmp_path / "asks")
    with pytest.raises(ServeError, match="not empty"):
        scorer_of(pipe, X[:50]).save(tmp_path / "asks")
    with pytest.raises(ServeError, match="holds no scorer"):
        load_scorer(tmp_path)
    scorer_of(LinearRegression().fit(X, SCORE), X[:50]).save(tmp_path / "line")
    tables = tmp_path / "line" / "tables.bin"
    tables.write_bytes(tables.read_bytes()[:-3] + b"abc")
    with pytest.raises(ServeError, match="damaged"):
        load_scorer(tmp_path / "line")

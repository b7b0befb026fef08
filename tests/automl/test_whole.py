"""Training from a table on disk: searched on a sample, learned from all rows, the same bits."""

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.parameters import ParameterError
from pellucid.automl.whole import WholeError
from pellucid.search.plan import PlanError
from pellucid.tabular.errors import ReadError


def table(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "kind": rng.choice(["a", "b", "c", None], n),
            "year": rng.choice([2023, 2024], n),
            "counts": rng.uniform(0.5, 2, n),
        }
    )
    frame.loc[n // 2 :: 3, "visits"] = pd.NA
    signal = frame["size"] + (frame["kind"] == "a") + 0.3 * rng.normal(size=n)
    frame["y"] = np.where(signal > 0.4, "yes", "no")
    frame.loc[::97, "y"] = None
    frame["value"] = signal
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("rows")
    for year, rows in table().drop(columns="value").groupby("year"):
        inside = home / f"year={year}"
        inside.mkdir()
        for name, piece in (("a", rows[:700]), ("b", rows[700:])):
            piece.drop(columns="year").to_parquet(inside / f"{name}.parquet", index=False)
    return home


@pytest.fixture(scope="module")
def trained(folder):
    return AutoMLClassifier(
        time_budget=None, max_trials=5, store=False, sample_rows=600,
        allowed_families=["lightgbm", "linear", "spline"],
    ).fit(folder, "y", sample_weight="counts")  # fmt: skip


def test_members_learn_from_all_rows_and_say_which_do_not(trained, folder):
    told = trained.training_["whole"]
    known = table().dropna(subset="y")
    assert told["n_rows"] == len(known)
    assert told["n_sample"] == 600
    members = trained.training_["ensemble"]
    whole = [part for part in trained.plan_.members if part.whole]
    assert whole
    assert {m["name"] for m in members} == {p.spec.name for p in whole} | set(told["on_sample"])
    assert {m["family"] for m in members if m["name"] in told["on_sample"]} <= {"spline"}
    explained = trained.explain(known[:50])
    np.testing.assert_allclose(explained.margins, trained.predictor_.margins(known[:50]), atol=1e-9)


def test_a_plan_gives_the_same_bits(trained, folder, tmp_path):
    again = pellucid.replay(trained.plan_, folder, "y", "counts", n_jobs=1)
    rows = table(200, seed=2)
    assert np.array_equal(again.margins(rows), trained.predictor_.margins(rows))
    table().drop(columns="value")[100:].to_parquet(tmp_path / "other.parquet")
    with pytest.raises(PlanError, match="not the table of the plan"):
        pellucid.replay(trained.plan_, tmp_path / "other.parquet", "y", "counts")


def test_a_table_that_the_sample_holds_is_trained_as_in_memory(tmp_path):
    rows = table(300)[["size", "kind", "value"]]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    options = {"time_budget": None, "max_trials": 3, "store": False}
    ours = AutoMLRegressor(**options).fit(tmp_path / "rows.csv", "value")
    read = pd.read_csv(tmp_path / "rows.csv")
    theirs = AutoMLRegressor(**options).fit(read.drop(columns="value"), read["value"])
    assert np.array_equal(ours.predict(read), theirs.predict(read))
    assert "whole" not in ours.training_


def test_without_time_the_sample_must_do(folder):
    model = AutoMLClassifier(
        time_budget=2, max_trials=3, store=False, sample_rows=600, model_explainability=False
    ).fit(folder, "y")
    told = model.training_["whole"]
    whole = {part.spec.name for part in model.plan_.members if part.whole}
    assert whole | set(told["on_sample"]) == {p.spec.name for p in model.plan_.members}


def test_what_cannot_work_is_named(folder, tmp_path):
    clf = AutoMLClassifier(store=False)
    with pytest.raises(WholeError, match="y must be the name of a column where X is a path"):
        clf.fit(folder, table()["y"])
    with pytest.raises(WholeError, match="sample_weight must be the name"):
        clf.fit(folder, "y", sample_weight="weight")
    with pytest.raises(ParameterError, match="class_weight"):
        AutoMLClassifier(class_weight="balanced").fit(folder, "y")
    with pytest.raises(ReadError, match="no file"):
        clf.fit(tmp_path / "none.parquet", "y")

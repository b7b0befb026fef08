"""Training from a Dask DataFrame: searched on a sample, learned from all of its partitions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dask_cluster import two_workers

import pellucid
from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.whole import WholeError
from pellucid.search.plan import PlanError
from pellucid.tabular.errors import ReadError
from pellucid.tabular.frames import to_frame
from pellucid.tabular.partitions import draw_partitions

dd = pytest.importorskip("dask.dataframe")
OPTIONS = {"time_budget": None, "store": False, "sample_rows": 500}


def table(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "kind": rng.choice(["a", "b", "c", None], n),
            "counts": rng.uniform(0.5, 2, n),
        }
    )
    signal = frame["size"] + (frame["kind"] == "a") + 0.3 * rng.normal(size=n)
    frame["y"] = np.where(signal > 0.4, "yes", "no")
    frame.loc[::97, "y"] = None
    return frame.sort_values("y", ignore_index=True)


def lazy_table(n_partitions=7):
    return dd.from_pandas(table(), npartitions=n_partitions)


@pytest.fixture(scope="module")
def trained():
    return AutoMLClassifier(
        **OPTIONS, max_trials=4, allowed_families=["lightgbm", "linear"]
    ).fit(lazy_table(), "y", "counts")  # fmt: skip


def test_members_learn_from_all_partitions(trained):
    known = table().dropna(subset="y")
    told = trained.training_["whole"]
    assert (told["n_rows"], told["n_sample"], told["shares"]) == (len(known), 500, 0)
    assert told["on_sample"] == {}
    assert all(part.whole for part in trained.plan_.members)
    explained = trained.explain(known[:40])
    np.testing.assert_allclose(explained.margins, trained.predictor_.margins(known[:40]), atol=1e-9)
    assert trained.feature_names_in_.tolist() == ["size", "kind"]


def test_a_plan_is_replayed_from_the_same_partitions(trained):
    again = pellucid.replay(trained.plan_, lazy_table(), "y", "counts", n_jobs=1)
    assert np.array_equal(again.margins(table()), trained.predictor_.margins(table()))
    with pytest.raises(PlanError, match="the Dask DataFrame is not the table of the plan"):
        pellucid.replay(trained.plan_, lazy_table().partitions[:3], "y", "counts")
    with pytest.raises(PlanError, match="not the one of the plan"):  # others are drawn
        pellucid.replay(trained.plan_, lazy_table(5), "y", "counts")


def test_estimators_answer_about_a_dask_frame_lazily(trained):
    rows = table().set_index(np.arange(2000) + 7)
    lazy = dd.from_pandas(rows, npartitions=3)
    labels, shares, why = (
        ask(lazy) for ask in (trained.predict, trained.predict_proba, trained.explain)
    )
    assert (labels.npartitions, labels.name, list(shares.columns)) == (3, "y", ["no", "yes"])
    assert np.array_equal(labels.compute(), trained.predict(rows))
    assert np.array_equal(shares.compute(), trained.predict_proba(rows))
    expected = trained.explain(rows)
    assert np.array_equal(why.compute()[list(expected.feature_names)], expected.values)
    assert labels.compute().index.equals(rows.index)


def test_a_frame_that_the_sample_holds_is_trained_as_in_memory():
    rows = table(300).dropna()[["size", "kind", "counts"]].reset_index(drop=True)
    options = {"time_budget": None, "max_trials": 3, "store": False}
    ours = AutoMLRegressor(**options).fit(dd.from_pandas(rows, npartitions=4), "counts")
    theirs = AutoMLRegressor(**options).fit(rows.drop(columns="counts"), rows["counts"])
    assert np.array_equal(ours.predict(rows), theirs.predict(rows))
    assert "whole" not in ours.training_


def test_every_row_is_as_likely_to_be_drawn_within_its_class():
    rows = pd.DataFrame({"i": range(3000), "y": ["common"] * 2900 + ["rare"] * 80 + [None] * 20})
    lazy = dd.from_pandas(rows, npartitions=9)
    times = np.zeros(3000)
    for seed in range(60):
        drawn = draw_partitions(lazy, 300, known="y", strata="y", seed=seed)
        assert drawn.n_rows == 2980
        assert drawn.rows["y"].value_counts().to_dict() == {"common": 292, "rare": 50}
        times[drawn.rows["i"]] += 1
    assert times[2980:].sum() == 0
    # binomial: 60 draws of a tenth, three in 290 rows beyond 4.5 standard deviations are too many
    expected = 60 * 292 / 2900
    by_partition = times[:2900].reshape(29, 100).sum(axis=1)
    assert np.abs(by_partition - 100 * expected).max() < 4.5 * np.sqrt(100 * expected)
    again = draw_partitions(lazy, 300, known="y", strata="y", seed=3)
    same = draw_partitions(lazy, 300, known="y", strata="y", seed=3)
    assert again.rows.equals(same.rows)
    plain = draw_partitions(lazy, 300, known="y", seed=1).rows
    assert (len(plain), plain["i"].is_unique) == (300, True)


def test_what_cannot_work_is_named():
    clf = AutoMLClassifier(store=False)
    with pytest.raises(WholeError, match=r"y must be the name of a column .* Dask DataFrame has"):
        clf.fit(lazy_table(), lazy_table()["y"])
    with pytest.raises(WholeError, match="sample_weight must be the name"):
        clf.fit(lazy_table(), "y", sample_weight="weight")
    empty = table().assign(y=None)
    with pytest.raises(ReadError, match="no rows with a 'y'"):
        clf.fit(dd.from_pandas(empty, npartitions=2), "y")
    many = pd.DataFrame({"a": range(2100), "y": [f"label {i}" for i in range(2100)]})
    with pytest.raises(ReadError, match="too many for classes"):
        clf.fit(dd.from_pandas(many, npartitions=2), "y")
    with pytest.raises(ReadError, match="a Dask DataFrame is not gathered here"):
        to_frame(lazy_table())


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed")
    with two_workers(set_as_default=False) as client:
        yield client


@pytest.mark.slow
def test_workers_learn_from_the_partitions_that_they_have(client):
    lazy = lazy_table(9).persist(scheduler=client)
    with pellucid.cluster(client):
        clf = AutoMLClassifier(
            **OPTIONS, max_trials=6, allowed_families=["lightgbm", "linear"],
            model_explainability=False,
        ).fit(lazy, "y", "counts")  # fmt: skip
    told = clf.training_["whole"]
    assert (told["shares"], told["on_sample"]) == (2, {})
    assert all(part.whole for part in clf.plan_.members)
    rows = table(300, seed=1)
    explained = clf.explain(rows)
    total = explained.values.sum(axis=1) + explained.base_values
    np.testing.assert_allclose(total, clf.predictor_.margins(rows)[:, 0], atol=1e-6)
    here = AutoMLClassifier(
        **OPTIONS, max_trials=6, allowed_families=["lightgbm", "linear"],
        model_explainability=False,
    ).fit(lazy_table(9), "y", "counts")  # fmt: skip
    gap = np.abs(clf.predict_proba(rows) - here.predict_proba(rows)).max()
    assert gap < 0.05
    left = client.run(_shares_left)
    assert set(left.values()) == {0}


def _shares_left(dask_worker):
    return len(list(Path(dask_worker.local_directory).glob("pellucid-share-*")))


@pytest.mark.slow
def test_a_partition_that_does_not_fit_is_named(client):
    rows = table().assign(value=lambda frame: frame["size"])
    rows.loc[1999, "value"] = np.inf
    lazy = dd.from_pandas(rows.drop(columns=["counts", "y"]), npartitions=4)
    reg = AutoMLRegressor(**OPTIONS, max_trials=2, allowed_families=["lightgbm"])
    with (
        pytest.raises(WholeError, match=r"partition 3 .*infinite"),
        pellucid.cluster(client),
    ):
        reg.fit(lazy, "value")
    assert set(client.run(_shares_left).values()) == {0}

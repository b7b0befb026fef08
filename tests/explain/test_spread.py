"""Workers give the bits of one machine; one that is killed loses and doubles no row."""

import os
import signal

import numpy as np
import pandas as pd
import pytest
from tests.dask_cluster import two_workers

import pellucid
from pellucid import AutoMLClassifier
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.frames import importance
from pellucid.explain.spread import SpreadError
from pellucid.explain.stream import explain_parquet
from pellucid.serve.errors import ServeError
from pellucid.serve.watch.drift import measure
from pellucid.serve.watch.frames import measure_frame
from pellucid.serve.watch.window import Window

distributed = pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client():
    with two_workers(set_as_default=True) as client:
        yield client


def _table(n=600):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, n),
            "job": rng.choice(["a", "b", None], n),
            "joined": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
        }
    )
    return frame, np.digitize(frame["age"] / 9 + (frame["job"] == "a"), [4, 5])


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request):
    X, y = _table()
    y = y if request.param == 3 else np.where(y > 1, "yes", "no")
    return AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)


@pytest.mark.parametrize("level", ["raw", "engineered"])
def test_a_dask_frame_gives_the_bits_of_its_rows(client, fitted, level):
    X, _ = _table()
    X = X.set_axis([f"row {i:03}" for i in range(len(X))])
    lazy = pellucid.explain(fitted, dd.from_pandas(X, npartitions=5), players=level)
    found = lazy.compute()
    assert list(lazy.columns) == list(found.columns)
    whole = fitted.predictor_.explain(X)
    whole = whole if level == "raw" else whole.engineered
    n_outputs = whole.n_outputs
    cube = found[list(whole.feature_names)].to_numpy().reshape(len(X), n_outputs, -1)
    expected = whole.values.reshape(*whole.values.shape[:2], n_outputs)
    assert np.array_equal(np.swapaxes(cube, 1, 2), expected)
    assert found.index.tolist() == X.index.repeat(n_outputs).tolist()


def test_importance_is_summed_as_a_tree(client, fitted):
    X, _ = _table()
    cohorts = {"young": "age < 35", "clerks": "job == 'a'", "none": "age > 1000"}
    frame = dd.from_pandas(X, npartitions=11)
    found = importance(fitted, frame, cohorts=cohorts)
    whole = fitted.predictor_.explain(X)
    sizes = np.abs(whole.values.reshape(*whole.values.shape[:2], -1)).mean(axis=2)
    inside = {
        "all rows": X["age"] == X["age"], "young": X["age"] < 35, "clerks": X["job"] == "a",
        "none": X["age"] > 1000,
    }  # fmt: skip
    for name, mask in inside.items():
        rows = sizes[mask.to_numpy()]
        expected = rows.mean(axis=0) if len(rows) else np.zeros(sizes.shape[1])
        np.testing.assert_allclose(found.loc[list(whole.feature_names), name], expected)
        assert found.attrs["rows"][name] == len(rows)
    assert found["all rows"].is_monotonic_decreasing
    with pytest.raises(ExplanationError, match="name of the whole"):
        importance(fitted, frame, cohorts={"all rows": "age > 1"})
    with pytest.raises(ExplanationError, match="explained exactly"):
        pellucid.explain(fitted, frame, method="sampled")
    with pytest.raises(ExplanationError, match="a dict cannot explain"):
        pellucid.explain({}, frame)


def test_drift_is_summed_as_a_tree(client, fitted):
    X, _ = _table(900)
    X["age"] = X["age"].where(X.index % 9 > 0) + 12
    model = fitted.predictor_
    explained = model.explain(X)
    values = explained.values.reshape(*explained.values.shape[:2], -1)
    window = Window(X, (), model.margins(X), values, (), pd.Series(dtype=object), 0)
    ours, theirs = measure_frame(fitted, dd.from_pandas(X, npartitions=11)), measure(model, window)
    assert [each.name for each in ours.features] == [each.name for each in theirs.features]
    for one, other in ((ours, theirs), *zip(ours.features, theirs.features, strict=True)):
        for name, value in vars(other).items():
            if isinstance(value, float):
                assert getattr(one, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name
            elif name != "features":
                assert getattr(one, name) == value
    assert any("age drifts" in alarm for alarm in ours.alarms())
    with pytest.raises(ServeError, match="9 rows are too few"):
        measure_frame(fitted, dd.from_pandas(X[:9], npartitions=2))


@pytest.fixture
def folder(tmp_path):
    X, _ = _table()
    for k in range(6):
        inside = tmp_path / "rows" / f"part={k % 2}"
        inside.mkdir(parents=True, exist_ok=True)
        X[k * 100 : k * 100 + 100].to_parquet(inside / f"{k}.parquet", index=False)
    return tmp_path / "rows"


@pytest.mark.posix
def test_a_killed_worker_loses_and_doubles_no_row(client, fitted, folder, tmp_path):
    model = fitted.predictor_
    here = explain_parquet(model, folder, tmp_path / "here", rows_per_chunk=10)
    told = []

    def tell(done, total):
        told.append(done)
        if 100 <= done < 200:
            pids = client.run(os.getpid)
            os.kill(min(pids.values()), signal.SIGKILL)

    with pellucid.cluster(client):
        there = explain_parquet(model, folder, tmp_path / "there", rows_per_chunk=10, progress=tell)
        again = explain_parquet(model, folder, tmp_path / "there", rows_per_chunk=10)
    assert (there.rows, there.files, again.resumed) == (600, 6, 6)
    assert there.importance == here.importance == again.importance
    assert told == sorted(told)
    assert told[-1] == 600
    files = [
        sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file())
        for home in (tmp_path / "here", tmp_path / "there")
    ]
    assert files[0] == files[1]  # no scratch is left
    ours, theirs = (
        pd.read_parquet(home).reset_index(drop=True)
        for home in (tmp_path / "there", tmp_path / "here")
    )
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_files_that_workers_do_not_see_are_told(client, fitted, tmp_path):
    from pellucid.explain.carried import Carried
    from pellucid.explain.spread import write_parts
    from pellucid.tabular.parts import Part

    X, _ = _table()
    X.to_parquet(tmp_path / "a.parquet")
    part = Part(tmp_path / "b.parquet", tmp_path / "b.parquet")
    with pytest.raises(SpreadError, match=r"a worker sees no .*b\.parquet; source and target"):
        write_parts(client, Carried.of(fitted.predictor_), [part], tmp_path, print, print)

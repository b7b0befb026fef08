"""A cluster gives the bits of one machine; a worker that dies costs its own trial."""

import os
import signal
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from tests.dask_cluster import two_workers

import pellucid
from pellucid import AutoMLClassifier
from pellucid.search import cluster, cluster_workers
from pellucid.search.cluster_workers import ClusterError, ClusterWorkers

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client():
    with two_workers(set_as_default=False) as client:
        yield client


def table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"size": rng.normal(size=n), "kind": rng.choice(list("abcd"), n)})
    y = X["size"] + (X["kind"] == "a") + 0.3 * rng.normal(size=n) > 0.3
    return X, np.where(y, "yes", "no")


OPTIONS = {"time_budget": None, "max_trials": 6, "model_explainability": False}


@pytest.fixture(scope="module")
def on_cluster(client, tmp_path_factory):
    store = str(tmp_path_factory.mktemp("store"))
    with pellucid.cluster(client.scheduler.address):
        return AutoMLClassifier(**OPTIONS, store=store).fit(*table())


def test_a_cluster_gives_the_bits_of_one_machine(client, on_cluster):
    X, y = table()
    here = AutoMLClassifier(**OPTIONS, store=False).fit(X, y)
    assert np.array_equal(on_cluster.predictor_.margins(X), here.predictor_.margins(X))
    plan = on_cluster.plan_
    assert np.array_equal(pellucid.replay(plan, X, y).margins(X), here.predictor_.margins(X))
    with pellucid.cluster(client):
        there = pellucid.replay(plan, X, y)
    assert np.array_equal(there.margins(X), here.predictor_.margins(X))


def test_every_trial_is_in_the_store_with_its_members(on_cluster):
    run = on_cluster.run_
    board = run.leaderboard
    assert len(board) == 7
    X, _ = table()
    for iteration in board["iteration"]:
        assert np.isfinite(run.model(iteration=iteration).margins(X)).all()


@pytest.mark.posix
def test_a_killed_worker_costs_its_own_trial(client):
    before = client.run(os.getpid)
    ended = []

    def tell(progress):
        if progress.record is not None:
            ended.append(progress.record)
            if len(ended) == 4:
                os.kill(min(before.values()), signal.SIGKILL)

    X, y = table(4000)
    with pellucid.cluster(client):
        model = AutoMLClassifier(
            **{**OPTIONS, "max_trials": 10}, store=False, progress=tell,
            allowed_families=["lightgbm", "linear"],
        ).fit(X, y)  # fmt: skip
    assert sorted(record.iteration for record in ended) == list(range(10))
    lost = [record for record in ended if record.status == "failed"]
    assert len(lost) <= 1
    assert [record.note for record in lost if "is gone" not in record.note] == []
    assert np.isfinite(model.predict_proba(X)).all()
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(before.values())


def test_what_cannot_be_used_is_told(client, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT", 0.5)
    with (
        pytest.raises(ClusterError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"),
        pellucid.cluster("tcp://127.0.0.1:9"),
    ):
        pass
    monkeypatch.setattr(cluster_workers, "versions", lambda: {"lightgbm": "0.1"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ClusterError, match=r"lightgbm .* instead of 0\.1"):
            ClusterWorkers(client)


def test_a_task_that_is_ended_gives_its_worker_back(client, tmp_path):
    def sleep(data, seconds):
        time.sleep(seconds)

    def left_of(data, deadline):
        return deadline - time.monotonic()

    from pellucid.models.problem import Problem
    from pellucid.search.folds import random_folds
    from pellucid.search.trials import DataRef

    y = np.arange(20) % 2
    problem = Problem("binary", 2)
    X = np.zeros((20, 1), dtype=np.float32)
    folds = random_folds(y, problem, n_folds=2, seed=0)
    data = DataRef.write(tmp_path, X, y, folds, problem)
    with ClusterWorkers(client) as workers:
        busy = [workers.submit(sleep, data, 600.0) for _ in range(2)]
        left = workers.submit(left_of, data, time.monotonic() + 1000)
        time.sleep(1)
        workers.end(busy[0])
        assert "ended" in str(busy[0].exception(timeout=60))
        assert 0 < left.result(timeout=100) <= 1000  # on the worker that has started anew
        assert not busy[1].done()
    assert "ended" in str(busy[1].exception(timeout=60))


def test_workers_are_not_lost_to_a_client_that_looks_without_them(client):
    """Dask's client keeps the scheduler's word about itself, without workers, in the same place."""
    import dask
    import distributed

    with dask.config.set({"distributed.client.scheduler-info-interval": "1ms"}):
        other = distributed.Client(client.scheduler.address, set_as_default=False)
    with other, pellucid.cluster(other):
        clf = AutoMLClassifier(**OPTIONS, store=False).fit(*table())
    assert set(clf.leaderboard_["status"]) <= {"completed", "stopped"}

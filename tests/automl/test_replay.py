"""A plan makes the same model again; a search that was cut off goes on; every trial has a model."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.searching import ResumeError
from pellucid.errors import PellucidWarning
from pellucid.search.plan import Plan, PlanError
from pellucid.store.run import RunError
from pellucid.store.runs import Store

SCRIPT = """
import pandas as pd, pellucid, time
def tell(progress):
    print(progress.stage, progress.n_trials, flush=True)
    if (progress.stage, progress.n_trials) == ("search", 5):
        time.sleep(120)  # no further trial, while the store's own thread writes these
table = pd.read_parquet("table.parquet")
pellucid.AutoMLClassifier(time_budget=300, store="runs", progress=tell).fit(
    table.drop(columns="y"), table["y"])
"""


def table(n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.lognormal(3, 1, n_rows),
            "kind": rng.choice(list("abcdefghijklmn"), n_rows),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n_rows), "D"),
        }
    )
    frame.loc[rng.random(n_rows) < 0.1, "size"] = np.nan
    effect = np.log1p(frame["size"].fillna(20)) + frame["kind"].isin(list("aceg")) * 1.5
    return frame, effect + rng.normal(size=n_rows) * 0.3


def test_a_plan_gives_the_same_bits_for_any_number_of_workers():
    X, effect = table()
    y = np.where(effect > effect.median(), "high", "low")
    clf = AutoMLClassifier(time_budget=None, max_trials=8, store=False).fit(X, y)
    plan = Plan.from_dict(clf.plan_.to_dict())
    assert plan == clf.plan_
    assert all(part.by_fold for part in plan.members)  # few rows of classes
    for n_jobs in (1, 2):
        again = pellucid.replay(plan, X, y, n_jobs=n_jobs)
        assert np.array_equal(again.margins(X), clf.predictor_.margins(X))
        ours, theirs = again.explain(X[:20]), clf.explain(X[:20])
        assert np.array_equal(ours.values, theirs.values)
        assert np.array_equal(ours.engineered.values, theirs.engineered.values)


@pytest.mark.parametrize("refit", [True, False])
def test_a_plan_of_a_timed_search_has_no_clock(refit):
    X, effect = table(600)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    reg = AutoMLRegressor(time_budget=8, store=False, refit=refit)
    reg.fit(X, np.exp(effect), sample_weight=weight)
    again = pellucid.replay(reg.plan_, X, np.exp(effect), weight)
    assert np.array_equal(again.margins(X), reg.predictor_.margins(X))
    assert again.problem == reg.predictor_.problem


def test_other_rows_and_versions_are_told():
    X, effect = table(200)
    clf = AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, effect > 4)
    changed = X.assign(size=X["size"].where(X.index != 150, 1.0))
    with pytest.raises(PlanError, match="not the one of the plan"):
        pellucid.replay(clf.plan_, changed, effect > 4)
    older = clf.plan_.to_dict() | {"versions": {"numpy": "1.0"}}
    with pytest.warns(PellucidWarning, match=r"numpy .* instead of 1\.0"):
        pellucid.replay(older, X, effect > 4)
    with pytest.raises(PlanError, match="format 7"):
        Plan.from_dict({"format": 7})


def test_every_trial_of_a_run_has_a_model_that_is_explained(tmp_path):
    X, effect = table()
    y = np.digitize(effect, np.quantile(effect, [0.3, 0.7]))
    store = str(tmp_path / "runs")
    clf = AutoMLClassifier(time_budget=None, max_trials=4, store=store).fit(X, y)
    run = pellucid.load_run("latest", store=store)
    assert run.plan == clf.plan_
    board = run.leaderboard
    for iteration, name in zip(board["iteration"], board["name"]):
        model = run.model(iteration=iteration)
        explanation = model.explain(X[:9])
        np.testing.assert_allclose(explanation.margins, model.margins(X[:9]), atol=1e-9)
        if name == "Ensemble":
            assert np.array_equal(model.margins(X), clf.predictor_.margins(X))
    best = board.sort_values("accuracy", ascending=False).iloc[0]
    by_metric = run.model(metric="accuracy")
    by_place = run.model(iteration=int(best["iteration"]))
    assert np.array_equal(by_metric.margins(X), by_place.margins(X))
    with pytest.raises(RunError, match="no iteration 99"):
        run.model(iteration=99)


def n_stored(folder):
    """Trials of the only run of a store, which opens some seconds after the search begins."""
    store = Store(folder)
    return sum(len(store.trial_iterations(run.id)) for run in store.runs())


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_search_goes_on_from_its_trials(tmp_path):
    X, effect = table(3000)
    X.assign(y=effect > effect.median()).to_parquet(tmp_path / "table.parquet")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("search 5"):
            break
    until = time.monotonic() + 60
    while n_stored(tmp_path / "runs") < 5 and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    assert n_stored(tmp_path / "runs") == 5
    killed = pellucid.list_runs(store=tmp_path / "runs").iloc[0]
    assert killed["status"] == "KILLED"
    saved = pd.read_parquet(tmp_path / "table.parquet")
    X, y = saved.drop(columns="y"), saved["y"]
    ran = []

    def tell(progress):
        if progress.record is not None:
            ran.append(progress.record.iteration)

    store = str(tmp_path / "runs")
    clf = AutoMLClassifier(
        time_budget=None, max_trials=7, store=store, resume=killed["id"], progress=tell
    ).fit(X, y)
    assert sorted(ran) == list(range(7))
    whole = AutoMLClassifier(time_budget=None, max_trials=7, store=False).fit(X, y)
    taken = {entry["iteration"] for entry in clf.training_["leaderboard"] if entry["metrics"]}
    assert taken >= set(range(4))
    assert len(whole.leaderboard_) == len(clf.leaderboard_)
    with pytest.raises(ResumeError, match="fingerprint"):
        AutoMLClassifier(time_budget=5, store=store, resume=killed["id"]).fit(X[1:], y[1:])

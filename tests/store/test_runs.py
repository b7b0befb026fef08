"""Runs: written as they happen, finished all at once, loaded anywhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.automl.estimators import AutoMLClassifier
from pellucid.search.trials import TrialRecord
from pellucid.store import embedded
from pellucid.store.location import StoreError
from pellucid.store.run import RunError
from pellucid.store.runs import Store, list_runs, load_run
from pellucid.store.tracking import Tracking


def trial(iteration: int, **changes: Any) -> TrialRecord:
    facts: dict[str, Any] = {
        "iteration": iteration,
        "name": f"trial {iteration}",
        "family": "lightgbm",
        "config": {"num_leaves": 31, "linear": None, "odd key!": "x" * 9000},
        "metrics": {"AUC_weighted": 0.5 + iteration / 100, "log_loss": float("nan")},
        "seconds": 1.5,
        "status": "completed",
    }
    return TrialRecord(**{**facts, **changes})


def write_run(store: Store, clf: AutoMLClassifier, *, name: str = "a run", trials: int = 1) -> Any:
    writer = store.begin(
        name=name, params={"task": "binary", "target": "buys", "primary_metric": "AUC_weighted"}
    )
    for i in range(trials):
        writer.log_trial(trial(i))
    return writer.finish(
        predictor=clf.predictor_, explanation=clf.explanation_, training=clf.training_
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def children(store: Store, parent: str) -> list[Any]:
    client = Tracking(store.location)._client
    ids = [e.experiment_id for e in client.search_experiments()]
    found = client.search_runs(ids, f"tags.`mlflow.parentRunId` = '{parent}'")
    return sorted(found, key=lambda run: run.info.run_name)


def test_a_run_comes_back_whole(trained: AutoMLClassifier, people: Any, store: Store) -> None:
    run = write_run(store, trained, trials=3)
    again = load_run(run.id[:8], store=store.location.folder)
    assert (again.status, again.name, again.reason) == ("FINISHED", "a run", "")
    assert again.started <= datetime.now().astimezone()
    assert again.params["target"] == "buys"
    assert again.training["target"] == "buys"
    assert list(again.leaderboard.columns) == list(trained.leaderboard_.columns)
    assert list(again.leaderboard["name"]) == list(trained.leaderboard_["name"])
    score = trained.training_["metrics"]["cv"]["AUC_weighted"]
    assert again.metrics["AUC_weighted"] == pytest.approx(score)

    assert trained.explanation_ is not None
    assert np.array_equal(again.explanation().values, trained.explanation_.values)
    twin = again.explanation(raw=False)
    assert twin.level == "engineered"
    X, _ = people(20, seed=1)
    model = again.model()
    assert model.predict(X).tolist() == trained.predict(X).tolist()
    assert np.array_equal(model.predict_proba(X), trained.predict_proba(X))


def test_training_facts_are_strict_json(trained: AutoMLClassifier, store: Store) -> None:
    run = write_run(store, trained)
    path = next((store.location.folder or Path()).rglob("training.json"))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads(path.read_text(), parse_constant=refuse) == run.training


def test_trials_are_child_runs(trained: AutoMLClassifier, store: Store) -> None:
    writer = store.begin(name=None, params={"classes": ["yes", "no"] * 400, "none": None})
    writer.log_trial(trial(0))
    writer.log_trial(trial(1, status="failed", metrics={}, note="ValueError: " + "long " * 300))
    writer.log_trial(trial(2, status="stopped", note="ended early"))
    writer.finish(predictor=trained.predictor_, explanation=None, training=trained.training_)
    first, second, third = children(store, writer.id)
    assert first.info.status == "FINISHED"
    assert first.data.metrics["AUC_weighted"] == 0.5
    assert "log_loss" not in first.data.metrics
    assert first.data.params["num_leaves"] == "31"
    assert len(first.data.params["odd key_"]) == 500
    assert (second.info.status, third.info.status) == ("FAILED", "KILLED")
    assert second.data.tags["pellucid.reason"].startswith("ValueError")
    assert len(list_runs(store=store.location.folder)) == 1  # trials are not trainings


def test_without_an_explanation(trained: AutoMLClassifier, store: Store) -> None:
    writer = store.begin(name="plain", params={})
    run = writer.finish(predictor=trained.predictor_, explanation=None, training=trained.training_)
    with pytest.raises(RunError, match="trained without an explanation"):
        run.explanation()


def test_unfinished_runs_show_as_such(trained: AutoMLClassifier, store: Store) -> None:
    running = store.begin(name="running", params={})
    failed = store.begin(name="failed", params={})
    failed.fail("ValueError: no luck")
    failed.fail("twice is once")
    killed = store.begin(name="killed", params={})
    killed.fail("KeyboardInterrupt: ")
    frame = list_runs(store=store.location.folder).set_index("name")
    assert frame["status"].to_dict() == {
        "running": "RUNNING",
        "failed": "FAILED",
        "killed": "KILLED",
    }
    assert frame.loc["failed", "reason"] == "ValueError: no luck"
    with pytest.raises(RunError, match=r"is failed \(ValueError: no luck\) and has no results"):
        store.load(failed.id).model()
    with pytest.raises(RunError, match="is running and has no results"):
        store.load(running.id).explanation()
    with pytest.raises(RunError, match="none of them finished"):
        store.load("latest")
    with pytest.raises(StoreError, match="has ended"):
        failed.log_trial(trial(0))
    running.fail("the test is over")


def test_latest_prefix_and_unknown(trained: AutoMLClassifier, store: Store) -> None:
    with pytest.raises(RunError, match="holds no runs yet"):
        store.load("latest")
    first = write_run(store, trained, name="first")
    time.sleep(0.002)
    second = write_run(store, trained, name="second")
    store.begin(name="third", params={}).fail("stopped")
    assert store.load("latest").id == second.id
    assert [run.name for run in store.runs()] == ["third", "second", "first"]
    with pytest.raises(RunError) as caught:
        store.load("zzz")
    assert "there is no run that starts with 'zzz'" in str(caught.value)
    assert first.id in str(caught.value)
    with pytest.raises(RunError, match="no run that starts with ''"):
        store.load("")


def test_ambiguous_prefix(store: Store) -> None:
    writers = [store.begin(name=f"run {i}", params={}) for i in range(17)]  # pigeonhole
    firsts = [writer.id[0] for writer in writers]
    twice = next(digit for digit in firsts if firsts.count(digit) > 1)
    with pytest.raises(RunError, match=f"several runs start with '{twice}'"):
        store.load(twice)
    for writer in writers:
        writer.fail("done")


def test_reading_makes_nothing(tmp_path: Path) -> None:
    assert list_runs(store=tmp_path / "none").empty
    assert not (tmp_path / "none").exists()


def test_damaged_results_are_refused(trained: AutoMLClassifier, store: Store) -> None:
    run = write_run(store, trained)
    path = next((store.location.folder or Path()).rglob("explanation.zip"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Exception, match=r"explanation\.zip does not match"):
        store.load(run.id).explanation()


def test_a_damaged_database_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"not a database, " * 500)
    with pytest.raises(StoreError, match="cannot be read: file is not a database"):
        list_runs(store=tmp_path)
    with pytest.raises(StoreError, match="move it away"):
        Store(tmp_path).begin(name=None, params={})


def test_a_moved_store_still_works(trained: AutoMLClassifier, store: Store, tmp_path: Path) -> None:
    run = write_run(store, trained)
    moved = tmp_path / "else where é"
    shutil.move(str(store.location.folder), moved)
    assert load_run(run.id, store=moved).explanation().n_rows == 300
    write_run(Store(moved), trained)
    assert not (tmp_path / "store").exists()
    client = Tracking(Store(moved).location)._client  # what MLflow's own pages ask
    names = {item.path for item in client.list_artifacts(run.id)}
    assert names == {"model", "results"}


def test_a_store_deleted_and_made_again_in_one_process(
    trained: AutoMLClassifier, store: Store
) -> None:
    first = write_run(store, trained)
    shutil.rmtree(store.location.folder or "")
    second = write_run(Store(store.location.folder), trained)
    assert [run.id for run in store.runs()] == [second.id] != [first.id]


def test_an_outdated_database_says_what_to_do(trained: AutoMLClassifier, store: Store) -> None:
    write_run(store, trained)
    assert store.location.database is not None
    with sqlite3.connect(store.location.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0'")
    copy = store.location.database.rename(store.location.database.with_name("copy.db"))
    with pytest.raises(StoreError, match=f"mlflow db upgrade sqlite:///{copy}"):
        Store(f"sqlite:///{copy}").begin(name=None, params={})


def test_another_tracking_server(trained: AutoMLClassifier, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'other.db'}"
    store = Store(uri)
    run = write_run(store, trained, name="elsewhere")
    again = load_run("latest", store=uri)
    assert (again.id, again.name, again.status) == (run.id, "elsewhere", "FINISHED")
    assert again.explanation(raw=False).level == "engineered"
    assert again.model().target == "buys"
    assert list_runs(store=uri)["id"].tolist() == [run.id]


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        list_runs(store="http://127.0.0.1:9")


def test_mlflow_reads_what_we_read(trained: AutoMLClassifier, store: Store) -> None:
    run = write_run(store, trained)
    ours, theirs = store.records(), store.tracking.records()
    assert [record.id for record in ours] == [run.id]
    assert ours == theirs


def test_a_layout_we_do_not_know_is_left_to_mlflow(
    trained: AutoMLClassifier, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(store, trained)

    def unknown(folder: Path) -> Any:
        raise sqlite3.OperationalError("no such table: runs")

    monkeypatch.setattr(embedded, "read_records", unknown)
    assert store.load("latest").status == "FINISHED"


# -- other processes ------------------------------------------------------------------------
_TRIALS = """
import sys
from pellucid.search.trials import TrialRecord
from pellucid.store.runs import Store
writer = Store(sys.argv[1]).begin(name=sys.argv[2], params={"target": "y"})
print(writer.id, flush=True)
for i in range(int(sys.argv[3])):
    writer.log_trial(TrialRecord(i, f"t{i}", "lightgbm", {"a": 1}, {"AUC": 0.5}, 0.1, "completed"))
writer.fail("done")
"""


def spawn(folder: Path, name: str, n_trials: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _TRIALS, str(folder), name, str(n_trials)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    processes = [spawn(folder, f"run {i}", 25) for i in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    runs = Store(folder).runs()
    assert {run.name for run in runs} == {"run 0", "run 1"}
    for run in runs:
        assert len(children(Store(folder), run.id)) == 25


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_writer_leaves_a_store_that_works(
    trained: AutoMLClassifier, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    process = spawn(folder, "doomed", 10_000)
    assert process.stdout is not None
    doomed = process.stdout.readline().strip()
    time.sleep(0.5)
    assert load_run(doomed, store=folder).status == "RUNNING"
    process.send_signal(signal.SIGKILL)
    process.wait()
    dead = load_run(doomed, store=folder)
    assert (dead.status, dead.reason) == ("KILLED", "its process ended before it was done")
    with pytest.raises(RunError, match="is killed"):
        dead.model()
    run = write_run(Store(folder), trained)
    assert load_run("latest", store=folder).id == run.id


_FINISH = """
import sys, pickle, pathlib
from pellucid.explain.explanation import Explanation
from pellucid.store.artifacts import load_predictor
from pellucid.store.runs import Store
import json
predictor, explanation = load_predictor(sys.argv[2]), Explanation.load(sys.argv[3])
training = json.loads(pathlib.Path(sys.argv[4]).read_text())
store = Store(sys.argv[1])
while True:
    writer = store.begin(name=None, params={})
    print(writer.id, flush=True)
    writer.finish(predictor=predictor, explanation=explanation, training=training)
"""


@pytest.mark.slow
@pytest.mark.posix
def test_killed_while_finishing_is_never_half_finished(
    trained: AutoMLClassifier, tmp_path: Path
) -> None:
    from pellucid.store.artifacts import save_predictor
    from pellucid.store.writer import plain

    save_predictor(trained.predictor_, tmp_path / "model")
    assert trained.explanation_ is not None
    trained.explanation_.save(tmp_path / "e.zip")
    (tmp_path / "training.json").write_text(json.dumps(plain(trained.training_)))
    folder = tmp_path / "store"
    arguments = [str(folder), *(str(tmp_path / n) for n in ("model", "e.zip", "training.json"))]
    for delay in (0.01, 0.05):
        process = subprocess.Popen(
            [sys.executable, "-c", _FINISH, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for run in Store(folder).runs():
            if run.status == "FINISHED":
                assert run.explanation().n_rows == 300
                assert run.model().target == "buys"
            else:
                assert run.status == "KILLED"


_TEMPLATE = """
import pathlib, sys
from pellucid.store.runs import Store
for name in ("one", "two"):
    Store(name).begin(name="x", params={}).fail("done")
    template = pathlib.Path(sys.argv[1])
    assert template.stat().st_size > 100_000
    template.write_bytes(template.read_bytes()[:5000])  # a damaged cache is made anew
"""


@pytest.mark.slow
def test_the_template_is_made_silently_and_made_again_when_damaged(tmp_path: Path) -> None:
    template = tmp_path / "cache" / "pellucid" / f"mlflow-{version('mlflow-skinny')}.db"
    done = subprocess.run(
        [sys.executable, "-c", _TEMPLATE, str(template)],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert [len(list_runs(store=tmp_path / name)) for name in ("one", "two")] == [1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "one", "two"]

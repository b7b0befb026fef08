"""An embedded store's rows: those of MLflow's client, written without it."""

import sqlite3
import subprocess
import sys

import pytest

from pellucid.store.embedded import prepare
from pellucid.store.embedded_runs import EmbeddedRuns
from pellucid.store.location import StoreError
from pellucid.store.runs import Store
from pellucid.store.tracking import Tracking, connect

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")


def rows_of(folder):
    """Every row of the tables, without what differs from run to run."""
    with sqlite3.connect(folder / "mlflow.db") as connection:
        connection.row_factory = sqlite3.Row
        (run,) = [row["run_uuid"] for row in connection.execute("SELECT run_uuid FROM runs")]
        found = {}
        for table in TABLES:
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
            for row in rows:
                assert row.pop("run_uuid") == run
                assert row.get("timestamp", 10**12) >= 10**12
                assert row.get("end_time", 10**12) >= 10**12
                row.update(dict.fromkeys({"timestamp", "end_time"} & row.keys()))
                if "artifact_uri" in row:
                    row["artifact_uri"] = row["artifact_uri"].replace(run, "RUN")
            found[table] = sorted(rows, key=str)
    return found


def test_each_row_is_that_of_mlflows_client(tmp_path):
    from mlflow.entities import Metric, Param, RunTag

    for name in ("ours", "theirs"):
        prepare(tmp_path / name)
    store = Store(tmp_path / "ours")
    run = store.tracking.create(name="a name", tags={"a": "b"}, started_ms=1_700_000_000_000)
    store.tracking.log(run.id, metrics={"auc": 0.5, "nan": float("nan")}, params={"depth": 3})
    store.tracking.log(run.id, tags={"a": "c", "d": "é"})
    store.tracking.end(run.id, "FINISHED")

    client = connect(Store(tmp_path / "theirs").location.uri)
    number = client.get_experiment_by_name("pellucid").experiment_id
    made = client.create_run(number, 1_700_000_000_000, {"a": "b"}, "a name").info.run_id
    client.log_batch(made, [Metric("auc", 0.5, 1_700_000_000_001, 0)], [Param("depth", "3")])
    client.log_batch(made, tags=[RunTag("a", "c"), RunTag("d", "é")])
    client.set_terminated(made, "FINISHED")
    ours, theirs = rows_of(tmp_path / "ours"), rows_of(tmp_path / "theirs")
    for row in theirs["runs"]:
        row["artifact_uri"] = row["artifact_uri"].replace("/theirs/", "/ours/")
    assert ours == theirs
    assert Tracking(store.location).records() == store.records()


def test_a_run_is_written_without_loading_mlflow(tmp_path):
    prepare(tmp_path / "first")  # which makes the template where there is none yet
    code = f"""
import sys
from pellucid.search.trials import TrialRecord
from pellucid.store.runs import Store
writer = Store({str(tmp_path / "store")!r}).begin(name=None, params={{"target": "y"}})
writer.log_trial(TrialRecord(0, "t", "linear", {{}}, {{"AUC": 0.5}}, 0.1, "completed"))
writer.fail("the rest needs a whole training")
assert not [name for name in sys.modules if name.startswith("mlflow")]
print(writer.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (run,) = Store(tmp_path / "store").runs()
    assert (run.name, run.status) == (done.stdout.strip(), "FAILED")


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE runs ADD COLUMN further TEXT", "ALTER TABLE tags RENAME TO labels",
     "UPDATE experiments SET lifecycle_stage = 'deleted'"],
    ids=range(3),
)  # fmt: skip
def test_another_layout_is_left_to_mlflow(tmp_path, change):
    prepare(tmp_path)
    runs = EmbeddedRuns(tmp_path / "mlflow.db")
    assert runs.is_known
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute(change)
    assert not runs.is_known
    assert not EmbeddedRuns(tmp_path / "absent.db").is_known


def test_a_run_that_is_gone_is_one_clear_error(tmp_path):
    prepare(tmp_path)
    tracking = Store(tmp_path).tracking
    run = tracking.create(name="x", tags={}, started_ms=1)
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    with pytest.raises(StoreError, match="was deleted while it was written"):
        tracking.end(run.id, "FINISHED")
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        tracking.log("0" * 32, params={"a": 1})
    (tmp_path / "mlflow.db").unlink()
    with pytest.raises(StoreError, match="unable to open database file"):
        tracking.create(name="y", tags={}, started_ms=1)
    assert not (tmp_path / "mlflow.db").exists()

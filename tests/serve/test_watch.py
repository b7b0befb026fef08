"""What a service was asked is kept, and compared with training."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.serve.conftest import make_people
from tests.serve.process import serving
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.serve.errors import ServeError
from pellucid.serve.formats import read_shapes
from pellucid.serve.holder import Served
from pellucid.serve.scorer import Scorer
from pellucid.serve.settings import Kept
from pellucid.serve.watch.drift import measure
from pellucid.serve.watch.log import Log, open_log
from pellucid.serve.watch.monitor import monitor
from pellucid.serve.watch.window import read_window


@pytest.fixture(scope="module")
def served(clf):
    return Served(Scorer(clf.predictor_), "people", "1")


def records(frame):
    return json.loads(frame.to_json(orient="records", date_format="iso"))


def keep(served, folder, frame, *, explain=("raw",), together=1, **kept):
    """Log the rows of a frame, so many a request."""
    log = open_log(Kept(str(folder), **kept), served)
    log.start()
    names = served.scorer.predictor.schema.raw_names
    for at in range(0, len(frame), together):
        asked = read_shapes(records(frame[at : at + together]), names)
        scores = served.scorer.score(asked.rows, explain=explain)
        log.take(served, asked, scores, request=f"r{at}")
    log.stop()
    return log


def window_of(served, folder, **options):
    return read_window(folder, served.scorer.predictor, name="people", version="1", **options)


@pytest.mark.parametrize("together", [1, 7])
def test_what_is_logged_is_what_was_scored(served, people, tmp_path, clf, together):
    log = keep(served, tmp_path, people, together=together)
    assert (log.written, log.dropped) == (len(people), 0)
    window = window_of(served, tmp_path)
    own = clf.explain(people)
    np.testing.assert_array_equal(window.importances[:, :, 0], own.values)
    np.testing.assert_array_equal(window.margins, clf.predictor_.margins(people))
    frame = clf.predictor_.frame
    pd.testing.assert_frame_equal(
        frame(window.inputs), frame(people.reset_index(drop=True)), check_dtype=False
    )
    assert window.row_ids[0] == ("r0" if together == 1 else "r0/0")


def test_columns_that_are_not_to_be_kept(served, people, tmp_path):
    keep(served, tmp_path, people, omit=("income", "job"))
    (path,) = tmp_path.rglob("*.parquet")
    assert {"input.income", "input.job"}.isdisjoint(pq.read_schema(path).names)
    assert b"cook" not in path.read_bytes()
    window = window_of(served, tmp_path)
    assert window.omitted == ("income", "job")
    found = {each.name: each for each in measure(served.scorer.predictor, window).features}
    assert found["income"].distance is None
    assert found["income"].importance is not None


def test_the_oldest_files_go(served, people, tmp_path):
    keep(served, tmp_path, people, rows=1, megabytes=0.03)
    files = list(tmp_path.rglob("*.parquet"))
    assert 1 <= len(files) < len(people)
    assert sum(path.stat().st_size for path in files) <= 0.03e6


def test_a_share_of_requests_is_kept_and_too_many_are_dropped(served, people, tmp_path):
    log = keep(served, tmp_path / "half", pd.concat([people] * 5), share=0.5)
    assert 60 < log.written < 140
    log = Log(Kept(str(tmp_path / "full")))  # nothing writes yet
    asked = read_shapes(records(people), served.scorer.predictor.schema.raw_names)
    scores = served.scorer.score(asked.rows)
    for _ in range(1300):
        log.take(served, asked, scores, request="r")
    assert log.dropped == 1300 * len(people) - 50_000


def test_no_alarm_without_drift_and_one_with(served, tmp_path):
    rows = make_people(300, seed=5)[0]
    keep(served, tmp_path / "calm", rows, together=50)
    assert monitor(served, tmp_path / "calm").alarms == []
    rows["age"] += 25
    rows["job"] = "cook"
    keep(served, tmp_path / "moved", rows, together=50)
    report = monitor(served, tmp_path / "moved")
    found = {each.name: each for each in report.drift.features}
    assert {name for name, each in found.items() if each.chance < 0.01} == {"age", "job"}
    assert found["job"].moved == "job=cook"
    assert found["age"].importance != found["age"].importance_before
    assert report.drift.importance_shift > 0.02
    assert any("age drifts" in alarm for alarm in report.alarms)
    # of the very rows that it is compared with, nothing differs
    same = monitor(served, tmp_path / "moved", reference=rows).drift
    assert max(each.distance for each in same.features) == same.prediction_distance == 0.0
    assert same.importance_shift < 1e-12


def test_predictions_tell_of_what_columns_hardly_show(served, tmp_path):
    X, y = make_people(600, seed=7)
    before = X[(y == "yes").to_numpy()]
    keep(served, tmp_path, before, together=100)
    drift = monitor(served, tmp_path, reference=X).drift
    assert drift.prediction_distance > max(each.distance for each in drift.features)


def test_times_and_versions(served, people, tmp_path):
    keep(served, tmp_path, people)
    keep(replace(served, version="2"), tmp_path, people)
    assert window_of(served, tmp_path).others == len(people)
    later = datetime.now(UTC) + timedelta(minutes=1)
    for options in ({"since": later}, {"until": later - timedelta(hours=1)}):
        with pytest.raises(ServeError, match="no rows of people version 1"):
            window_of(served, tmp_path, **options)
    assert len(window_of(served, tmp_path, most_rows=10)) == 10


def test_performance_once_labels_arrive(served, tmp_path):
    X, y = make_people(200, seed=9)
    keep(served, tmp_path, X)
    labels = pd.DataFrame({"id": [f"r{k}" for k in range(150)], "buys": y[:150]})
    told = monitor(served, tmp_path, labels=labels, label="buys", key="id").performance
    own = served.scorer.predictor.predict(X[:150])
    assert told["rows"] == 150
    assert told["accuracy"] == pytest.approx((own == y[:150]).mean())
    assert told["AUC_weighted"] > 0.8
    for wrong in (
        labels.assign(buys="maybe"),
        labels.assign(id="no"),
        labels.assign(id=[f"x{k}" for k in range(150)]),
        labels[["id"]],
    ):
        with pytest.raises(ServeError):
            monitor(served, tmp_path, labels=wrong, label="buys", key="id")


def test_from_the_service_to_the_page(clf, people, home, tmp_path):
    clf.run_.register("watched")
    store = clf.run_.store.location.folder
    log = tmp_path / "log"
    options = ("--log", log, "--log-omit", "income")
    with serving("watched", store=store, options=options, log=home / "watched.log") as service:
        for at in range(len(people)):
            assert service.post("/score", json=records(people[at : at + 1])).status_code == 200
        csv = people.to_csv(index=False)
        answer = service.post("/score", content=csv, headers={"content-type": "text/csv"})
        assert answer.status_code == 200, answer.text
        assert "pellucid_rows_logged 0" in service.get("/metrics").text
    words = ["monitor", "watched", "--log", log, "--store", store, "--html", tmp_path / "page.html",
             "--metrics", tmp_path / "drift.prom"]  # fmt: skip
    told = CliRunner().invoke(app, [str(word) for word in [*words, "--json"]])
    assert told.exit_code == 0, told.output
    facts = json.loads(told.output)
    assert facts["n_rows"] == 2 * len(people)
    assert facts["n_explained"] == 2 * len(people)
    page = (tmp_path / "page.html").read_text()
    assert page.count("<tr>") == 7
    assert "not kept" in page
    lines = (tmp_path / "drift.prom").read_text().splitlines()
    assert 'pellucid_monitor_input_distance{model="watched/1",feature="age"} ' in "\n".join(lines)
    assert CliRunner().invoke(app, [str(word) for word in words]).output.startswith("watched/1: 80")


def test_what_cannot_be_logged(served, tmp_path):
    with pytest.raises(ServeError, match="'wages'"):
        open_log(Kept(str(tmp_path), omit=("wages",)), served)
    (tmp_path / "file").write_text("")
    with pytest.raises(ServeError, match="cannot be made"):
        open_log(Kept(str(tmp_path / "file")), served)


def test_an_answer_does_not_wait_for_a_log_that_fails(served, people, tmp_path, caplog):
    (tmp_path / "people").write_text("in the way of the folder")
    log = keep(served, tmp_path, people)
    assert (log.written, log.dropped) == (0, len(people))
    assert "could not be logged" in caplog.text
    started = time.perf_counter()
    log.take(served, read_shapes(records(people), ()), served.scorer.score(people), request="r")
    assert time.perf_counter() - started < 1.0

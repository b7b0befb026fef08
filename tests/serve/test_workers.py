"""Workers of one service: what they share, and what is lost when some are killed."""

import http.client
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.serve.process import serving

import pellucid
from pellucid.store.artifacts import save_predictor
from pellucid.store.registry import Registry

CLOSE = {"Connection": "close"}
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and /proc")


@pytest.fixture(scope="module")
def service(clf, home):
    save_predictor(clf.predictor_, home / "watched")
    options = ("--workers", 2)
    with serving(home / "watched", options=options, log=home / "watched.log") as client:
        yield client


def workers_of(service):
    path = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def facts_of(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}


def ask(service, people, connection=None):
    """A request over a connection of its own, or the one that is given."""
    connection = connection or http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    row = people[:1].to_json(orient="records", date_format="iso")
    connection.request("POST", "/score", row, {"Content-Type": "application/json"})
    return connection


def answer(connection):
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stop_all(service):
    """Stop both workers, so that neither accepts anything."""
    until(lambda: len(workers_of(service)) == 2)
    stopped = workers_of(service)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
        until(lambda pid=pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] == "T")
    return stopped


def test_workers_share_the_memory_of_the_model_and_the_libraries(service, people):
    for _ in range(20):
        assert answer(ask(service, people))[0] == 200
    for pid in workers_of(service):
        facts = facts_of(pid)
        assert facts["Private_Dirty"] < 0.5 * facts["Anonymous"]


def test_whatever_is_killed_and_when_no_request_is_lost_that_no_worker_had(service, people, clf):
    wanted = clf.explain(people[:1]).values.tolist()
    for turn in range(6):
        for pid in workers_of(service)[: 1 + turn % 2]:  # also such as have just begun
            os.kill(pid, signal.SIGKILL)
        for _ in range(5):
            status, body = answer(ask(service, people))
            assert (status, body["raw_local_importance_values"]) == (200, wanted)
    until(lambda: len(workers_of(service)) == 2)


def test_requests_that_wait_to_be_accepted_outlive_the_workers(service, people):
    stopped = stop_all(service)
    waiting = [ask(service, people) for _ in range(10)]
    for pid in stopped:
        os.kill(pid, signal.SIGKILL)
    assert [answer(each)[0] for each in waiting] == [200] * 10


def test_who_waited_too_long_unseen_is_refused_and_a_stop_answers_what_was_accepted(
    clf, people, home
):
    options = ("--workers", 2, "--max-wait", 2)
    with serving(home / "watched", options=options, log=home / "stopped.log") as service:
        stopped = stop_all(service)
        connection = ask(service, people)
        time.sleep(2.1)  # in the system's queue, before any worker has accepted it
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        assert answer(connection)[0] == 503

        body = people.to_json(orient="records", date_format="iso").encode()
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        connection.putrequest("POST", "/score")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])

        def is_accepted():  # by the worker that happens to answer
            return "pellucid_requests_waiting 2" in service.get("/metrics", headers=CLOSE).text

        until(is_accepted)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.send(body[10:])
        status, told = answer(connection)
        assert (status, told["predictions"]) == (200, clf.predict(people).tolist())
        assert service.process.wait(30) == 0


def ask_until(ends, service, people, seen):
    """Requests over one connection after the other, each as long as the service keeps it."""
    connection = None
    while not ends.is_set():
        connection = ask(service, people, connection)
        status, body = answer(connection)
        seen.append((status, body["model"]["version"], body["raw_local_importance_values"]))
        time.sleep(0.005)


def test_another_model_comes_without_a_request_lost_and_is_in_memory_once(clf, people, home):
    store = clf.run_.store.location.folder
    registry = Registry(store)
    for trial in (None, 1):
        clf.run_.register("twins", iteration=trial)
    registry.promote("twins/1", alias="now")
    wanted = {
        version: pellucid.load(f"twins/{version}", store=store).explain(people[:1]).values.tolist()
        for version in ("1", "2")
    }
    options, log = ("--workers", 2, "--reload", 0.2), home / "twins.log"
    with serving("twins@now", store=store, options=options, log=log) as service:
        until(lambda: len(workers_of(service)) == 2)
        idle = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        assert answer(ask(service, people, idle))[0] == 200
        seen, ends = [], threading.Event()
        threads = [
            threading.Thread(target=ask_until, args=(ends, service, people, seen)) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for number in (2, 1, 2):
            before = set(workers_of(service))
            registry.promote(f"twins/{number}", alias="now")
            until(lambda number=number: seen[-1][1] == str(number))
            until(lambda before=before: len(set(workers_of(service)) - before) == 2)
            if idle is not None:  # its worker stayed for its sake
                assert answer(ask(service, people, idle))[0] == 200
                idle = None
        ends.set()
        for thread in threads:
            thread.join()
        until(lambda: len(workers_of(service)) == 2)
        assert [(status, told == wanted[version]) for status, version, told in seen] == [
            (200, True)
        ] * len(seen)
        for pid in workers_of(service):
            facts = facts_of(pid)
            assert facts["Private_Dirty"] < 0.5 * facts["Anonymous"]


def test_workers_end_when_nobody_watches_over_them(service, people):
    workers = workers_of(service)
    service.process.kill()
    service.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))

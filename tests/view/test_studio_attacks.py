"""What other pages, other names and ill-meant clients get from the studio: nothing."""

import http.client
import itertools
import json
import socket
import time

import pytest
from tests.raw_http import exchange

from pellucid.view.studio import server as studio_server
from pellucid.view.studio.server import Studio

SENTINEL = "sentinel of no store"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "secret.txt").write_text(SENTINEL)
    (folder / "store").mkdir()
    return folder


@pytest.fixture(scope="module")
def studio(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio_server, "_PATIENCE", 1.0)
        with Studio(place / "store", token="s3cret") as opened:
            yield opened


def ask(studio, method="GET", path="/api/runs", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def own(studio, **more):
    host = f"127.0.0.1:{studio.port}"
    return {"Host": host, "Cookie": f"pellucid-studio-{studio.port}=s3cret", **more}


METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT"]
HOSTS = ["127.0.0.1:{p}", "evil.example", "127.0.0.1.nip.io:{p}", "127.1:{p}", "0.0.0.0:{p}", ""]
ORIGINS = [
    None,
    "http://127.0.0.1:{p}",
    "http://evil.example",
    "null",
    "file://",
    "http://127.0.0.1",
]


def test_only_own_pages_are_answered(studio):
    cases = list(itertools.product(METHODS, HOSTS, ORIGINS))
    assert len(cases) >= 200
    for method, host, origin in cases:
        headers = own(studio) | {"Host": host.format(p=studio.port)}
        headers |= {} if origin is None else {"Origin": origin.format(p=studio.port)}
        reply, content = ask(studio, method, **headers)
        may = method == "GET" and host == HOSTS[0] and origin in ORIGINS[:2]
        assert (reply.status == 200) == may, (method, host, origin, reply.status)
        assert b"Traceback" not in content
        assert reply.getheader("X-Content-Type-Options") == "nosniff"
        assert reply.getheader("Access-Control-Allow-Origin") is None


CLIMBS = [
    "..",
    "../..",
    "....//",
    "%2e%2e",
    "%252e%252e",
    "..%2f",
    "%2e%2e%2f",
    "..%5c",
    "..;",
    "~",
]
TARGETS = [
    "secret.txt",
    "../secret.txt",
    "/etc/passwd",
    "store/mlflow.db",
    "%00",
    "C:%5Cx",
    "file:",
]


def test_no_path_leads_to_a_file(studio):
    paths = [
        pattern.format(climb=f"{climb}/{target}")
        for climb, target in itertools.product(CLIMBS, TARGETS)
        for pattern in ("/{climb}", "/api/runs/{climb}", "/runs/{climb}/report")
    ]
    paths += [
        "//evil.example/x",
        "http://evil.example/",
        "/api/runs/" + "a" * 60_000,
    ]
    assert len(paths) >= 60
    for path in paths:
        reply, content = ask(studio, path=path, **own(studio))
        assert reply.status in (303, 400, 403, 404, 414), path
        assert SENTINEL.encode() not in content
        assert b"root:" not in content
        assert b"SQLite" not in content


@pytest.mark.parametrize("header", [b"Content-Length: 60", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_body_is_never_read_as_a_second_request(studio, method, header):
    host = f"127.0.0.1:{studio.port}".encode()
    cookie = f"Cookie: pellucid-studio-{studio.port}=s3cret\r\n".encode()
    second = b"GET /api/runs HTTP/1.1\r\nHost: " + host + b"\r\n" + cookie + b"\r\n"
    first = method + b" /nothing HTTP/1.1\r\nHost: " + host + b"\r\n" + header + b"\r\n\r\n"
    assert exchange(studio.port, first + second).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(300)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
    ids=["TLS", "no request", "version", "long line", "many headers", "long header"],
)
def test_what_is_no_request_is_refused(studio, data):
    answer = exchange(studio.port, data)
    assert b" 200 " not in answer
    assert b"Traceback" not in answer
    assert ask(studio, **own(studio))[0].status == 200


def test_slow_clients_are_let_go_and_keep_nobody_waiting(studio):
    half = b"GET /api/runs HTTP/1.1\r\nHost: x"
    open_ones = [socket.create_connection(("127.0.0.1", studio.port)) for _ in range(40)]
    for each in open_ones:
        each.sendall(half)
    started = time.perf_counter()
    assert ask(studio, **own(studio))[0].status == 200
    assert time.perf_counter() - started < 2.0
    until, alive = time.monotonic() + 12, list(open_ones)
    while alive and time.monotonic() < until:  # a byte now and then does not help
        still = []
        for each in alive:
            try:
                each.settimeout(5)
                each.sendall(b"y")
                each.settimeout(0)
                if each.recv(1, socket.MSG_PEEK) == b"":
                    continue
            except BlockingIOError:
                still.append(each)
            except OSError:
                continue
        alive = still
        time.sleep(0.2)
    assert not alive
    for each in open_ones:
        each.close()


def test_more_connections_than_there_are_places_are_refused(place, monkeypatch):
    monkeypatch.setattr(studio_server, "_MOST", 1)
    with Studio(place / "store", token="s3cret") as studio:
        with socket.create_connection(("127.0.0.1", studio.port)) as first:
            first.sendall(b"GET")
            time.sleep(0.2)
            assert exchange(studio.port, b"GET / HTTP/1.1\r\n\r\n", wait=2.0) == b""
        time.sleep(0.2)
        assert b" 403 " in exchange(studio.port, b"GET / HTTP/1.1\r\n\r\n", wait=0.5)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff", b"5", b'{"cells": 5}', b"{}", b""])
def test_questions_that_are_none(studio, body):
    headers = own(studio, Origin=f"http://127.0.0.1:{studio.port}")
    headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    reply, content = ask(studio, "POST", "/api/runs/abc/explain", body, **headers)
    assert reply.status in (400, 404)
    assert "error" in json.loads(content)


def test_the_token_is_in_no_answer(studio):
    for path in ("/", "/api/runs", "/?token=s3cret", "/nothing"):
        reply, content = ask(studio, path=path, **own(studio))
        assert b"s3cret" not in content
        assert "s3cret" not in (reply.getheader("Location") or "")

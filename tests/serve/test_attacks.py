"""What other names, other pages, strangers and ill-meant clients get from a service with a key."""

import itertools
import json
import socket
import time

import pytest
from tests.raw_http import exchange
from tests.serve.process import serving

from pellucid.serve.security import OPEN
from pellucid.store.artifacts import save_predictor

KEY = "k3y-of-the-service-that-is-long"
SENTINEL = "sentinel of no model"


@pytest.fixture(scope="module")
def place(clf, tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "secret.txt").write_text(SENTINEL)
    save_predictor(clf.predictor_, folder / "model")
    return folder


@pytest.fixture(scope="module")
def service(place):
    (place / "keys").write_text(KEY + "\n")
    (place / "keys").chmod(0o600)
    with serving(
        place / "model", log=place / "log", options=("--keys", place / "keys", "--name", "bank")
    ) as client:
        yield client


@pytest.fixture
def row(people):
    return json.dumps(json.loads(people[:1].to_json(orient="records", date_format="iso")))


SENT = {"content-type": "application/json"}
OWN = {**SENT, "authorization": f"Bearer {KEY}"}
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]


def routes(service):
    told = service.get("/openapi.json", headers=OWN).json()
    return sorted({*told["paths"], "/metrics", "/openapi.json", "/docs", "/swagger.json", "/v2"})


def test_every_route_but_health_asks_for_the_key(service, row):
    found = routes(service)
    assert len(found) >= 6
    for path, method in itertools.product(found, METHODS):
        path = path.replace("{name}", "bank").replace("{model_name}", "bank")
        answer = service.request(method, path, content=row, headers=SENT)
        if path not in OPEN:
            assert answer.status_code == 401, (method, path, answer.status_code)
            assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": ""},
        {"x-api-key": KEY.upper()},
        {"authorization": "Bearer"},
        {"cookie": f"key={KEY}"},
    ],
)
def test_no_other_key_opens(service, row, headers):
    answer = service.post("/score", content=row, headers={**SENT, **headers})
    assert answer.status_code == 401
    assert KEY not in answer.text
    assert service.post(f"/score?key={KEY}", content=row, headers=SENT).status_code == 401


HOSTS = ["localhost", "127.0.0.1", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io"]
ORIGINS = [None, "http://evil.example", "null", "file://", "https://{host}.evil.example"]


def test_only_own_names_and_pages_are_answered(service, row):
    cases = list(itertools.product(METHODS, HOSTS, ORIGINS))
    assert len(cases) >= 150
    for method, host, origin in cases:
        name = f"{host}:{service.port}"
        headers = OWN | {"host": name}
        headers |= {} if origin is None else {"origin": origin.format(host=name)}
        answer = service.request(method, "/score", content=row, headers=headers)
        may = method == "POST" and host in HOSTS[:2] and origin is None
        assert (answer.status_code == 200) == may, (method, host, origin, answer.status_code)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


CLIMBS = ["..", "../..", "....//", "%2e%2e", "%252e%252e", "..%2f", "..%5c", "..;", "%00", "file:"]
TARGETS = ["secret.txt", "keys", "etc/passwd", "manifest.json", "model/predictor.json", ""]


def test_no_path_leads_to_a_file(service):
    paths = [
        f"{start}{climb}/{target}"
        for start in ("/", "/v2/models/", "/page.js/")
        for climb, target in itertools.product(CLIMBS, TARGETS)
    ]
    assert len(paths) >= 60
    for path in paths:
        head = b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nX-API-Key: "
        held = exchange(service.port, head + KEY.encode() + b"\r\nConnection: close\r\n\r\n")
        assert b" 200 " not in held.split(b"\r\n")[0] or path.rstrip("/") in ("/..", "/../..")
        assert SENTINEL.encode() not in held
        assert KEY.encode() not in held
        assert b"sha256" not in held


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 50",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Content-Length: -1",
        b"Content-Length: 0x10",
        b"X: " + b"y" * 200_000,
        b"".join(b"X-%d: y\r\n" % i for i in range(20_000))[:-2],
    ],
    ids=["both", "two lengths", "two codings", "negative", "hexadecimal", "long", "many"],
)
def test_requests_that_two_could_read_otherwise_are_refused(service, head):
    own = b"Host: localhost\r\nX-API-Key: " + KEY.encode() + b"\r\n"
    second = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    held = exchange(
        service.port, b"POST /score HTTP/1.1\r\n" + own + head + b"\r\n\r\n" + second, wait=2.0
    )
    assert held.startswith(b"HTTP/1.1 400 ") or not held
    assert held.count(b" 200 ") == 0
    assert b"Traceback" not in held
    assert service.get("/health/live").status_code == 200


def test_half_open_connections_keep_nobody_waiting(service, row):
    half = b"POST /score HTTP/1.1\r\nHost: localhost\r\nX-"
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(200)]
    try:
        for each in slow:
            each.sendall(half)
        took = []
        for _ in range(30):
            started = time.perf_counter()
            assert service.post("/score", content=row, headers=OWN).status_code == 200
            took.append(time.perf_counter() - started)
        assert sorted(took)[15] < 0.1
    finally:
        for each in slow:
            each.close()


def test_the_key_is_in_no_log(service, place, row):
    service.post("/score", content=row, headers=OWN)
    service.post("/score", content=row, headers={**SENT, "x-api-key": KEY + "no"})
    assert KEY not in (place / "log").read_text()

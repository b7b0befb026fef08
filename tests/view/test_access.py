"""Who the studio answers, by what is sent over a real socket."""

import http.client
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.view.studio.access import Access
from pellucid.view.studio.server import Studio, StudioError


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with Studio(tmp_path_factory.mktemp("empty"), token="s3cret") as opened:
        yield opened


def ask(studio, path="/api/runs", *, method="GET", body=None, session=True, **headers):
    sent = {"Host": f"127.0.0.1:{studio.port}"}
    if session:
        sent["Cookie"] = f"pellucid-studio-{studio.port}=s3cret"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
    connection.request(method, path, body, sent)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def test_the_token_opens_a_session_and_leaves_the_address(studio):
    reply, _ = ask(studio, "/?token=s3cret", session=False)
    assert (reply.status, reply.getheader("Location")) == (303, "/")
    cookie = reply.getheader("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    reply, page = ask(studio, "/", session=False, Cookie=cookie.split(";")[0])
    assert reply.status == 200
    assert b"Pellucid studio" in page


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/api/runs", "/runs/a/report", "/nothing"])
def test_without_the_token_there_is_nothing(studio, path):
    reply, content = ask(studio, path, session=False)
    assert reply.status == 403
    assert "open the address" in json.loads(content)["error"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil:80"])
def test_other_names_for_this_machine_get_nothing(studio, host):
    for path in ("/api/runs", "/?token=s3cret"):
        reply, content = ask(studio, path, Host=host)
        assert reply.status == 403
        assert "answers to 127.0.0.1" in json.loads(content)["error"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}"])
def test_other_pages_get_nothing(studio, origin):
    reply, _ = ask(studio, Origin=origin.format(port=studio.port))
    assert reply.status == 403


def test_a_question_must_be_json_from_a_page_of_the_studio(studio):
    own = f"http://127.0.0.1:{studio.port}"
    path, body = "/api/runs/a/explain", b"{}"
    form = {"Content_Type": "text/plain", "Origin": own}
    assert ask(studio, path, method="POST", body=body, **form)[0].status == 403
    unknown = {"Content_Type": "application/json"}
    assert ask(studio, path, method="POST", body=body, **unknown)[0].status == 403
    right = {"Content_Type": "application/json", "Origin": own}
    assert ask(studio, path, method="POST", body=b"[", **right)[0].status == 400


def test_large_bodies_are_refused(studio):
    reply, _ = ask(studio, "/api/runs/a/explain", method="POST", Content_Length="999999999999")
    assert reply.status == 413


def test_every_answer_is_closed_to_other_sites(studio):
    for path in ("/", "/api/runs", "/nothing"):
        reply, _ = ask(studio, path)
        assert "frame-ancestors 'none'" in reply.getheader("Content-Security-Policy")
        assert "default-src 'none'" in reply.getheader("Content-Security-Policy")
        assert reply.getheader("X-Content-Type-Options") == "nosniff"
        assert reply.getheader("Access-Control-Allow-Origin") is None


def test_paths_are_not_files(studio):
    for path in ("/../../etc/passwd", "/api/runs/..%2f..", "/runs/%2e%2e/report", "//etc/passwd"):
        assert ask(studio, path)[0].status in (400, 404)


def test_a_port_in_use_is_named(studio):
    with pytest.raises(StudioError, match=f"port {studio.port}"):
        Studio("/no/such/folder", port=studio.port)


def test_tokens_are_long_and_different():
    with Studio("/no/such/folder") as one, Studio("/no/such/folder") as other:
        tokens = [each.url.split("token=")[1] for each in (one, other)]
    assert tokens[0] != tokens[1]
    assert min(map(len, tokens)) >= 32


@given(st.text())
def test_no_other_text_is_the_token(text):
    access = Access(1, "s3cret")
    assert access.is_token(text) == (text == "s3cret")
    assert access.has_session(text) == ("pellucid-studio-1=s3cret" in text)

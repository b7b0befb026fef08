"""The studio's server: the standard library's, on the loopback interface."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pellucid.errors import PellucidError
from pellucid.store.runs import Store
from pellucid.view.studio.access import Access
from pellucid.view.studio.library import Library, StudioError
from pellucid.view.studio.live import events
from pellucid.view.studio.routes import Answer, NotFoundError, answer, as_json

_LARGEST = 4_000_000  # bytes of a request's body
_PATIENCE = 10.0  # seconds that a connection may take for a request, or be silent
_MOST = 256  # connections at a time
_log = logging.getLogger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Studio:
    """A store in the browser, served from a thread until it is closed.

    Parameters
    ----------
    store : Store, or what `Store` takes
    port : int
        0 for one that is free.
    token : str, optional
        The secret in the address; a random one by default.

    Raises
    ------
    StudioError
        If the port cannot be had.

    Examples
    --------
    >>> with Studio("/no/such/folder", port=0) as studio:
    ...     studio.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self, store: Store | str | Path | None = None, *, port: int = 0, token: str | None = None
    ) -> None:
        opened = store if isinstance(store, Store) else Store(store)
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise StudioError(
                f"the studio cannot listen on port {port}: "
                f"{getattr(error, 'strerror', None) or error}; give another, or 0 for a free one"
            ) from error
        self._server.library = Library(opened)
        self._server.access = Access(self.port, token or secrets.token_urlsafe(24))
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="pellucid-studio", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self._server.access.token}"

    def wait(self) -> None:
        """Until it is closed, or the user interrupts."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def close(self) -> None:
        """Stop answering."""
        self._server.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False
    request_queue_size = 128  # five would have a page wait a second behind a few slow clients
    library: Library
    access: Access

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.closed = threading.Event()  # ends events that go on
        self.free = threading.BoundedSemaphore(_MOST)
        self.reading: dict[_Handler, float] = {}  # whose requests are under way, since when

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, as long as there are not too many."""
        if self.free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def service_actions(self) -> None:
        """Twice a second: end connections that send a request too slowly."""
        for handler, since in list(self.reading.items()):
            if time.monotonic() - since > _PATIENCE:
                with contextlib.suppress(OSError):
                    handler.connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that was left before it had its answer is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            _log.exception("the studio failed to answer %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pellucid"
    sys_version = ""
    server: _Server

    def handle_one_request(self) -> None:
        """Read one request and answer it; the server ends it where reading takes too long."""
        self.server.reading[self] = time.monotonic()
        try:
            super().handle_one_request()
        finally:
            self.server.reading.pop(self, None)

    def do_GET(self) -> None:
        """A page, or what a page asks for."""
        if self.headers.get("Content-Length", "0") != "0" or self.headers.get("Transfer-Encoding"):
            self.close_connection = True  # a body would be read as the next request
        self._reply("GET")

    def do_POST(self) -> None:
        """A question to a model."""
        self.close_connection = True  # until the body is read
        length = self.headers.get("Content-Length", "")
        sized = re.fullmatch(r"[0-9]{1,9}", length) and not self.headers.get("Transfer-Encoding")
        if not sized or int(length) > _LARGEST:
            self._refuse(f"send at most {_LARGEST} bytes, and how many", status=413)
        elif self.headers.get_content_type() != "application/json" or not self.headers.get(
            "Origin"
        ):
            self._refuse("the studio answers its own pages alone")
        else:
            self._reply("POST", int(length))

    def _refuse(self, message: str, *, status: int = 403) -> None:
        self._send(as_json({"error": message}, status=status))

    def _reply(self, method: str, length: int = 0) -> None:
        try:
            address = urlsplit(self.path)
        except ValueError:
            self._refuse("the address is none", status=400)
            return
        query = dict(parse_qsl(address.query))
        access = self.server.access
        refusal = access.refusal(
            host=self.headers.get("Host"),
            origin=self.headers.get("Origin"),
            site=self.headers.get("Sec-Fetch-Site"),
        )
        if address.netloc:  # of another server
            refusal = "the studio answers its own addresses alone"
        if refusal:
            self._refuse(refusal)
        elif method == "GET" and address.path == "/" and access.is_token(query.get("token")):
            # the token leaves the address, and with it the history
            headers = {"Location": "/", "Set-Cookie": access.set_cookie()}
            self._send(Answer(b"", "text/plain", 303, headers))
        elif not access.has_session(self.headers.get("Cookie")):
            self._refuse("open the address that pellucid studio printed")
        else:
            body = self.rfile.read(length)
            if method == "POST" and len(body) == length:
                self.close_connection = self.headers.get("Connection", "").lower() == "close"
            self.server.reading.pop(self, None)  # the answer may take its time
            if method == "GET" and address.path == "/api/live":
                self._tell()
                return
            self._send(self._answer(method, address.path, query, body))

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        try:
            return answer(self.server.library, method, path, query, body)
        except PellucidError as error:
            status = 404 if isinstance(error, NotFoundError) else 400
            return as_json({"error": str(error)}, status=status)
        except Exception as error:  # the page says so, and the studio goes on
            _log.exception("the studio failed at %s %s", method, path)
            return as_json({"error": f"unexpected {type(error).__name__}: {error}"}, status=500)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, under the headers of every answer."""
        self.close_connection = True
        self._refuse(message or "this is no request to the studio", status=code)

    def _tell(self) -> None:
        """Events until the page goes, does not listen or the studio closes."""
        self.close_connection = True
        self.connection.settimeout(_PATIENCE)
        self._begin(Answer(b"", "text/event-stream; charset=utf-8"))
        self.end_headers()
        with contextlib.suppress(PellucidError):  # the page asks again
            for event in events(self.server.library, self.server.closed):
                self.wfile.write(event)

    def _begin(self, reply: Answer) -> None:
        self.send_response(reply.status)
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in {**_HEADERS, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.kind)

    def _send(self, reply: Answer) -> None:
        self._begin(reply)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news; addresses may hold the token."""

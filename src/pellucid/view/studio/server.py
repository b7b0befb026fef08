"""The studio's server: the standard library's, on the loopback interface."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pellucid.errors import PellucidError
from pellucid.store.runs import Store
from pellucid.view.studio.access import Access
from pellucid.view.studio.library import Library, StudioError
from pellucid.view.studio.routes import Answer, NotFoundError, answer, as_json

_LARGEST = 4_000_000  # bytes of a request's body
_PATIENCE = 30  # seconds that a connection may be silent
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
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False
    library: Library
    access: Access

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that was left before it had its answer is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            _log.exception("the studio failed to answer %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pellucid"
    sys_version = ""
    timeout = _PATIENCE
    server: _Server

    def do_GET(self) -> None:
        """A page, or what a page asks for."""
        self._reply("GET", b"")

    def do_POST(self) -> None:
        """A question to a model."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST:
            self.close_connection = True
            self._send(
                as_json({"error": f"send at most {_LARGEST} bytes, and how many"}, status=413)
            )
            return
        body = self.rfile.read(int(length))
        if self.headers.get_content_type() != "application/json" or not self.headers.get("Origin"):
            self._send(as_json({"error": "the studio answers its own pages alone"}, status=403))
            return
        self._reply("POST", body)

    def _reply(self, method: str, body: bytes) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        access = self.server.access
        refusal = access.refusal(
            host=self.headers.get("Host"),
            origin=self.headers.get("Origin"),
            site=self.headers.get("Sec-Fetch-Site"),
        )
        if refusal:
            self._send(as_json({"error": refusal}, status=403))
        elif method == "GET" and address.path == "/" and access.is_token(query.get("token")):
            # the token leaves the address, and with it the history
            headers = {"Location": "/", "Set-Cookie": access.set_cookie()}
            self._send(Answer(b"", "text/plain", 303, headers))
        elif not access.has_session(self.headers.get("Cookie")):
            self._send(
                as_json({"error": "open the address that pellucid studio printed"}, status=403)
            )
        else:
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

    def _send(self, reply: Answer) -> None:
        self.send_response(reply.status)
        for name, value in {**_HEADERS, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are no news; addresses may hold the token."""

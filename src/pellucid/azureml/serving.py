"""The process of a service: an entry script's ``init`` once, its ``run`` for each request."""

from __future__ import annotations

import hmac
import json
import os
import runpy
import sys
import traceback
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from pellucid.azureml.aliases import AliasError, install
from pellucid.azureml.bygone import restore

_MOST = 64 * 2**20  # bytes of a request


def serve(script: str, port: int) -> None:
    """Answer requests on loopback until the process is ended."""
    with suppress(AliasError):  # the real SDK is there, and answers the script's imports
        install()
    restore()
    sys.path.insert(0, str(Path(script).resolve().parent))
    names = runpy.run_path(script, run_name="entry_script")
    for name in ("init", "run"):
        if not callable(names.get(name)):
            sys.exit(f"the entry script {script} has no function {name}()")
    names["init"]()
    keys = json.loads(os.environ.get("PELLUCID_AZUREML_KEYS", "[]"))
    handler = type("Handler", (_Handler,), {"answer": staticmethod(names["run"]), "keys": keys})
    print(f"serving {script} on port {port}")
    ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()


class _Handler(BaseHTTPRequestHandler):
    answer: Any
    keys: list[str]
    lock = Lock()  # scripts were written for one request at a time

    def do_GET(self) -> None:
        """Whether it is there."""
        self._send(200, "Healthy")

    def do_POST(self) -> None:
        """Rows in, what ``run`` makes of them out."""
        size = int(self.headers.get("Content-Length") or 0)
        if self.path.rstrip("/") != "/score":
            self._send(404, "post rows to /score")
        elif self.keys and not self._knows_key():
            self._send(401, "a key is needed: Authorization: Bearer KEY")
        elif size > _MOST:
            self._send(413, f"a request has at most {_MOST} bytes")
        else:
            body = self.rfile.read(size).decode()
            try:
                with self.lock:
                    found = type(self).answer(body)
                self._send(200, found)
            except Exception as error:
                traceback.print_exc()
                self._send(500, f"{type(error).__name__}: {error}")

    def _knows_key(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        return any(hmac.compare_digest(given, key.encode()) for key in self.keys)

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content, default=_plain).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Lines of requests, without their content."""
        print(f"{self.log_date_time_string()} {format % arguments}")


def _plain(value: Any) -> Any:
    """Arrays and their numbers as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the script's answer holds a {type(value).__name__}, which JSON cannot say")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))

"""What stands before every route: who may ask, from where, and how much at a time.

A plain ASGI layer, so that a route that is added later stands behind it too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pellucid.serve.body import ENCODINGS, Receive
from pellucid.serve.errors import RequestError
from pellucid.serve.metrics import Metrics
from pellucid.serve.patience import Patience
from pellucid.serve.settings import LOOPBACK, Settings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEALTH = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/ping")
OPEN = (*HEALTH, "/", "/page.js", "/page.css")
ARRIVED = "pellucid.arrived"  # in a scope: when its head came, by time.perf_counter
REQUEST = "pellucid.request"  # in a scope: the request's name
_log = logging.getLogger("pellucid.serve.access")
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    ),
]


class Guard:
    """Lets through what is allowed; answers for the rest, counts all, and logs without values.

    Parameters
    ----------
    app : the ASGI application behind it
    settings : Settings
    keys : API keys; empty for none
    metrics : Metrics
    """

    def __init__(
        self, app: Any, *, settings: Settings, keys: frozenset[str], metrics: Metrics
    ) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._digests = [_digest(key.encode()) for key in keys]
        self._hosts = {*LOOPBACK, settings.host.lower(), *(h.lower() for h in settings.hosts)}
        self._patience = Patience(settings.limits.queue_seconds)
        self.waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        name = given if _ID.fullmatch(given) else secrets.token_hex(8).encode()
        scope[REQUEST] = name.decode()
        answer = _Answer(send, name)
        started = scope.setdefault(ARRIVED, time.perf_counter())
        self.waiting += 1
        try:
            self._check(scope, headers)
            await self._app(scope, receive, answer.send)
        except RequestError as error:
            await answer.problem(error)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                "unexpected %s at %s:%s", type(error).__name__, where.filename, where.lineno
            )  # not its message, which may hold cells
            await answer.problem(_FAULT)
        finally:
            self.waiting -= 1
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.count_request(route, answer.status, seconds)
            if route not in OPEN:
                _log.info(
                    json.dumps(
                        {
                            "request": name.decode(),
                            "method": scope["method"],
                            "route": route,
                            "status": answer.status,
                            "ms": round(1000 * seconds, 2),
                        }
                    )
                )

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        host = _bare(headers.get(b"host", b"").decode("latin-1"))
        open_route = scope["path"] in OPEN
        probes = open_route and scope["path"] != "/"  # orchestrators ask by address
        if host not in self._hosts and not probes and (self._settings.is_local or self._known):
            raise RequestError(
                "this host name is not one of the service's; add it with --host-name",
                code="wrong_host",
                status=421,
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").partition("://")[2] != headers.get(
            b"host", b""
        ).decode("latin-1"):
            raise RequestError(
                "pages of another origin may not ask this service", code="origin", status=403
            )
        if self._digests and not open_route:
            self._authenticate(headers)
        if headers.get(b"content-encoding", b"identity") not in ENCODINGS:
            raise RequestError(
                "a body may be compressed by gzip alone, or not at all",
                code="encoding",
                status=415,
                headers={"accept-encoding": "gzip"},
            )
        if open_route:
            return
        now = time.perf_counter()
        tired = self._patience.ends(now - scope[ARRIVED], now)
        if tired or self.waiting > self._settings.limits.waiting:
            raise RequestError(
                "too many requests wait; ask again in a second", code="busy", status=503
            )

    @property
    def _known(self) -> bool:
        """Whether the names are known under which a service that others reach may be asked."""
        return bool(self._settings.hosts)

    def _authenticate(self, headers: dict[bytes, bytes]) -> None:
        given = headers.get(b"x-api-key", b"")
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"bearer":
            given = token.strip()
        digest = _digest(given)
        found = False
        for known in self._digests:  # all of them, so that time tells nothing
            found |= hmac.compare_digest(digest, known)
        if not found:
            raise RequestError(
                "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY",
                code="unauthorized",
                status=401,
            )


class _Answer:
    """Sends an answer with the headers that every answer has."""

    def __init__(self, send: Send, name: bytes) -> None:
        self._send, self._name, self.status = send, name, 0

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = dict(message.get("headers", ()))
            extra = [pair for pair in _HEADERS if pair[0] not in own]
            message["headers"] = [*own.items(), *extra, (b"x-request-id", self._name)]
        await self._send(message)

    async def problem(self, error: RequestError) -> None:
        """Tell an error, unless an answer has begun."""
        if self.status:
            return
        body = json.dumps({**error.to_dict(), "request": self._name.decode()}).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
        ]
        headers += [(name.encode(), text.encode()) for name, text in error.headers.items()]
        if error.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if error.status == 503:
            headers.append((b"retry-after", b"1"))
        if error.code in ("too_slow", "too_long"):
            headers.append((b"connection", b"close"))  # what is left of the body is not read
        start = {"type": "http.response.start", "status": error.status, "headers": headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


_FAULT = RequestError("the service failed; its log says where", code="fault", status=500)


def _bare(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()

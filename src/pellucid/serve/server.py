"""Run the service under uvicorn: one worker in this process, or several that are kept alive."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

from pellucid.serve.errors import ServeError
from pellucid.serve.settings import Settings, read_keys

_TOLD = "PELLUCID_SERVICE"  # the environment variable that tells workers their settings


def run_server(settings: Settings) -> None:
    """Serve until a signal ends it; requests that were accepted are answered first.

    Raises
    ------
    ServeError
        Settings that no service should start with, packages that are absent, or no model.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise ServeError(
            f"serving needs the package {error.name}: pip install 'pellucid[serve]'"
        ) from error
    from pellucid.serve.holder import source_of

    settings.check(read_keys(settings))
    source_of(settings.target, store=settings.store).identity()  # fails before a port is taken
    os.environ[_TOLD] = settings.to_json()
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "ssl_certfile": settings.certificate,
        "ssl_keyfile": settings.private_key,
        "http": _protocol(),
        "ws": "none",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": 15,
        "timeout_graceful_shutdown": 20,
        "log_config": None,
        "lifespan": "on",
        "timeout_worker_healthcheck": 60,  # a worker compiles tables before it answers
    }
    _log_lines()
    uvicorn.run(
        "pellucid.serve.server:worker_app", factory=True, workers=settings.workers, **options
    )


def worker_app() -> Any:
    """The application of one worker, from the settings in its environment."""
    from pellucid.serve.app import make_app
    from pellucid.serve.holder import Holder, source_of

    _log_lines()
    settings = Settings.from_json(os.environ[_TOLD])
    source = source_of(settings.target, store=settings.store, name=settings.name)
    holder = Holder(source, every=settings.reload_seconds)
    return make_app(holder, settings, read_keys(settings))


def _log_lines() -> None:
    """One line an event on standard error; those of requests are JSON, without any cell."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("pellucid.serve", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)


def _protocol() -> Any:
    """HTTP by httptools where there is one; a client that sends no whole head is not waited for."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return "h11"

    class Impatient(HttpToolsProtocol):
        """Closes a connection whose request line and headers take longer than this."""

        head_seconds = 10.0
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            idle = self.cycle is None or self.cycle.response_complete
            if self._late is None and idle:
                self._wait()
            super().data_received(data)

        def on_headers_complete(self) -> None:
            self._calm()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._calm()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._late = self.loop.call_later(self.head_seconds, self._close)

        def _calm(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _close(self) -> None:
            if self.transport is not None and not self.transport.is_closing():
                self.transport.close()

    return Impatient

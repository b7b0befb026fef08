"""Run the service under uvicorn: one worker in this process, or several that are kept alive."""

from __future__ import annotations

import logging
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pellucid.serve.errors import ServeError
from pellucid.serve.settings import Settings, read_keys

if TYPE_CHECKING:
    from pellucid.serve.holder import Holder

_NEEDED = ("starlette", "uvicorn", "orjson")
_TOLD = "PELLUCID_SERVICE"  # the environment variable that tells workers their settings


def run_server(settings: Settings) -> None:
    """Serve until a signal ends it; requests that were accepted are answered first.

    Raises
    ------
    ServeError
        Settings that no service should start with, packages that are absent, or no model.
    """
    absent = [name for name in _NEEDED if find_spec(name) is None]
    if absent:
        raise ServeError(f"serving needs {', '.join(absent)}: pip install 'pellucid[serve]'")
    import uvicorn

    from pellucid.serve.app import make_app
    from pellucid.serve.holder import source_of
    from pellucid.serve.workers import can_fork, run_workers

    keys = read_keys(settings)
    settings.check(keys)
    source_of(settings.target, store=settings.store).identity()  # fails before a port is taken
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
    if settings.workers > 1 and can_fork:
        listener = uvicorn.Config(worker_app, **options).bind_socket()
        holder = _holder(settings, every=0.0)  # who watches over them looks for all
        run_workers(
            holder,
            lambda: uvicorn.Config(make_app(holder, settings, keys), **options),
            listener,
            n_workers=settings.workers,
            look_seconds=settings.reload_seconds,
        )
        return
    os.environ[_TOLD] = settings.to_json()
    uvicorn.run(
        "pellucid.serve.server:worker_app", factory=True, workers=settings.workers, **options
    )


def worker_app() -> Any:
    """The application of one worker, from the settings in its environment."""
    from pellucid.serve.app import make_app

    _log_lines()
    settings = Settings.from_json(os.environ[_TOLD])
    holder = _holder(settings, every=settings.reload_seconds)
    return make_app(holder, settings, read_keys(settings))


def _holder(settings: Settings, *, every: float) -> Holder:
    """The model, ready to answer."""
    from pellucid.serve.holder import Holder, source_of
    from pellucid.serve.memory import map_large_arrays

    map_large_arrays()
    source = source_of(
        settings.target, store=settings.store, name=settings.name, trust=settings.trust
    )
    return Holder(source, every=every)


def _log_lines() -> None:
    """One line an event on standard error; those of requests are JSON, without any cell."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("pellucid.serve", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)


def _protocol() -> str:
    """HTTP by httptools where there is one, with an end to waiting."""
    if find_spec("httptools") is None:
        return "h11"
    return "pellucid.serve.protocol:Impatient"

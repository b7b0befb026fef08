"""The service's routes. What comes before them is in `security`; what they say, in `answers`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from pellucid.serve.answers import answer, scores_frame, to_arrow, to_csv, to_json
from pellucid.serve.body import read_limited, unpacked
from pellucid.serve.engine import Engine
from pellucid.serve.errors import RequestError
from pellucid.serve.example import example_row
from pellucid.serve.formats import ARROW, CSV, JSON, Asked, read_body
from pellucid.serve.holder import Holder, Served
from pellucid.serve.inference import describe, infer_answer, model_metadata, read_infer
from pellucid.serve.metrics import Metrics
from pellucid.serve.openapi import document
from pellucid.serve.options import Options
from pellucid.serve.scores import Scores
from pellucid.serve.security import ARRIVED, HEALTH, REQUEST, Guard
from pellucid.serve.settings import Kept, Settings
from pellucid.serve.strict_json import read_json

if TYPE_CHECKING:
    from pellucid.serve.watch.log import Log

_WEB = Path(__file__).parent / "web"
_PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}


def make_app(holder: Holder, settings: Settings, keys: frozenset[str] = frozenset()) -> Guard:
    """The ASGI application of a service.

    Parameters
    ----------
    holder : Holder
        Of the model; the application starts and stops its looking for another.
    settings : Settings
    keys : API keys; empty for a service without
    """
    metrics = Metrics()
    engine = Engine(settings.limits, metrics)
    log = None if settings.log is None else _open_log(settings.log, holder.current)

    guard: Guard

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        holder.start()
        if log is not None:
            log.start()
        yield
        holder.stop()
        engine.close()
        if log is not None:
            log.stop()

    async def numbers(_: Request) -> Response:
        gauges = {
            "pellucid_requests_waiting": guard.waiting,
            "pellucid_model_reloads": holder.reloads,
            "pellucid_model_reload_failures": holder.failures,
        }
        if log is not None:
            gauges["pellucid_rows_logged"] = log.written
            gauges["pellucid_rows_not_logged"] = log.dropped
        return Response(metrics.text(gauges), media_type="text/plain; version=0.0.4")

    routes = Routes(holder, settings, engine, log)
    asked = {  # with POST; the rest is read with GET
        "/score": routes.score,
        "/invocations": routes.score,
        "/v2/models/{name}/infer": routes.infer,
        "/v2/models/{name}/versions/{version}/infer": routes.infer,
    }
    read = {
        "/v2/models/{name}": routes.metadata,
        "/v2/models/{name}/ready": routes.model_ready,
        "/v2": routes.server,
        **dict.fromkeys(HEALTH, routes.alive),
        "/schema": routes.schema,
        "/openapi.json": routes.openapi,
        "/metrics": numbers,
        **dict.fromkeys(_PAGES, routes.page),
    }
    app = Starlette(
        lifespan=life,
        routes=[_Route(path, does, methods=["POST"]) for path, does in asked.items()]
        + [_Route(path, does, methods=["GET"]) for path, does in read.items()],
        exception_handlers={404: _tell_absent, 405: _tell_absent, Exception: _raise},
    )
    guard = Guard(app, settings=settings, keys=keys, metrics=metrics)
    return guard


def _open_log(kept: Kept, served: Served) -> Log:
    from pellucid.serve.watch.log import open_log

    return open_log(kept, served)


class _Route(Route):
    """A route that leaves its pattern with the request, for counts and the log."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        match, found = super().matches(scope)
        return match, {**found, "route": self}


class Routes:
    """What each route does.

    Parameters
    ----------
    holder, settings, engine : as in `make_app`
    log : where answered requests are kept, or None
    """

    def __init__(
        self, holder: Holder, settings: Settings, engine: Engine, log: Log | None = None
    ) -> None:
        self._holder, self._settings, self._engine, self._log = holder, settings, engine, log

    async def score(self, request: Request) -> Response:
        """Rows in any form; predictions and importances."""
        served = self._holder.current  # one model for the whole request
        options = Options(policy=self._settings.policy).told(request.query_params)
        body = await self._body(request)
        names = served.scorer.predictor.schema.raw_names
        kind = request.headers.get("content-type")
        asked = read_body(body, kind, names, most_rows=self._settings.limits.rows)
        options = options.told(asked.params)
        if asked.form in ("method", "inputs"):  # they answer with results alone
            options = options.told({"explain": "none", "space": "margin"})
        scores = await self._score(request, served, asked, options)
        accept = request.headers.get("accept", "").partition(";")[0].strip().lower()
        if accept == CSV:
            return Response(to_csv(scores_frame(scores, served.scorer)), media_type=CSV)
        if accept in ARROW:
            return Response(to_arrow(scores_frame(scores, served.scorer)), media_type=ARROW[0])
        return _json(answer(scores, served, asked, options))

    async def infer(self, request: Request) -> Response:
        """The Open Inference Protocol."""
        served = self._named(request)
        value = read_json(await self._body(request))
        asked, levels = read_infer(value)
        options = Options(policy=self._settings.policy, explain=()).told(asked.params)
        if levels is not None:
            options = options.told({"explain": list(levels)})
        scores = await self._score(request, served, asked, options)
        return _json(infer_answer(scores, served, value))

    async def metadata(self, request: Request) -> Response:
        """What the model takes and gives."""
        return _json(model_metadata(self._named(request)))

    async def model_ready(self, request: Request) -> Response:
        """Whether the model answers."""
        served = self._named(request)
        return _json({"name": served.name, "ready": True})

    async def server(self, _: Request) -> Response:
        """The server itself."""
        facts = self._holder.current.facts
        return _json({"name": "pellucid", "version": facts["explainer"], "extensions": []})

    async def alive(self, _: Request) -> Response:
        """The service is up; it is only up with a model."""
        return _json({"status": "ok", "model": self._holder.current.facts})

    async def schema(self, _: Request) -> Response:
        """The columns of a row, and an example."""
        served = self._holder.current
        predictor = served.scorer.predictor
        facts = {
            "model": served.facts,
            "task": predictor.problem.task,
            "target": predictor.target,
            "classes": None if predictor.classes is None else predictor.classes.tolist(),
            "columns": describe(served.scorer),
            "example": example_row(served.scorer),
            "raw_features": predictor.names_of("raw"),
            "engineered_features": predictor.names_of("engineered"),
            "policy": self._settings.policy,
        }
        return _json(facts)

    async def openapi(self, _: Request) -> Response:
        """The OpenAPI document, with the model's own columns."""
        return _json(document(self._holder.current, self._settings))

    async def page(self, request: Request) -> Response:
        """A page to try a row."""
        name, kind = _PAGES[request.url.path]
        return Response((_WEB / name).read_bytes(), media_type=kind)

    async def _score(
        self, request: Request, served: Served, asked: Asked, options: Options
    ) -> Scores:
        scores = await self._engine.score(served, asked, options, arrived=request.scope[ARRIVED])
        if self._log is not None:
            self._log.take(served, asked, scores, request=request.scope[REQUEST])
        return scores

    async def _body(self, request: Request) -> bytes:
        limits = self._settings.limits
        body = await read_limited(
            request.receive,
            length=request.headers.get("content-length"),
            most=limits.body,
            seconds=limits.body_seconds,
        )
        if request.headers.get("content-encoding") == "gzip":
            return unpacked(body, most=limits.body)
        return body

    def _named(self, request: Request) -> Served:
        served = self._holder.current
        name = request.path_params["name"]
        version = request.path_params.get("version", served.version)
        if (name, version) != (served.name, served.version):
            raise RequestError(
                f"this service has the model {served.name} in version {served.version}",
                code="unknown_model",
                status=404,
            )
        return served


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type=JSON)


async def _raise(_: Request, error: Exception) -> Response:
    raise error  # the guard tells it, as it does its own


async def _tell_absent(_: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        allowed = (getattr(error, "headers", None) or {}).get("Allow", "GET, POST")
        raise RequestError(
            "this method is not allowed here; see /openapi.json",
            code="method",
            status=405,
            headers={"allow": allowed},
        )
    raise RequestError(
        "this address is not one of the service's; see /openapi.json",
        code="not_found",
        status=404,
    )

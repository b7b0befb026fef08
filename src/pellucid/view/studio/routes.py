"""What each address of the studio answers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.explain.explanation import Explanation
from pellucid.store.run import Run
from pellucid.view.assets import digest, fill, script, style
from pellucid.view.export import explanation_table
from pellucid.view.report import render_report
from pellucid.view.studio.cohorts import change_cohorts, kept_cohorts, told_cohort
from pellucid.view.studio.library import Library, StudioError

_JSON, _HTML = "application/json", "text/html; charset=utf-8"
_NAME = re.compile(r"[^\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    body: bytes
    kind: str = _JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class NotFoundError(StudioError):
    """There is nothing at an address."""


def answer(
    library: Library, method: str, path: str, query: Mapping[str, str], body: bytes = b""
) -> Answer:
    """The answer to one request that may be answered.

    Raises
    ------
    PellucidError
        What cannot be answered, in words for the page.
    """
    for verb, pattern, handler in _ROUTES:
        found = re.fullmatch(pattern, path)
        if verb == method and found:
            return handler(library, found.groups(), query, body)
    raise NotFoundError(f"the studio has nothing at {method} {path[:200]}")


def as_json(value: Any, *, status: int = 200) -> Answer:
    """Plain values as an answer."""
    return Answer(json.dumps(value, allow_nan=False).encode(), status=status)


def _shell(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    code, look = script("studio/main.js"), style("studio.css")
    page = fill("studio.html", {"style": look, "script": code})
    policy = (
        f"default-src 'none'; script-src '{digest(code)}'; style-src '{digest(look)}'; "
        f"img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'"
    )
    return Answer(page.encode(), _HTML, headers={"Content-Security-Policy": policy})


def _runs(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json(library.runs())


def _run(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json(library.page(library.run(parts[0])))


def _form(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    row = query.get("row")
    if row is not None and not row.isdecimal():
        raise StudioError(f"row is {row[:40]!r}; expected a position, such as 0")
    return as_json(library.form(library.run(parts[0]), None if row is None else int(row)))


def _explain(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    cells = _said(body).get("cells")
    if not isinstance(cells, dict):
        raise StudioError('expected {"cells": {column: cell, ...}}')
    return as_json(library.explain(library.run(parts[0]), cells))


def _ask(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json(library.ask(library.run(parts[0]), _said(body)))


def _said(body: bytes) -> dict[str, Any]:
    """The object that a request holds; empty where it holds another value."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StudioError(f"the request is not JSON: {error}") from error
    return said if isinstance(said, dict) else {}


def _cohorts(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json({"cohorts": kept_cohorts(library.run(parts[0]))})


def _change_cohorts(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json({"cohorts": change_cohorts(library, library.run(parts[0]), _said(body))})


def _totals(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    return as_json(told_cohort(library, library.run(parts[0]), _said(body)))


def _compare(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    chosen = [query.get("first", ""), query.get("second", "")]
    return as_json(library.compare(*(library.run(run) for run in chosen)))


def _report(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    run = library.run(parts[0])
    headers = _attached(run, "report.html") if "download" in query else {}
    headers["Content-Security-Policy"] = "frame-ancestors 'none'"  # the page has the rest in it
    return Answer(render_report(library.report(run)).encode(), _HTML, headers=headers)


def _table(library: Library, parts: tuple[str, ...], query: Any, body: bytes) -> Answer:
    run = library.run(parts[0])
    explanation: Explanation | None = library.explanation(run)
    level = query.get("level", "raw")
    if level == "engineered":
        explanation = library.explanation(run).engineered
    if explanation is None or level not in ("raw", "engineered"):
        raise StudioError(f"run {run.id} holds no explanation over {level[:40]} features")
    table = explanation_table(explanation)
    headers = _attached(run, f"{level}.{parts[1]}")
    if parts[1] == "csv":
        return Answer(table.to_csv(index=False).encode(), "text/csv; charset=utf-8", 200, headers)
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return Answer(buffer.getvalue(), "application/vnd.apache.parquet", 200, headers)


def _attached(run: Run, suffix: str) -> dict[str, str]:
    name = _NAME.sub("-", run.name) or run.id[:8]
    return {"Content-Disposition": f'attachment; filename="{name}-{suffix}"'}


_ID = r"([0-9A-Za-z_-]{1,64})"
_Handler = Callable[[Library, tuple[str, ...], Mapping[str, str], bytes], Answer]
_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("GET", "/", _shell),
    ("GET", "/api/runs", _runs),
    ("GET", f"/api/runs/{_ID}", _run),
    ("GET", f"/api/runs/{_ID}/form", _form),
    ("POST", f"/api/runs/{_ID}/explain", _explain),
    ("POST", f"/api/runs/{_ID}/ask", _ask),
    ("GET", f"/api/runs/{_ID}/cohorts", _cohorts),
    ("POST", f"/api/runs/{_ID}/cohorts", _change_cohorts),
    ("POST", f"/api/runs/{_ID}/totals", _totals),
    ("GET", rf"/api/runs/{_ID}/explanation\.(csv|parquet)", _table),
    ("GET", "/api/compare", _compare),
    ("GET", f"/runs/{_ID}/report", _report),
)

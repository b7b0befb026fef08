"""The report: one self-contained HTML page of a run, that opens without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import uuid
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.view.linker import link
from pellucid.view.payload import Reportable, build_payload


class ReportError(PellucidError):
    """A report cannot be written."""


def write_report(run: Reportable, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write the report of a run to one HTML file, whole or not at all.

    Parameters
    ----------
    run : Reportable
        A run of the store.
    path : str or Path
        The file; its folder is made when there is none.
    overwrite : bool
        Whether a file that is there already gives way.

    Returns
    -------
    Path
        The file's absolute path.

    Raises
    ------
    ReportError
        When the file is there and may not be replaced, or cannot be written.
    """
    target = Path(path).expanduser().absolute()
    if target.exists() and not overwrite:
        raise ReportError(f"{target} is there already; pass overwrite=True or another path")
    if target.is_dir():
        raise ReportError(f"{target} is a folder; name a file in it, such as report.html")
    page = render_report(build_payload(run))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, page.encode("utf-8"))
    except OSError as error:
        raise ReportError(
            f"cannot write the report to {target}: {error.strerror or error}; "
            f"choose a path that you may write to"
        ) from error
    return target


def render_report(payload: Mapping[str, Any]) -> str:
    """The page as a string of HTML.

    Script and style are named by their hashes in the page's content security policy, and nothing
    else may load or run: cells and names are data, whatever they spell.

    Parameters
    ----------
    payload : mapping
        What `build_payload` gives.

    Examples
    --------
    >>> page = render_report({"run": {"id": "1", "name": "</script>"}, "training": {"target": "y"}})
    >>> page.startswith("<!doctype html>"), page.count("</script>")
    (True, 2)
    """
    training = payload.get("training", {})
    script, style = _script(), _style()
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": html.escape(policy),
        "title": _title(str(training.get("target", "Model"))),
        "style": style,
        "payload": _embedded(payload),
        "script": script,
    }
    head, *rest = _asset("report.html").split("{{")
    page = [head]
    for piece in rest:
        name, text = piece.split("}}", 1)
        page += [parts[name], text]
    return "".join(page)


def _embedded(payload: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in, in ASCII alone."""
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _title(target: str) -> str:
    shown = target[:120].encode("utf-8", "replace").decode()  # half a character cannot be written
    return html.escape(f"{shown} · Pellucid report")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _script() -> str:
    folder = files("pellucid.view").joinpath("web")
    modules = {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".js")}
    return link(modules, entry="main.js")


@cache
def _style() -> str:
    return "\n".join(_asset(name) for name in ("base.css", "charts.css", "print.css"))


def _asset(name: str) -> str:
    return files("pellucid.view").joinpath("web", name).read_text("utf-8")


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    draft = target.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        draft.write_bytes(content)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)

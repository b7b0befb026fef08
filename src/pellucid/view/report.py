"""The report: one self-contained HTML page of a run, that opens without a network."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.files import write_file
from pellucid.view.assets import digest, embedded, fill, page_title, script, style
from pellucid.view.payload import Reportable, build_payload


class ReportError(PellucidError):
    """A report cannot be written."""


def write_report(
    run: Reportable, path: str | Path, *, overwrite: bool = True, what_if: bool = True
) -> Path:
    """Write the report of a run to one HTML file, whole or not at all.

    Parameters
    ----------
    run : Reportable
        A run of the store.
    path : str or Path
        The file; its folder is made when there is none.
    overwrite : bool
        Whether a file that is there already gives way.
    what_if : bool
        Whether the model travels in the file, so that rows can be edited there.

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
    page = render_report(build_payload(run, what_if=what_if))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, page.encode("utf-8"))
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
    title = page_title(str(payload.get("training", {}).get("target", "Model")))
    return _render(payload, "main.js", f"{title} · Pellucid report")


def render_explanation(payload: Mapping[str, Any]) -> str:
    """The page of an explanation alone, under the same policy as a report."""
    return _render(payload, "explanation.js", "Pellucid explanation")


def _render(payload: Mapping[str, Any], entry: str, title: str) -> str:
    code, look = script(entry), style()
    policy = (
        f"default-src 'none'; script-src '{digest(code)}'; style-src '{digest(look)}'; "
        f"img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": html.escape(policy),
        "title": title,
        "style": look,
        "payload": embedded(payload),
        "script": code,
    }
    return fill("report.html", parts)

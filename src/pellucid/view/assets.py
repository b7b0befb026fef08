"""What pages are put together from: linked scripts, styles, JSON and markup that cannot escape."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pellucid.view.linker import link

_STYLES = ("base.css", "charts.css", "form.css", "print.css")


def embedded(payload: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in, in ASCII alone."""
    text = json.dumps(payload, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_title(text: str) -> str:
    """Text of at most 120 characters, as HTML."""
    shown = text[:120].encode("utf-8", "replace").decode()  # half a character cannot be written
    return html.escape(shown)


def digest(text: str) -> str:
    """The hash by which a content security policy allows a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def script(entry: str) -> str:
    """A module of ``web/`` and all it imports, as one script."""
    return link(_modules(files("pellucid.view").joinpath("web"), ""), entry=entry)


@cache
def style(*further: str) -> str:
    """The styles of every page, and further ones of some."""
    return "\n".join(asset(name) for name in (*_STYLES, *further))


def asset(name: str) -> str:
    """A file of ``web/`` as text."""
    return files("pellucid.view").joinpath("web", name).read_text("utf-8")


def fill(template: str, parts: Mapping[str, str]) -> str:
    """A template with each ``{{name}}`` replaced, whatever the replacements spell."""
    head, *rest = asset(template).split("{{")
    page = [head]
    for piece in rest:
        name, text = piece.split("}}", 1)
        page += [parts[name], text]
    return "".join(page)


def _modules(folder: Traversable, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in folder.iterdir():
        if each.is_dir():
            found |= _modules(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".js"):
            found[prefix + each.name] = each.read_text("utf-8")
    return found

"""Link ES modules into one script, so that a page needs neither a server nor a build step."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from pellucid.errors import PellucidError

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|let|class) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class LinkError(PellucidError):
    """Modules cannot be linked."""


def link(modules: Mapping[str, str], *, entry: str) -> str:
    r"""One script that runs ``entry`` after all it imports, each module in a scope of its own.

    Modules import by name (``import { a, b as c } from "./other.js";``) and export declarations
    (``export function``, ``export const``, ...); that is all that is read.

    Parameters
    ----------
    modules : mapping
        Path -> source.
    entry : str
        Path of the module to run.

    Raises
    ------
    LinkError
        For absent modules, imports in a circle, and other forms of import or export.

    Examples
    --------
    >>> a = 'import { one as uno } from "./b.js";\nshow(uno);\n'
    >>> print(link({"a.js": a, "b.js": "export const one = 1;\n"}, entry="a.js"))
    "use strict";
    const module0 = (() => { // b.js
    const one = 1;
    return { one };
    })();
    const module1 = (() => { // a.js
    const { one: uno } = module0;
    show(uno);
    return {  };
    })();
    """
    order: list[str] = []
    _visit(modules, entry, (), order)
    number = {path: i for i, path in enumerate(order)}
    parts = ['"use strict";']
    for path in order:
        parts.append(f"const module{number[path]} = (() => {{ // {path}")
        parts.append(_scope(path, modules[path], number).rstrip("\n"))
        parts.append("})();")
    return "\n".join(parts)


def _visit(modules: Mapping[str, str], path: str, above: tuple[str, ...], order: list[str]) -> None:
    if path in order:
        return
    if path in above:
        raise LinkError(f"modules import each other in a circle: {' -> '.join((*above, path))}")
    if path not in modules:
        raise LinkError(f"there is no module {path!r}, imported by {above[-1:] or 'the page'}")
    for _, target in _IMPORT.findall(modules[path]):
        _visit(modules, _resolve(path, target), (*above, path), order)
    order.append(path)


def _resolve(importer: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))


def _scope(path: str, source: str, number: Mapping[str, int]) -> str:
    def bind(match: re.Match[str]) -> str:
        names = ", ".join(
            ": ".join(part.split(" as ")) for part in re.split(r"\s*,\s*", match[1].strip()) if part
        )
        return f"const {{ {names} }} = module{number[_resolve(path, match[2])]};\n"

    exported = _EXPORT.findall(source)
    body = _EXPORT.sub("", _IMPORT.sub(bind, source))
    left = _LEFT.search(body)
    if left:
        raise LinkError(
            f"{path}: cannot link {left[0]!r}; import names in braces, export declarations"
        )
    return f"{body}return {{ {', '.join(exported)} }};"

"""How a request wants to be answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from pellucid.explain.explanation import Level
from pellucid.serve.checking import Policy
from pellucid.serve.errors import RequestError
from pellucid.serve.scores import LEVELS

Space = Literal["margin", "probability", "response"]
Method = Literal["predict", "predict_proba"]
MOST_REASONS = 10_000


@dataclass(frozen=True)
class Options:
    """What to give besides predictions.

    explain : levels of importances; none for predictions alone
    top : give the so many largest importances of each row with their cells, instead of all
    space : in what importances add up
    policy : how exact the types of cells must be
    method : of the old forms, what their result is
    above : explain only rows whose score is at least this (see `Scorer.score`)
    deadline : seconds after which no more importances are begun
    """

    explain: tuple[Level, ...] = LEVELS
    top: int | None = None
    space: Space = "margin"
    policy: Policy = "lenient"
    method: Method = "predict"
    above: float | None = None
    deadline: float | None = None

    def told(self, params: Mapping[str, Any]) -> Options:
        """These options, changed as a query string or a body says; other names are ignored.

        Raises
        ------
        RequestError
            For a value that is none of those expected.

        Examples
        --------
        >>> told = Options().told({"explain": "raw", "top": "3", "explain_above": 0.5})
        >>> told.explain, told.top, told.above
        (('raw',), 3, 0.5)
        """
        changed = self
        if "explain" in params:
            changed = replace(changed, explain=_levels(params["explain"]))
        if params.get("top") is not None:
            changed = replace(changed, top=_count(params["top"]))
        if params.get("explain_above") is not None:
            changed = replace(changed, above=_number("explain_above", params["explain_above"]))
        if params.get("deadline_ms") is not None:
            milliseconds = _number("deadline_ms", params["deadline_ms"])
            if milliseconds <= 0.0:
                raise RequestError("deadline_ms must be above 0", code="bad_option")
            changed = replace(changed, deadline=milliseconds / 1000.0)
        for name, kinds in (("space", Space), ("policy", Policy), ("method", Method)):
            if name in params:
                value = _one_of(name, params[name], get_args(kinds))
                changed = replace(changed, **cast(dict[str, Any], {name: value}))
        return changed


def _levels(value: Any) -> tuple[Level, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise RequestError(f"explain must be text, one or more of {_known()}", code="bad_option")
    asked = {word.strip() for word in words} - {"none", ""}
    if "both" in asked:
        asked = (asked - {"both"}) | set(LEVELS)
    if asked - set(LEVELS):
        raise RequestError(
            f"explain is unknown; expected one or more of {_known()}", code="bad_option"
        )
    return tuple(level for level in LEVELS if level in asked)


def _known() -> str:
    return "raw, engineered, both, none"


def _count(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal():
        raise RequestError("top must be a whole number from 1 on", code="bad_option")
    if len(text) > 5 or not 1 <= int(text) <= MOST_REASONS:
        raise RequestError(f"top must be from 1 to {MOST_REASONS}", code="bad_option")
    return int(text)


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"{name} must be a number", code="bad_option")
    return number


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise RequestError(f"{name} must be one of {', '.join(known)}", code="bad_option")
    return str(value)

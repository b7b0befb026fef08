"""What a page asks a live model about one row or one feature: the studio and the widget pass it on.

A report has no live model; ``web/carried/`` answers the same questions there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.view.altering import changes_of
from pellucid.view.payload import plain
from pellucid.view.responding import Question, curves_of

_MOST_POINTS = 64


class QuestionError(PellucidError):
    """A page asks what cannot be answered."""


def answer_page(model: Any, shown: Explanation, question: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a page's question, as plain values.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    shown : Explanation
        Of the rows that the page holds.
    question : mapping
        ``about``: "curves" (with ``level``, ``feature``, ``output``, ``row`` and ``at``, all but
        the first as positions), or "changes" (with ``row``; ``wanted``, the position of a class, a
        list of the least and the greatest value, or None for any other class; ``fixed``, positions
        of raw features that stay).

    Raises
    ------
    QuestionError
        The question is none, or speaks of rows or features that there are not.
    ExplanationError
        What the model refuses.
    """
    about = _ABOUT.get(str(question.get("about")))
    if about is None:
        raise QuestionError(f"a page may ask about {', '.join(_ABOUT)}, not {_seen(question)}")
    found: dict[str, Any] = plain(about(model, shown, question))
    return found


def _curves(model: Any, shown: Explanation, question: Mapping[str, Any]) -> dict[str, Any]:
    level = question.get("level", "raw")
    over = shown if level == "raw" else shown.engineered
    if level not in ("raw", "engineered") or over is None:
        raise QuestionError(f"the explanation has no {str(level)[:40]!r} features")
    at = question.get("at")
    if not isinstance(at, list) or not 0 < len(at) <= _MOST_POINTS:
        raise QuestionError(f"at must list 1 to {_MOST_POINTS} rows whose values are asked about")
    asked = Question(
        level=level,
        feature=position(question.get("feature"), over.n_features, "feature"),
        output=position(question.get("output"), shown.n_outputs, "output"),
        row=position(question.get("row"), shown.n_rows, "row"),
        at=tuple(position(row, shown.n_rows, "row") for row in at),
    )
    return curves_of(model, shown, asked)


def _changes(model: Any, shown: Explanation, question: Mapping[str, Any]) -> dict[str, Any]:
    fixed = question.get("fixed", [])
    if not isinstance(fixed, list):
        raise QuestionError("fixed must list the raw features that stay as they are")
    names = shown.feature_names
    return changes_of(
        model,
        shown,
        position(question.get("row"), shown.n_rows, "row"),
        _wanted(question.get("wanted"), shown),
        [names[position(each, len(names), "feature")] for each in fixed],
    )


def _wanted(given: Any, shown: Explanation) -> Any:
    if shown.classes is not None:
        return (
            None if given is None else shown.classes[position(given, len(shown.classes), "class")]
        )
    ends = given if isinstance(given, list) and len(given) == 2 else [given]
    if len(ends) != 2 or not all(e is None or type(e) in (int, float) for e in ends):
        raise QuestionError("wanted must be [low, high], numbers or null")
    return tuple(ends)


def position(value: Any, n: int, what: str) -> int:
    """A position among n things.

    Raises
    ------
    QuestionError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < n:
        raise QuestionError(f"there is no {what} {str(value)[:40]!r}; expected 0 to {n - 1}")
    return value


def _seen(question: Mapping[str, Any]) -> str:
    return repr(question.get("about"))[:60]


_ABOUT: dict[str, Callable[[Any, Explanation, Mapping[str, Any]], dict[str, Any]]] = {
    "curves": _curves,
    "changes": _changes,
}

"""Simple conditions in words, such as ``age < 30 and city in ['Oslo', 'Rome']``.

They are read by our own few rules; nothing is executed. There are no calls, attributes or sums.
"""

from __future__ import annotations

import ast
import difflib
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.explanation import ExplanationError

_LONGEST = 2000  # characters
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ConditionError(ExplanationError):
    """A condition that cannot be read, or that names what is not there."""


def holds(condition: str, values: Mapping[Any, Any] | pd.DataFrame) -> Any:
    """Whether a condition holds, of numbers, or row by row of columns.

    Parameters
    ----------
    condition : str
        Comparisons (``<``, ``<=``, ``>``, ``>=``, ``==``, ``!=``, ``in``, ``not in``) of names with
        numbers, texts or lists of them, joined by ``and``, ``or``, ``not`` and brackets. Names that
        are no words stand between backticks. ``name == None`` holds where a cell is missing; no
        other comparison holds there but ``!=``.
    values : mapping of name to a number, or to a Series or array (n_rows,)
        A DataFrame is one.

    Returns
    -------
    bool, or ndarray of bool (n_rows,)

    Raises
    ------
    ConditionError
        Anything else, with what it is.

    Examples
    --------
    >>> people = pd.DataFrame({"age": [20, 40, 60], "home town": ["Oslo", "Rome", "Rome"]})
    >>> holds("age > 30 and `home town` == 'Rome'", people).tolist()
    [False, True, True]
    >>> holds("18 <= moves < 20 or not flips > 0.1", {"moves": 3, "flips": 0.5})
    False
    """
    if len(condition) > _LONGEST:
        raise ConditionError(
            f"a condition has {len(condition)} characters; {_LONGEST} is the most that is read"
        )
    quoted: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        quoted.append(match.group(1))
        return f" _quoted_{len(quoted) - 1}_ "

    text = re.sub(r"`([^`]+)`", stand_in, condition).strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ConditionError(
            f'cannot read the condition {condition!r}; expected such as "age < 30 and city in '
            f"['Oslo', 'Rome']\""
        ) from error
    names = {f"_quoted_{i}_": name for i, name in enumerate(quoted)}
    return _Reader(condition, names, values).truth(tree)


class _Reader:
    """Gives the truth of parts of one condition."""

    def __init__(self, text: str, quoted: Mapping[str, str], values: Any) -> None:
        self.text, self.quoted, self.values = text, quoted, values

    def truth(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            found = self.truth(node.values[0])
            for each in node.values[1:]:
                found = join(found, self.truth(each))
            return found if np.ndim(found) else bool(found)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found = np.logical_not(self.truth(node.operand))
            return found if np.ndim(found) else bool(found)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            links = [
                self._compare(left, op, right)
                for left, op, right in zip(sides, node.ops, sides[1:])
            ]
            found = links[0]
            for each in links[1:]:
                found = np.logical_and(found, each)
            return found if np.ndim(found) else bool(found)
        if isinstance(node, ast.Name):
            found = self._value(node)
            array = np.asarray(found)
            if array.dtype == bool:
                return array if array.ndim else bool(found)
        raise ConditionError(f"{self._shown(node)} in {self.text!r} is no comparison")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        first, second = self._value(left), self._value(right)
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(second, list):
                raise ConditionError(f"in {self.text!r}, 'in' must be followed by a [list]")
            inside = (
                np.asarray(pd.Series(first).isin(second)) if np.ndim(first) else first in second
            )
            return inside if isinstance(op, ast.In) else np.logical_not(inside)
        if isinstance(second, list) or type(op) not in _COMPARISONS:
            raise ConditionError(f"{self._shown(right)} in {self.text!r} cannot be compared so")
        if second is None:
            missing = np.asarray(pd.isna(first))
            if isinstance(op, ast.Eq):
                return missing
            if isinstance(op, ast.NotEq):
                return ~missing
        try:
            return np.asarray(_COMPARISONS[type(op)](first, second), dtype=bool)
        except (TypeError, ValueError) as error:
            raise ConditionError(
                f"{self._shown(left)} and {self._shown(right)} in {self.text!r} cannot be compared"
            ) from error

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._value(node.operand)
            if isinstance(inner, int | float):
                return -inner
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return [self._value(each) for each in node.elts]
        if isinstance(node, ast.Name):
            return self._named(self.quoted.get(node.id, node.id))
        raise ConditionError(
            f"{self._shown(node)} in {self.text!r} is not a name, a number, a text or a list"
        )

    def _named(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        known = list(map(str, self.values))
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known[:12])}"
        raise ConditionError(f"{self.text!r} names {name!r}, which is not there; {hint}")

    def _shown(self, node: ast.expr) -> str:
        text = ast.unparse(node)
        for stand_in, name in self.quoted.items():
            text = text.replace(stand_in, f"`{name}`")
        return text

"""JSON read to the letter: nothing is lost, guessed or turned into something else."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from pellucid.serve.errors import RequestError

_LONGEST = 400  # digits of a number; no float has more to say


def read_json(data: bytes, *, depth: int = 8) -> Any:
    """Parse a request's body.

    Python's own reader takes NaN and Infinity, reads 1e999 as infinity, and lets the last of two
    equal keys win; here each is an error.

    Parameters
    ----------
    data : bytes, UTF-8
    depth : int
        Most lists and objects in one another.

    Raises
    ------
    RequestError
        Says what is wrong and, for syntax, at which byte; it repeats nothing of the data.

    Examples
    --------
    >>> read_json(b'[{"age": 31}]')
    [{'age': 31}]
    >>> read_json(b'[{"age": 1e999}]')
    Traceback (most recent call last):
    pellucid.serve.errors.RequestError: the JSON holds a number beyond what a float can hold; ...
    """
    try:
        text = data.decode("utf-8-sig")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        _refuse(f"the body is not UTF-8 text: byte {error.start} is none")
    except json.JSONDecodeError as error:
        _refuse(f"the body is not JSON: {error.msg}, at character {error.pos}")
    except RecursionError:
        _refuse(f"the JSON is nested too deep; at most {depth} lists and objects in one another")
    _check_depth(value, depth)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_depth(value: Any, depth: int) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    _refuse(f"the JSON is nested too deep; at most {depth} lists and objects in one another")


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        _refuse("the JSON holds half of a character that takes two (a lone surrogate)")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(f"an object of the JSON has the key {twice[:100]!r} more than once")
    return found


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _refuse("the JSON holds a number beyond what a float can hold; send null if not known")
    return number


def _integer(text: str) -> int:
    if len(text) > 15 and (len(text) > _LONGEST or math.isinf(float(text))):
        _refuse("the JSON holds a number beyond what a float can hold; send null if not known")
    return int(text)


def _constant(text: str) -> NoReturn:
    _refuse(f"the JSON holds {text}, which JSON does not have; send null where a value is missing")


def _refuse(message: str) -> NoReturn:
    raise RequestError(message, code="bad_json")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
)

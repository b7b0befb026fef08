"""JSON of a request: read to the letter, or refused without a word of what it holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.serve.errors import RequestError
from pellucid.serve.strict_json import read_json

BEYOND = "beyond what a float can hold"
REFUSED = {
    "no JSON": (b'[{"age": }]', "not JSON: Expecting value, at character 9"),
    "nothing": (b"", "not JSON: Expecting value, at character 0"),
    "more behind it": (b"[] []", "not JSON: Extra data, at character 3"),
    "no UTF-8": (b'["\xff"]', "not UTF-8 text: byte 2 is none"),
    "NaN": (b'{"a": NaN}', "holds NaN"),
    "an infinity": (b'{"a": -Infinity}', "holds -Infinity"),
    "a float beyond": (b'{"a": 1e400}', BEYOND),
    "a negative float beyond": (b'{"a": -1e400}', BEYOND),
    "an integer beyond": (b'{"a": 1' + b"0" * 309 + b"}", BEYOND),
    "an integer of 401 digits, most of them zeros": (b"[" + b"-" + b"1" * 400 + b"]", BEYOND),
    "a key twice": (b'{"a": 1, "b": 2, "a": 1}', "the key 'a' more than once"),
    "a key twice further in": (b'[{"a": {"b": 1, "b": 2}}]', "the key 'b' more than once"),
    "half a character": (rb'["\ud800"]', "a lone surrogate"),
    "half a character in a key": (rb'{"\udc00": 1}', "a lone surrogate"),
    "nine lists": (b"[" * 9 + b"]" * 9, "at most 8 lists and objects"),
    "nine objects": (b'{"a":' * 9 + b"1" + b"}" * 9, "at most 8 lists and objects"),
    "a hundred thousand lists": (b"[" * 100_000 + b"]" * 100_000, "at most 8 lists and objects"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    body, reason = REFUSED[name]
    with pytest.raises(RequestError, match=reason) as caught:
        read_json(body)
    assert caught.value.code == "bad_json"


TAKEN = {
    "a mark at the start": (b"\xef\xbb\xbf[1]", [1]),
    "the largest float": (b"[1.7976931348623157e308]", [1.7976931348623157e308]),
    "a large integer": (b"[1" + b"0" * 300 + b"]", [10**300]),
    "fifteen digits": (b"[999999999999999]", [999999999999999]),
    "a pair of surrogates": (rb'["\ud83d\ude00"]', ["\N{GRINNING FACE}"]),
    "eight lists": (b"[" * 8 + b"]" * 8, [[[[[[[[]]]]]]]]),
    "no list": (b'"a"', "a"),
    "a key and its value alike": (b'{"a": "a", "b": "a"}', {"a": "a", "b": "a"}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken(name):
    body, value = TAKEN[name]
    found = read_json(body)
    assert found == value
    assert type(found) is type(value)


def test_depth_is_counted_as_asked():
    assert read_json(b'[{"a": 1}]', depth=2) == [{"a": 1}]
    with pytest.raises(RequestError, match="at most 1 lists"):
        read_json(b'[{"a": [1]}]', depth=1)
    with pytest.raises(RequestError, match="at most 2 lists"):
        read_json(b'[1, {"a": [1]}]', depth=2)


NUMBERS = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.none() | st.booleans() | NUMBERS | st.text()


@given(rows=st.lists(st.dictionaries(st.text(), CELLS)), escaped=st.booleans())
def test_what_json_says_comes_back_whole(rows, escaped):
    found = read_json(json.dumps(rows, ensure_ascii=escaped).encode())
    assert found == rows
    assert json.dumps(found) == json.dumps(rows)

"""What is read of a body is what Python's own parser with hooks reads of it, or an error."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pellucid.serve.errors import RequestError
from pellucid.serve.strict_json import _read_slowly, read_json

WHOLE = st.integers() | st.integers(min_value=2**62, max_value=2**65)
CELLS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    CELLS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",\n", "\t:\r\n")])


def outcome(read, data):
    """The value, down to types, signs and the order of keys; or that there is none."""
    try:
        return repr(read(data, depth=8))
    except RequestError as error:
        return error.code


@given(VALUES, SPACES, st.booleans())
@example({"x": '":'}, (",", ":"), True)
@example({"big": 2**64, "small": -(2**63) - 1}, (",", ":"), True)
@example([[[[[[[[["too deep"]]]]]]]]], (",", ":"), True)
def test_any_value_is_read_with_its_types_and_bits(value, separators, ascii_only):
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    data = text.encode("utf-8", "surrogatepass")
    assert outcome(read_json, data) == outcome(_read_slowly, data)


@given(st.lists(st.sampled_from(['"a"', '":"', '"\\":"', ":", " :", ",", "{", "}", "[", "]", "1",
                                 "-0", "1e999", "NaN", "9" * 19, "0.0" + "9" * 19, " ", "\ufeff",
                                 '"\\ud800"']), max_size=14))  # fmt: skip
@example(["{", '"a"', ":", "1", ",", '"a"', ":", "1", "}"])
@example(["{", '"a"', ":", '"\\":"', ",", '"a"', ":", "1", "}"])
@example(["{", '"a"', " :", '":"', ",", '"a"', ":", "1", "}"])
def test_no_text_is_read_otherwise_than_to_the_letter(pieces):
    data = "".join(pieces).encode()
    assert outcome(read_json, data) == outcome(_read_slowly, data)


@pytest.mark.parametrize("apart", ["", " ", "\t", "\n", "\r"])
def test_two_equal_keys_are_refused_wherever_their_colons_stand(apart):
    with pytest.raises(RequestError, match="'a' more than once"):
        read_json(f'[{{"a"{apart}:1,"b":"\\":","a":2}}]'.encode())

"""Random frames of every kind of column."""

import datetime as dt

import hypothesis.strategies as st
import pandas as pd

N_ROWS = 24

_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
_CELLS = {
    "float": st.floats(width=64),
    "integer": st.integers(-(2**62), 2**62),
    "small integer": st.integers(0, 3),
    "boolean": st.booleans(),
    "label": st.sampled_from(["red", "green", "blue", " red", "", "None"]),
    "any text": _TEXT,
    "number as text": st.floats(allow_nan=False, allow_infinity=False).map(str),
    "sentence": st.lists(st.sampled_from(["the", "soup", "was", "too", "cold"]), min_size=4).map(
        " ".join
    ),
    "date": st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)),
    "zoned date": st.datetimes(
        dt.datetime(1700, 1, 2), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)
    ),
    "iso date": st.dates(dt.date(1000, 1, 1)).map(str),
    "duration": st.timedeltas(dt.timedelta(days=-999), dt.timedelta(days=999)),
    "mixed": st.one_of(st.integers(0, 9), st.booleans(), st.sampled_from(["1", "True", "x"])),
}


@st.composite
def columns(draw, n_rows=N_ROWS):
    """One column of some kind, with or without missing values."""
    kind = draw(st.sampled_from(sorted(_CELLS)))
    cell = _CELLS[kind]
    if draw(st.booleans()):
        cell = st.one_of(st.none(), cell)
    cells = draw(st.lists(cell, min_size=n_rows, max_size=n_rows))
    if kind in ("label", "mixed") and draw(st.booleans()):
        return pd.Series(pd.Categorical([c if c is None else str(c) for c in cells]))
    return pd.Series(cells, dtype=draw(st.sampled_from([object, None])))


@st.composite
def frames(draw, n_rows=N_ROWS):
    """A frame of one to five columns with any names."""
    names = draw(st.lists(st.text(max_size=6), min_size=1, max_size=5, unique=True))
    return pd.DataFrame({name: draw(columns(n_rows)) for name in names}, columns=names)

"""A row as a form and back: the model is asked the same, whatever the cells hold."""

import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tabular.schema import Column, Schema, align
from pellucid.view.studio.form import cells_of, form_of, row_from

_SCHEMA = Schema(
    (
        Column("amount", "numeric"),
        Column("flag", "boolean"),
        Column("job", "categorical", examples=("cook", "maid")),
        Column("at", "datetime", formats=("%d/%m/%Y",)),
        Column("words", "text"),
        Column("id", "identifier", used=False),
    )
)
_MOMENTS = st.datetimes(min_value=pd.Timestamp("1700-01-01"), max_value=pd.Timestamp("2200-01-01"))


@given(
    st.none() | st.floats(),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["cook", "maid", "new", "<b>"]),
    st.none() | _MOMENTS,
    st.none() | st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
)
def test_a_row_survives_its_form(amount, flag, job, at, words):
    moment = pd.NaT if at is None else pd.Timestamp(at)
    cells = {"amount": [amount], "flag": [flag], "job": [job], "at": [moment], "words": [words]}
    row = align(pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in cells.items()}), _SCHEMA)
    sent = json.loads(json.dumps(cells_of(_SCHEMA, row.iloc[0]), allow_nan=False))
    again = align(row_from(_SCHEMA, sent), _SCHEMA)
    for name in cells:
        before, after = row[name].iloc[0], again[name].iloc[0]
        assert (pd.isna(before) and pd.isna(after)) or before == after, name


def test_each_kind_has_its_control():
    seen = pd.DataFrame(
        {
            "amount": [1.5, np.inf, np.nan],
            "job": ["maid", "clerk", None],
            "at": pd.to_datetime(["2024-01-01 10:00", None, None]),
        }
    )
    assert form_of(_SCHEMA, seen) == [
        {"name": "amount", "control": "number", "low": 1.5, "high": 1.5, "whole": False},
        {"name": "flag", "control": "boolean"},
        {"name": "job", "control": "choice", "choices": ["clerk", "cook", "maid"]},
        {"name": "at", "control": "date", "time": True},
        {"name": "words", "control": "text"},
    ]
    assert cells_of(_SCHEMA, None)["job"] == "cook"

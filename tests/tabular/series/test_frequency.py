"""Frequencies: told from the times, and steps that lead where they should."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tabular.errors import SeriesError
from pellucid.tabular.series.frequency import detect_frequency, read_frequency

ALIASES = {
    "15min": "15 minutes",
    "h": "hour",
    "6h": "6 hours",
    "D": "day",
    "B": "business day",
    "W": "week",
    "W-THU": "week",
    "MS": "month",
    "ME": "month",
    "2MS": "2 months",
    "QS": "quarter",
    "QE": "quarter",
    "YS": "year",
}


def stamps(alias, n=40, start="2021-01-05"):
    return pd.date_range(start, periods=n, freq=alias).to_numpy().astype("datetime64[us]")


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if alias != "2MS"])
def test_the_usual_step_is_told_even_with_gaps(alias):
    moments = stamps(alias)
    whole = detect_frequency([moments])
    assert whole.name == ALIASES[alias]
    assert (whole.positions(moments) == np.arange(40)).all()
    kept = np.sort(np.random.default_rng(0).permutation(40)[:32])
    gappy = detect_frequency([moments[kept]])
    assert gappy.name == ALIASES[alias]
    assert (gappy.positions(moments[kept]) == kept - kept[0]).all()


@pytest.mark.parametrize("alias", ALIASES)
def test_later_moments_are_those_of_pandas(alias):
    moments = stamps(alias)
    frequency = read_frequency(alias, anchor=moments[0])
    assert frequency.name == ALIASES[alias]
    steps = np.arange(40)
    assert (frequency.later(np.repeat(moments[:1], 40), steps) == moments).all()


@given(
    alias=st.sampled_from(sorted(ALIASES)),
    start=st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2040-01-01")),
    step=st.integers(0, 500),
)
def test_a_moment_some_steps_later_is_so_many_positions_on(alias, start, step):
    frequency = read_frequency(alias, anchor=np.datetime64("2001-03-04"))
    moment = np.array([start], dtype="datetime64[us]")
    later = frequency.later(moment, np.array([step]))
    assert frequency.positions(later) - frequency.positions(moment) == step


def test_times_near_a_step_count_as_that_step():
    moments = stamps("h") + np.timedelta64(7, "m") * np.array([1, -1] * 20)
    frequency = read_frequency("h", anchor=stamps("h")[0])
    assert (frequency.positions(moments) == np.arange(40)).all()


def test_a_frequency_that_cannot_be_told_or_read_is_refused():
    with pytest.raises(SeriesError, match="say it with frequency='D'"):
        detect_frequency([stamps("D")[:1], stamps("D")[3:4]])
    with pytest.raises(SeriesError, match="frequency 'fortnight' is not known"):
        read_frequency("fortnight", anchor=np.datetime64("2024-01-01"))


def test_cycles_and_spans_are_longer_than_a_step():
    cycles = {a: read_frequency(a, anchor=np.datetime64("2024-01-01")).cycles for a in ALIASES}
    assert cycles["h"] == (24, 168)
    assert cycles["15min"] == (96, 672)
    assert cycles["D"] == (7, 365)
    assert cycles["W"] == (52,)
    assert cycles["MS"] == (12,)
    assert cycles["QS"] == (4,)
    assert cycles["YS"] == ()

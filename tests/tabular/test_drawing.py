"""A sample drawn in one pass: each class keeps its share, pieces do not matter, rows keep order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.tabular import drawing
from pellucid.tabular.drawing import LEAST, draw
from pellucid.tabular.errors import ReadError


class Pieces:
    """A part of a table in memory; stands where a file would."""

    path = "memory"

    def __init__(self, frame):
        self.frame = frame

    def frames(self, rows, *, wanted):
        for start in range(0, len(self.frame), rows):
            yield self.frame[list(wanted)].iloc[start : start + rows].reset_index(drop=True)


def _frame(labels):
    return pd.DataFrame({"at": np.arange(len(labels)), "y": labels})


def _drawn(frame, n, pieces, **options):
    cuts = np.array_split(np.arange(len(frame)), pieces)
    parts = [Pieces(frame.iloc[cut]) for cut in cuts if len(cut)]
    return draw(parts, n, wanted=["at", "y"], **options)


@given(
    counts=st.lists(st.integers(1, 900), min_size=1, max_size=4),
    n=st.integers(50, 700),
    pieces=st.integers(1, 5),
    rows=st.sampled_from([37, 400, 5000]),
    in_order=st.booleans(),
)
def test_shares_are_kept_however_the_table_is_cut(counts, n, pieces, rows, in_order):
    labels = np.repeat(np.arange(len(counts)), counts)
    if not in_order:
        labels = np.random.default_rng(0).permutation(labels)
    frame = _frame(labels)
    whole = _drawn(frame, n, 1, strata="y").rows
    chunk, drawing._CHUNK = drawing._CHUNK, rows
    try:
        cut = _drawn(frame, n, pieces, strata="y")
    finally:
        drawing._CHUNK = chunk
    pd.testing.assert_frame_equal(cut.rows, whole)
    assert cut.n_rows == len(frame)
    assert whole["at"].is_monotonic_increasing
    assert whole["at"].is_unique
    share = min(1, n / len(frame))
    for label, count in enumerate(counts):
        assert (whole["y"] == label).sum() == max(round(share * count), min(LEAST, count))


def test_every_row_is_as_likely_as_another():
    frame = _frame(np.zeros(400, dtype=int))
    times = np.zeros(400)
    for seed in range(300):
        times[_drawn(frame, 100, 3, seed=seed).rows["at"]] += 1
    assert times.sum() == 300 * 100
    # binomial(300, 1/4): mean 75, deviation 7.5
    assert abs(times - 75).max() < 5 * 7.5
    assert abs(times[:200].mean() - times[200:].mean()) < 3


def test_rows_without_a_target_do_not_count():
    frame = _frame(np.tile([1.0, np.nan, 0.0], 100))
    found = _drawn(frame, 60, 2, known="y", strata="y")
    assert found.n_rows == 200
    assert found.rows["y"].notna().all()
    with pytest.raises(ReadError, match="no rows with a 'y'"):
        _drawn(frame.assign(y=np.nan), 60, 2, known="y")
    with pytest.raises(ReadError, match="too many for classes"):
        _drawn(_frame(np.arange(5000)), 60, 1, strata="y")

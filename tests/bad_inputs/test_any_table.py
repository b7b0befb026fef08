"""Any table at all is learned and answered alike by every way there is, or refused in words."""

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.tabular.frames import N_ROWS, frames

from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.stream import explain_parquet
from pellucid.serve.errors import RowsError
from pellucid.serve.scorer import Scorer
from pellucid.store.artifacts import load_predictor, save_predictor

TARGETS = {
    "words": st.lists(st.sampled_from(["yes", "no", "so"]), min_size=N_ROWS, max_size=N_ROWS),
    "truths": st.lists(st.booleans(), min_size=N_ROWS, max_size=N_ROWS),
    "numbers": st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=N_ROWS, max_size=N_ROWS),
}

ANSWERED: list[int] = []


@pytest.mark.filterwarnings("ignore")
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a failing table is small as it is
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(frame=frames(), data=st.data())
def test_every_way_to_an_answer_gives_the_same_bits(learn, tmp_path_factory, frame, data):
    kind = data.draw(st.sampled_from(sorted(TARGETS)))
    y = data.draw(TARGETS[kind])
    home = tmp_path_factory.mktemp("any")
    try:
        fitted = learn(frame, y, regression=kind == "numbers")
        told = fitted.explain(frame)
    except PellucidError:
        return
    margins = fitted.predictor_.margins(frame)
    total = told.values.sum(axis=1)
    np.testing.assert_allclose(
        told.base_values + total.reshape(margins.shape), margins, rtol=1e-9, atol=1e-9
    )
    save_predictor(fitted.predictor_, home / "model")
    told.save(home / "e.zip")
    loaded = load_predictor(home / "model")
    for other in (loaded.explain(frame), Explanation.load(home / "e.zip")):
        assert np.array_equal(other.values, told.values)
        assert np.array_equal(other.engineered.values, told.engineered.values)
        assert other.details["predicted"] == told.details["predicted"]
    alone = loaded.explain(frame[3:4])
    assert np.array_equal(alone.values[0], told.values[3])
    ANSWERED.append(told.n_rows)
    served(loaded, frame, told)
    streamed(loaded, frame, told, home)


def test_most_of_them_were_answered():
    assert len(ANSWERED) >= 5


def served(model, frame, told):
    """What a service answers: the same bits, or a column's name."""
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1)
    try:
        scores = Scorer(model).score(frame)
    except RowsError:  # cells of several sorts, which a service does not take
        return
    assert np.array_equal(scores.levels["raw"].values, told.values)
    assert scores.predictions.tolist() == told.details["predicted"]


def streamed(model, frame, told, home):
    """A file's rows, explained some at a time."""
    try:
        frame.to_parquet(home / "rows.parquet")
        back = pd.read_parquet(home / "rows.parquet")
    except (ValueError, TypeError):  # Arrow takes no column of several sorts
        return
    if not back.equals(frame) or told.values.ndim == 3:  # of three classes a row is three
        return
    explain_parquet(model, home / "rows.parquet", home / "out", rows_per_chunk=7, predictions=False)
    (piece,) = (home / "out").glob("*.parquet")
    written = pd.read_parquet(piece).iloc[:, -told.n_features :]  # the base stands before
    assert np.array_equal(written.to_numpy(), told.values)

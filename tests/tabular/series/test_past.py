"""The past: held against a plain look at each row, and never beyond the origin."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.tabular.series.panels import history_of, panel

from pellucid.tabular.series.history import History
from pellucid.tabular.series.past import past_features
from pellucid.tabular.series.table import make_table, supervise


def plain(history, code, origin, target):
    """What `past_features` should give for one row, from a dict of position -> value."""
    spec = history.spec
    own = history.code == code
    known = {
        int(at): float(v)
        for at, v in zip(history.position[own], history.y[own])
        if at <= origin and not np.isnan(v)
    }
    if not known:
        return [np.nan] * len(spec.past_names)
    last = known[max(known)]

    def before(at):
        earlier = [each for each in known if each <= at]
        return known[max(earlier)] if earlier else None

    def filled(at, other):
        found = before(at)
        return other if found is None else found

    phases = [at for at in range(target - spec.season, origin - 99, -spec.season) if at <= origin]
    out = [next((known[at] for at in phases[:4] if at in known), last), last]
    out += [filled(origin - lag, last) for lag in spec.lags if lag]
    for size in spec.windows:
        seen = [known[at] for at in range(origin - size + 1, origin + 1) if at in known] or [last]
        told = {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}
        out += [told[name](seen) for name in spec.statistics_of(size)]
    for season in spec.seasons:
        phases = range(target - season, target - 99 * season, -season)
        phases = [at for at in phases if at <= origin][:4]
        some = [before(at) for at in phases if before(at) is not None]
        ago = filled(phases[0], last)
        out += [ago, filled(phases[1], ago), np.mean(some) if some else last]
    return out


@given(seed=st.integers(0, 10_000), gap=st.floats(0, 0.6))
@example(seed=9654, gap=0.5)  # so many days are gone that most steps are of two
@settings(max_examples=20, deadline=None)
def test_every_feature_is_what_a_plain_look_gives(seed, gap):
    history = history_of(*panel(seed, gap=gap), horizon=9, frequency="D")
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 3, 30)
    origin = rng.integers(0, 70, 30)
    target = origin + rng.integers(1, 10, 30)
    found = past_features(history, code, origin, target)
    assert found.shape[1] == len(history.spec.past_names)
    expected = np.array([plain(history, *row) for row in zip(code, origin, target)])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(seed=st.integers(0, 10_000), cut=st.integers(20, 55))
@settings(max_examples=20, deadline=None)
def test_nothing_after_the_origin_changes_a_row(seed, cut):
    table, y = panel(seed)
    history = history_of(table, y)
    spec = history.spec
    rng = np.random.default_rng(seed)
    late = spec.frequency.positions(table["day"].to_numpy()) > cut
    spoiled = np.where(late, rng.normal(size=len(y)) * 1e6, y)
    spoiled[late & (rng.random(len(y)) < 0.3)] = np.nan
    other = History.read(table.assign(staff=table["staff"].where(~late, -7.0)), spoiled, spec)
    rows = np.flatnonzero((history.position > cut) & (history.position <= cut + spec.horizon))
    code, target = history.code[rows], history.position[rows]
    origin = np.full(len(rows), cut)
    ahead = history.rows.iloc[rows]
    assert make_table(history, ahead, code, origin, target).equals(
        make_table(other, ahead, code, origin, target)
    )


def test_a_row_alone_has_the_bits_that_it_has_among_others():
    history = history_of(*panel(gap=0.3, n_steps=300), windows=[3, 30, 200])
    rows = supervise(history, most_rows=10_000, seed=0)
    whole = past_features(history, rows.code, rows.origin, rows.target)
    for i in range(0, len(rows.y), 97):
        one = slice(i, i + 1)
        alone = past_features(history, rows.code[one], rows.origin[one], rows.target[one])
        assert np.array_equal(alone[0], whole[i], equal_nan=True)


def test_the_tail_has_the_features_of_the_whole():
    history = history_of(*panel(gap=0.3, n_steps=300))
    tail = history.tail()
    code = np.repeat(np.arange(3), 4)
    origin = history.end[code]
    target = origin + np.tile(np.arange(1, 5), 3)
    assert np.array_equal(
        past_features(history, code, origin, target),
        past_features(tail, code, origin, target),
        equal_nan=True,
    )


@pytest.mark.parametrize(("most_rows", "n_steps"), [(100_000, 12), (500, 3)])
def test_each_value_is_forecast_from_origins_all_over_the_horizon(most_rows, n_steps):
    history = history_of(*panel(), horizon=12)
    rows = supervise(history, most_rows=most_rows, seed=0)
    steps = rows.target - rows.origin
    assert steps.min() == 1
    assert steps.max() == 12
    _, counts = np.unique(np.stack([rows.code, rows.target]), axis=1, return_counts=True)
    assert counts.max() == n_steps
    assert len(np.unique(np.stack([rows.code, rows.origin, rows.target]), axis=1).T) == len(steps)
    assert np.array_equal(rows.y, history.values(rows.code, rows.target))
    assert np.array_equal(rows.frame["day.step"], steps)
    assert tuple(rows.frame.columns) == history.spec.table_columns

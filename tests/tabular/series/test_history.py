"""A history: read as series, refused where it is none, continued, cut to its tail."""

import numpy as np
import pandas as pd
import pytest
from tests.tabular.series.panels import history_of, panel

from pellucid.tabular.errors import SeriesError
from pellucid.tabular.series.history import History
from pellucid.tabular.series.spec import SeriesSpec


def test_rows_of_any_order_make_the_same_series():
    table, y = panel()
    order = np.random.default_rng(1).permutation(len(table))
    one, other = history_of(table, y), history_of(table.iloc[order], y[order])
    assert one.keys == other.keys == (("0",), ("1",), ("2",))
    assert one.spec == other.spec
    assert np.array_equal(one.y, other.y, equal_nan=True)
    assert (one.position == other.position).all()


def test_two_rows_of_one_time_are_refused_by_name():
    table, y = panel()
    twice = pd.concat([table, table.iloc[[40]]])
    shop, day = table["shop"].iloc[40], table["day"].iloc[40].date()
    with pytest.raises(SeriesError, match=rf"series shop={shop} has two rows of day {day}; name"):
        history_of(twice, np.append(y, 1.0))
    near = twice.assign(day=[*table["day"], table["day"].iloc[40] + pd.Timedelta(hours=2)])
    with pytest.raises(SeriesError, match=r"two rows within one day, of day .* 02:00:00; say"):
        history_of(near, np.append(y, 1.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time_column": "dya"}, "lacks column 'dya'; did you mean 'day'"),
        ({"series_columns": ["store"]}, "lacks column 'store'"),
        ({"known": ["prize"]}, "lacks column 'prize'; did you mean 'price'"),
        ({"target": "price"}, "still holds the target 'price'"),
        ({"time_column": "price"}, "time column 'price' holds numbers"),
        ({"series_columns": ["day"]}, "cannot name series too"),
    ],
)
def test_columns_that_cannot_be_what_is_said_are_refused(change, message):
    table, y = panel()
    with pytest.raises(SeriesError, match=message):
        history_of(table, y, **change)


def test_times_and_values_that_are_missing_or_infinite():
    table, y = panel()
    with pytest.raises(SeriesError, match="'day' has no time in 1 rows, first in row 7"):
        history_of(table.assign(day=table["day"].where(table.index != 7)), y)
    with pytest.raises(SeriesError, match="infinite"):
        history_of(table, np.where(np.arange(len(y)) == 3, np.inf, y))
    clash = table.assign(**{"sales.lag_1": 1.0})
    with pytest.raises(SeriesError, match=r"'sales.lag_1' has the name of a column that is made"):
        history_of(clash, y)


def test_times_without_a_step_are_refused():
    rng = np.random.default_rng(0)
    seconds = np.sort(rng.choice(10**8, 3000, replace=False))
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        [*seconds, *(seconds[-1] + [1, 2, 3])], "s"
    )
    with pytest.raises(SeriesError, match="sum up the rows by it first"):
        history_of(pd.DataFrame({"day": times}), np.ones(3003), series_columns=[], known=[])


def test_a_spec_comes_back_from_its_facts():
    spec = history_of(*panel()).spec
    assert SeriesSpec.from_dict(spec.to_dict()) == spec
    assert spec.season == 7
    assert set(spec.sources.values()) == {"day", "price", "sales"}
    assert spec.others == ("staff",)


def test_a_tail_continued_is_the_tail_of_the_whole():
    table, y = panel(gap=0.3, n_steps=200)
    spec = history_of(table, y).spec
    early = (table["day"] < "2024-05-20").to_numpy()
    whole = History.read(table, y, spec)
    start = History.read(table[early], y[early], spec)
    assert len(start.tail().rows) < len(start.rows)
    later = History.read(table[~early], y[~early], spec)
    continued = start.tail().then(later).tail()
    expected = whole.tail()
    assert (continued.position == expected.position).all()
    assert np.array_equal(continued.y, expected.y, equal_nan=True)
    assert continued.rows.equals(expected.rows)


def test_a_later_row_of_the_same_time_counts():
    table, y = panel()
    history = history_of(table, y)
    corrected = History.read(table[-3:], np.array([1.0, 2.0, 3.0]), history.spec)
    assert history.then(corrected).y[-3:].tolist() == [1.0, 2.0, 3.0]
    assert len(history.then(corrected).y) == len(y)


def test_the_scale_is_the_mean_change_over_a_season():
    days = pd.date_range("2024-01-01", periods=28)
    table = pd.DataFrame({"day": [*days, *days], "shop": [0] * 28 + [1] * 28})
    y = np.concatenate([np.arange(28.0), np.full(28, 5.0)])
    history = history_of(table, y, known=[], season=7)
    assert history.scale.tolist() == [7.0, 7.0]  # one that never changes takes the others' mean

"""Times, truth values, nullable and small numbers, numbers among objects, and categories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import explain


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, 200), unit="D"),
            "flag": rng.random(200) > 0.5,
            "n": pd.array(rng.integers(0, 9, 200), dtype="Int64"),
            "f": rng.normal(size=200).astype("float32"),
            "o": np.array([1, 2.5, None, 4] * 50, dtype=object),
            "c": pd.Categorical(rng.choice(list("ab"), 200)),
        }
    )


SLOPES = {"day": 1.0, "n": 1.0, "f": 1.0, "o": 1.0}  # of what lies on a line


def total(r):
    numbers = pd.to_numeric(r["o"]).fillna(0).astype(float) + r["n"].astype(float) + r["f"]
    days = (r["day"] - pd.Timestamp("2026-01-01")).dt.days
    return days + 3.0 * r["flag"].astype(float) + numbers.astype(float) + (r["c"] == "a")


@pytest.mark.parametrize("name", ["day", "flag", "n", "f", "o", "c"])
def test_curves_of_each_kind_are_the_columns_part(rows, name):
    found = explain.partial_dependence(total, rows, name, grid=4)
    alone = [float(total(rows.assign(**{name: cell})).mean()) for cell in found.grid]
    np.testing.assert_allclose(found.mean, alone, atol=1e-5)
    if name in SLOPES:
        effects = explain.accumulated_effects(total, rows, name, intervals=3)
        steps = np.diff(effects.grid)
        steps = steps / np.timedelta64(1, "D") if name == "day" else steps.astype(float)
        np.testing.assert_allclose(np.diff(effects.mean), steps, atol=1e-5)


def test_changed_rows_keep_the_types_of_their_columns(rows):
    row = rows.iloc[[0]]
    more = float(total(row).iloc[0]) + 3
    found = explain.counterfactuals(total, row, X=rows, wanted=(more, None))
    for each in found:
        assert dict(each.row.dtypes) == dict(rows.dtypes)
        assert total(each.row).iloc[0] == each.prediction
    changes = {"day": pd.Timestamp("2026-03-01"), "n": "4", "flag": "false", "c": "b"}
    moved = explain.what_if(total, row, changes, background=rows).predictions[1]
    new = row.assign(day=changes["day"], n=4, flag=False, c="b")
    assert moved == pytest.approx(total(new).iloc[0])


def test_reasons_say_days_as_days(rows):
    late = rows[rows["day"] > "2026-03-20"][:1]
    reasons = explain.reason_codes(total, late, outcome="high", background=rows[:50], copies=2)
    assert reasons[0][0].words.startswith(f"day is {late['day'].iloc[0]:%Y-%m-%d} (typically 2026-")
    assert ":" not in reasons[0][0].words


def test_rules_and_shuffles_of_each_kind(rows):
    y = total(rows) + 2.0 * (rows["c"] == "a")
    tree = explain.error_tree(total, rows, y, depth=1)
    np.testing.assert_array_equal(tree.group == 0, rows["c"] == "a")
    shuffled = explain.permutation_importance(total, rows, total(rows), background=rows[:20])
    assert (shuffled.table["importance"] > 0).all()

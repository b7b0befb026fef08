"""Functions of raw frames: cells of any kind are swapped and arrive as they were."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from pellucid import shapley
from pellucid.tabular.featurize import Featurizer
from pellucid.tabular.schema import infer_schema

from .functions import random_function, random_rows
from .oracle import shapley_from_worth


def people(n=12, seed=0):
    """One column of every dtype that frames come with, some cells missing."""
    rng = np.random.default_rng(seed)
    first = datetime(2024, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=int(day)) for day in rng.integers(9, size=n)]
    notes = np.array([None, np.nan, "a", "bcd", 7, 7.5], dtype=object)
    frame = pd.DataFrame(
        {
            "age": rng.choice([20.0, 30.0, np.nan], n),
            "visits": pd.array(rng.choice([1, 2, None], n), dtype="Int64"),
            "job": pd.Categorical(rng.choice(["clerk", "cook"], n), ["clerk", "cook", "x"]),
            "since": pd.Series(days).astype("datetime64[ns, UTC]"),
            "member": rng.random(n) < 0.5,
            "note": notes[rng.integers(len(notes), size=n)],
        }
    )
    frame.loc[rng.integers(n), "since"] = pd.NaT
    return frame


def score(frame):
    """A function with an interaction of every pair of neighbours."""
    pieces = [
        frame["age"].fillna(-3.0) / 10,
        frame["visits"].fillna(9).astype(float),
        frame["job"].cat.codes + 1.0,
        frame["since"].dt.day_of_year.fillna(50) / 5,
        frame["member"] * 2.0 + 1,
        frame["note"].map(lambda cell: len(repr(cell))) * 1.0,
    ]
    cells = np.column_stack([np.asarray(piece, dtype=float) for piece in pieces])
    return np.sin(cells * np.roll(cells, 1, axis=1)).sum(axis=1) + np.cbrt(cells.prod(axis=1))


def by_definition(predict, X, background, groups):
    """Shapley values with hybrid rows that pandas builds cell by cell."""
    found = []
    for i in range(len(X)):
        worth = []
        for mask in range(2 ** len(groups)):
            rows = background.copy()
            for player, names in enumerate(groups.values()):
                if mask >> player & 1:
                    for name in names:
                        column = X[name].iloc[np.full(len(rows), i)]
                        rows[name] = column.set_axis(rows.index)
            worth.append(predict(rows).mean())
        found.append(shapley_from_worth(np.array(worth), len(groups)))
    return np.array(found)


@pytest.mark.parametrize("grouped", [False, True])
def test_frames_equal_the_definition(grouped):
    X, background = people(4, seed=1), people(9, seed=2)
    groups = {name: [name] for name in X}
    if grouped:
        groups = {"who": ["job", "age"], "rest": ["visits", "member", "note"], "since": ["since"]}

    def predict(rows):
        assert (rows.dtypes == X.dtypes).all()
        assert list(rows.columns) == list(X.columns)
        return score(rows)

    found = shapley.sample(predict, X, background=background, players=groups if grouped else None)
    assert found.players.names == tuple(groups)
    np.testing.assert_allclose(found.values, by_definition(score, X, background, groups), atol=1e-9)
    for method in ("permutation", "kernel"):
        sampled = shapley.sample(predict, X, background=background, players=groups, method=method)
        np.testing.assert_allclose(
            sampled.values.sum(axis=1) + sampled.base_values, score(X), atol=1e-9
        )


def test_a_frame_of_numbers_gives_the_bits_of_the_array():
    predict = random_function(0, 12)
    X, background = random_rows(1, 3, 12), random_rows(2, 20, 12)
    names = [f"c{i}" for i in range(12)]
    as_array = shapley.sample(predict, X, background=background)
    as_frame = shapley.sample(
        lambda rows: predict(rows.to_numpy()),
        pd.DataFrame(X, columns=names, index=[5, 5, 9]),
        background=pd.DataFrame(background, columns=names),
    )
    assert np.array_equal(as_array.values, as_frame.values)
    assert np.array_equal(as_array.n_evals, as_frame.n_evals)


def test_blocks_of_a_featurizer_equal_raw_cells():
    """Swapping engineered columns, raw ones being players, is swapping raw cells, for less work."""
    table = people(80, seed=3).drop(columns=["visits", "note"])
    table["town"] = np.random.default_rng(4).choice(["Oslo", "Rome", "Lima"], len(table))
    featurizer = Featurizer.fit(table, infer_schema(table))
    engineered = featurizer.transform(table)
    model = random_function(5, engineered.shape[1])
    raw = shapley.sample(
        lambda rows: model(featurizer.transform(rows)), table[:3], background=table[10:22]
    )
    swapped = shapley.sample(
        model, engineered[:3], background=engineered[10:22],
        players=featurizer.feature_map.players("raw"),
    )  # fmt: skip
    assert engineered.shape[1] > table.shape[1]
    assert raw.players.names == featurizer.feature_map.names("raw")
    np.testing.assert_allclose(swapped.values, raw.values, rtol=1e-12, atol=1e-12)


def test_cells_are_equal_only_when_they_are_the_same():
    """None is not NaN, 1 is not True, and cells without a hash are never taken for equal."""
    odd = [None, np.nan, 1, True, 1.0, "1", [1]]
    names = [f"c{i}" for i in range(len(odd))]
    X = pd.DataFrame([odd], columns=names, dtype=object)
    background = pd.DataFrame([odd[1:] + odd[:1], odd], columns=names, dtype=object)

    def predict(rows):
        return rows.map(lambda cell: float(len(repr(cell)))).prod(axis=1)

    found = shapley.sample(predict, X, background=background)
    groups = {name: [name] for name in names}
    np.testing.assert_allclose(found.values, by_definition(predict, X, background, groups))
    # against the first row all players differ, against the second only the list
    assert found.n_evals[0] == 1 + 2**7 - 2


def test_frames_that_do_not_fit_each_other():
    X, background = people(2), people(5, seed=1)

    def refuse(rows, other, message):
        with pytest.raises(shapley.ShapleyError, match=message):
            shapley.sample(score, rows, background=other)

    refuse(X, background.drop(columns="job"), r"different columns \(job\)")
    refuse(X, background[list(background)[::-1]], "another order")
    refuse(X, background.astype({"member": object}), "'member' is bool in X and object")
    refuse(X, background.astype({"member": float}), "'member' is bool in X and float64")
    fewer = background.assign(job=background["job"].cat.remove_categories("x"))
    refuse(X, fewer, "'job' is category in X and category in background with other levels")
    refuse(X, np.zeros((3, 6)), "X is a DataFrame and background a ndarray")
    refuse(np.array([["a", "b"]], dtype=object), np.zeros((3, 2)), "X holds object values")


def test_numbers_of_different_width_are_numbers():
    X = pd.DataFrame({"a": np.array([3], dtype=np.int8), "b": [2.0]})
    background = pd.DataFrame({"a": [np.nan, 1.0], "b": np.array([1, 2], dtype=np.int64)})
    found = shapley.sample(lambda rows: rows["a"].fillna(0.0) * rows["b"], X, background=background)
    np.testing.assert_allclose(found.values, [[4.25, 0.75]])
    np.testing.assert_allclose(found.base_values, [1.0])


def test_names_may_repeat():
    X = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    found = shapley.sample(lambda rows: rows.to_numpy() @ [1.0, 10.0], X, background=X * 0)
    assert found.values.tolist() == [[1.0, 20.0]]

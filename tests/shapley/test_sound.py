"""Files whose digests are right and whose arrays are not: refused in words, or harmless."""

import itertools
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley
from pellucid.shapley.files import save_tables, trees_from_bytes, trees_to_bytes
from pellucid.shapley.margins import ensemble_margins
from pellucid.shapley.trees import TreeArrays, check_ensemble, join_trees

from .models import fit

HOSTILE = (-(2**62), -1, 0, 1, 7, 255, 2**31 - 1, 2**62)


def made(kind):
    """Small tables that have groups, deep leaves, masks and slopes, and rows for them."""
    booster, X = fit(kind, n_leaves=12)
    game = {} if kind == "plain" else {"background": X[:70]}
    return shapley.compile(booster, memory=3000, **game), X[:40]


def changed(item, rng):
    """The same with one of its arrays, or one of its plain values, made hostile."""
    held = [field.name for field in fields(item) if getattr(item, field.name) is not None]
    name = held[rng.integers(len(held))]
    value = getattr(item, name)
    if is_dataclass(value):
        return replace(item, **{name: changed(value, rng)})
    if isinstance(value, np.ndarray):
        return replace(item, **{name: _hostile(value, rng)})
    others = (None, "x", -1, 2**40, float("nan"), (), ("a",), [1], True, item)
    return replace(item, **{name: others[rng.integers(len(others))]})


def _hostile(array, rng):
    way = rng.integers(6)
    if way == 0:
        return array[: len(array) // 2]
    if way == 1:
        return np.concatenate([array, array])
    if way == 2:
        return array.astype(rng.choice(["int8", "int64", "float32", ">i4", "bool"]))
    if way == 3:
        return array[None]
    found = array.copy()
    flat = found.reshape(-1)
    if len(flat) and way == 4:
        flat[rng.integers(len(flat))] = np.array(rng.choice(HOSTILE)).astype(array.dtype)
    elif len(flat):  # more than one wrong, each of them within what is there
        flat[:] = rng.permutation(flat)
    return found


def attack(path, n):
    """Save hostile tables, load them and ask them; ends the process if a kernel does."""
    rng = np.random.default_rng(0)
    refused = 0
    for kind in ("plain", "categorical", "linear_tree", "multiclass"):
        tables, X = made(kind)
        for _ in range(n):
            save_tables(changed(tables, rng), path)
            try:
                loaded = shapley.load(path)
            except shapley.TablesFileError:
                refused += 1
                continue
            for rows in (X, X[:1]):
                shape = (len(rows), loaded.n_players, loaded.n_outputs)
                assert loaded.values(rows).reshape(shape).shape == shape
                assert loaded.margins(rows).shape == (len(rows), loaded.n_outputs)
    print(refused)


def ladder_arrays(n):
    """A tree that asks one column after the other: its last leaf has a slot for each of them."""
    feature = np.full(2 * n + 1, -1)
    feature[: 2 * n : 2] = np.arange(n)
    at, asks = np.arange(2 * n + 1), feature >= 0
    return TreeArrays(
        feature=feature, threshold=np.full(2 * n + 1, 0.5), flags=np.zeros(2 * n + 1),
        left=np.where(asks, at + 1, -1), right=np.where(asks, at + 2, -1),
        cover=np.ones(2 * n + 1), value=np.where(asks, 0.0, at),
    )  # fmt: skip


def ladder(n):
    """It alone, as a model of one output."""
    return join_trees([ladder_arrays(n)], n_columns=n, n_outputs=1, float32=False)


@pytest.fixture(scope="module")
def sound():
    return made("categorical")


def test_hostile_tables_end_no_process(tmp_path):
    code = f"from tests.shapley.test_sound import attack; attack({str(tmp_path / 'tables')!r}, 80)"
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert 200 < int(ended.stdout) < 320


@pytest.mark.parametrize(
    ("part", "name", "change", "reason"),
    [
        ("ensemble", "n_columns", lambda n: float(n), "counts"),
        ("ensemble", "n_outputs", lambda n: -n, "counts"),
        ("ensemble", "roots", lambda a: np.array([0, 2**31 - 1, -2, 60, 80], "int32"), "roots"),
        ("players", "of_column", lambda a: a + 9, "players"),
        ("paths", "leaf_node", lambda a: a[::-1], "paths"),
        ("groups", "target", lambda a: a + 1000, "groups do not fit"),
        ("groups", "cond_node", lambda a: a * 0, "a group asks"),
        ("groups", "cond_bit", lambda a: a + 200, "a group asks"),
        ("groups", "table_start", lambda a: a + 10**6, "a group asks"),
        ("groups", "deep_leaf", lambda a: a[::-1], "deep leaf"),
        ("groups", "mask_start", lambda a: a * 2, "deep leaves"),
        ("groups", "deep_of", lambda a: np.full_like(a, -1), "deep leaves"),
        ("groups", "n_seen", lambda n: 10**6, "held against"),
    ],
    ids=range(13),
)
def test_what_does_not_hold_is_said(sound, tmp_path, part, name, change, reason):
    tables, _ = sound
    held = getattr(tables, part)
    hostile = replace(tables, **{part: replace(held, **{name: change(getattr(held, name))})})
    save_tables(hostile, tmp_path / "tables")
    with pytest.raises(shapley.TablesFileError, match=f"not sound: .*{reason}"):
        shapley.load(tmp_path / "tables")


@pytest.mark.parametrize("n_rows", [64, 65, 128])
def test_patterns_that_fill_their_words_to_the_last_bit_are_sound(n_rows, tmp_path):
    rows = np.array(list(itertools.product([0.0, 1.0], repeat=7)))
    tables = shapley.compile(ladder(7), background=rows[:n_rows], memory=1)
    assert np.diff(tables.groups.deep_start).max() == tables.groups.n_seen == n_rows
    save_tables(tables, tmp_path / "tables")
    found = shapley.load(tmp_path / "tables").values(rows)
    np.testing.assert_array_equal(found, tables.values(rows))


def test_deep_leaves_without_a_background_are_sound(tmp_path):
    tables = shapley.compile(ladder(4), memory=1)
    assert len(tables.groups.deep_leaf) > tables.groups.n_seen == 0
    save_tables(tables, tmp_path / "tables")
    assert shapley.load(tmp_path / "tables").values(np.ones((3, 4))).shape == (3, 4)


def test_more_importances_than_fit_into_memory_are_refused(tmp_path):
    line = shapley.linear([[1.0]] * 3, np.zeros(3), background=np.zeros((2, 1)))
    save_tables(replace(line, players=replace(line.players, n=2**23)), tmp_path / "tables")
    with pytest.raises(shapley.TablesFileError, match="the players do not fit"):
        shapley.load(tmp_path / "tables")


@pytest.mark.parametrize("background", [None, np.zeros((2, 0))], ids=["none", "rows"])
def test_trees_that_ask_no_column_are_sound(background, tmp_path):
    tables = shapley.compile(ladder(0), background=background)
    save_tables(tables, tmp_path / "tables")
    assert shapley.load(tmp_path / "tables").values(np.zeros((3, 0))).shape == (3, 0)


def at(place, value):
    """A change of an array at one place."""

    def change(array):
        found = array.copy()
        found[place] = value
        return found

    return change


BROKEN = {  # a field of two ladders, its change, and what is said
    "a split without a child": ("left", at(0, -1), "without a left child"),
    "a leaf with a child": ("right", at(1, 2), "without a right child, or the reverse"),
    "a child before its parent": ("right", at(2, 1), "comes before its parent"),
    "a child after the end": ("left", at(7, 99), "after the end"),
    "a child of another tree": ("right", at(2, 8), "lies in another tree"),
    "two parents": ("left", at(0, 2), "node 2 has two parents"),
    "a column too many": ("feature", at(0, 3), "feature 3 of 3 columns"),
    "leaves of three outputs": ("value", lambda a: np.repeat(a, 3, axis=1), "hold 3 values for 2"),
    "an output too many": ("tree_output", at(1, 2), "beyond the 2"),
    "an output below none": ("tree_output", at(1, -1), "beyond the 2"),
    "one intercept": ("intercept", lambda a: a[:1], "intercept has shape"),
    "a leaf that is infinite": ("value", at(1, np.inf), "not finite"),
    "covers of fewer nodes": ("cover", lambda a: a[:-1], "cover has 13 entries for 14 nodes"),
    "numbers of another type": ("threshold", lambda a: a.astype("float32"), "no array of float64"),
    "a shape of its own": ("left", lambda a: a[:, None], "of its dimensions"),
    "a root after the end": ("roots", at(1, 14), "root 14 of 14 nodes"),
    "a root too many": ("roots", lambda a: np.append(a, a[-1:] + 1), "do not cut"),
    "no root at the start": ("roots", at(0, 1), "do not cut"),
    "roots in no order": ("roots", at(1, 0), "do not cut"),
    "categories before the first": ("cat_start", at(0, -1), "lies outside the 0"),
    "categories after the last": ("cat_start", at(0, 1), "lies outside the 0"),
    "more categories than there are": ("cat_size", at(0, 1), "lies outside the 0"),
    "fewer categories than none": ("cat_size", at(0, -1), "lies outside the 0"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_trees_that_break_a_convention_are_refused(name):
    both = join_trees([ladder_arrays(3)] * 2, n_columns=3, n_outputs=2, float32=False)
    check_ensemble(both)
    field, change, reason = BROKEN[name]
    with pytest.raises(shapley.ReaderError, match=reason):
        check_ensemble(replace(both, **{field: change(getattr(both, field))}))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_hostile_trees_are_refused_or_predict(sound, seed):
    tables, X = sound
    data = trees_to_bytes(changed(tables.ensemble, np.random.default_rng(seed)))
    try:
        trees = trees_from_bytes(data)
    except shapley.ShapleyError:
        return
    assert ensemble_margins(trees, np.resize(X, (len(X), trees.n_columns))).shape == (
        len(X),
        trees.n_outputs,
    )


def test_nodes_that_no_split_leads_to_are_refused(sound):
    trees = sound[0].ensemble
    extra = {
        name: np.append(getattr(trees, name), getattr(trees, name)[-1:], axis=0)
        for name in (
            "feature", "threshold", "flags", "left", "right", "cat_start", "cat_size", "cover",
            "value",
        )
    }  # fmt: skip
    with pytest.raises(shapley.ReaderError, match="no split leads to"):
        trees_from_bytes(trees_to_bytes(replace(trees, **extra)))


def test_additive_and_linear_tables_are_held_to_their_columns(tmp_path):
    step = shapley.BinnedTable((np.array([0.0]),), np.array([1.0, 2.0, 3.0]))
    both = shapley.additive([shapley.Term((1,), step)], 0.5, background=np.zeros((3, 2)))
    line = shapley.linear([1.0, 2.0], 0.0, background=np.zeros((3, 2)))
    for hostile in (
        replace(both, terms=(shapley.Term((2,), step),)),
        replace(both, means=np.zeros((4, 1))),
        replace(line, mean=np.zeros(3)),
        replace(line, coef=line.coef.astype("float32")),
        replace(line, players=replace(line.players, n=1)),
    ):
        save_tables(hostile, tmp_path / "tables")
        with pytest.raises(shapley.TablesFileError, match="not sound"):
            shapley.load(tmp_path / "tables")

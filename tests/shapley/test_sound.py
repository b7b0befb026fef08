"""Files whose digests are right and whose arrays are not: refused in words, or harmless."""

import subprocess
import sys
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley
from pellucid.shapley.files import save_tables, trees_from_bytes, trees_to_bytes
from pellucid.shapley.tables import ensemble_margins

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
    ids=range(11),
)
def test_what_does_not_hold_is_said(sound, tmp_path, part, name, change, reason):
    tables, _ = sound
    held = getattr(tables, part)
    hostile = replace(tables, **{part: replace(held, **{name: change(getattr(held, name))})})
    save_tables(hostile, tmp_path / "tables")
    with pytest.raises(shapley.TablesFileError, match=f"not sound: .*{reason}"):
        shapley.load(tmp_path / "tables")


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

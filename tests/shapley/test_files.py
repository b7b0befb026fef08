import hashlib
from dataclasses import replace

import numpy as np
import pytest

from pellucid import shapley
from pellucid.errors import PellucidError
from pellucid.shapley.files import trees_from_bytes, trees_to_bytes
from pellucid.shapley.margins import ensemble_margins
from pellucid.shapley.readers import read_ensemble

from .models import KINDS, fit


@pytest.mark.parametrize("kind", KINDS)
def test_loaded_tables_give_the_same_bits(kind, tmp_path):
    booster, X = fit(kind)
    tables = shapley.compile(booster, background=X[:20], players={"a": [0, 1, 2], "b": [3, 4, 5]})
    tables.save(tmp_path / "tables")
    loaded = shapley.load(tmp_path / "tables")
    assert np.array_equal(loaded.values(X), tables.values(X))
    assert np.array_equal(loaded.margins(X), tables.margins(X))
    assert np.array_equal(loaded.base_values, tables.base_values)
    assert loaded.players.names == ("a", "b")
    assert [file.name for file in tmp_path.iterdir()] == ["tables"]


def test_linear_tables_too(tmp_path):
    X = np.random.default_rng(0).normal(size=(9, 3))
    tables = shapley.linear([1.0, 2.0, 3.0], 0.5, background=X)
    tables.save(tmp_path / "tables")
    assert np.array_equal(shapley.load(tmp_path / "tables").values(X), tables.values(X))


def test_damage_is_named_wherever_it_is(tmp_path):
    booster, X = fit("plain")
    path = tmp_path / "tables"
    shapley.compile(booster, background=X[:5]).save(path)
    good = path.read_bytes()
    for position in np.linspace(0, len(good) - 1, 60).astype(int):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(shapley.TablesFileError, match="tables"):
            shapley.load(path)
    for length in (0, 5, 47, 100, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(PellucidError):
            shapley.load(path)
    with pytest.raises(shapley.TablesFileError, match="cannot read tables"):
        shapley.load(tmp_path / "absent")


def test_a_later_version_says_so(tmp_path):
    path = tmp_path / "tables"
    shapley.linear([1.0], 0.0, background=[[0.0]]).save(path)
    data = bytearray(path.read_bytes())
    data[8] += 1
    path.write_bytes(data)
    with pytest.raises(shapley.TablesFileError, match="version 2; expected 1"):
        shapley.load(path)


def test_a_file_cannot_name_other_classes(tmp_path):
    path = tmp_path / "tables"
    shapley.linear([1.0], 0.0, background=[[0.0]]).save(path)
    data = path.read_bytes().replace(b'"LinearTables"', b'"LinearTablez"')
    path.write_bytes(data[:16] + hashlib.sha256(data[48:]).digest() + data[48:])
    with pytest.raises(shapley.TablesFileError, match="cannot read"):
        shapley.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_trees_survive_as_bytes(kind):
    booster, X = fit(kind)
    trees = read_ensemble(booster)
    data = trees_to_bytes(trees)
    again = trees_from_bytes(data)
    assert np.array_equal(ensemble_margins(again, X), ensemble_margins(trees, X))
    assert trees_to_bytes(again) == data


def test_bytes_that_hold_no_sound_trees_are_refused():
    booster, _ = fit("plain")
    trees = read_ensemble(booster)
    data = trees_to_bytes(trees)
    with pytest.raises(shapley.TablesFileError, match=r"trees\.bin is damaged"):
        trees_from_bytes(data[:-1] + b"\x07", name="trees.bin")
    with pytest.raises(shapley.TablesFileError, match=r"trees\.bin is not a file"):
        trees_from_bytes(b"PK", name="trees.bin")
    n_nodes = trees.n_nodes
    for changes, reason in (
        ({"left": trees.left + 1}, "left child"),
        ({"roots": trees.roots + 1}, "roots do not cut"),
        ({"threshold": trees.threshold[:-1]}, f"threshold has {n_nodes - 1} entries"),
        ({"cat_size": trees.cat_size + 1}, "outside the 0"),
        ({"n_columns": 1}, "of 1 columns"),
    ):
        with pytest.raises(shapley.ReaderError, match=reason):
            trees_from_bytes(trees_to_bytes(replace(trees, **changes)))

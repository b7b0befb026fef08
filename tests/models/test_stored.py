"""Members learned from rows on disk are those that memory gives."""

from dataclasses import replace

import numpy as np
import pytest

from pellucid.models import stored, xgboost
from pellucid.models.family import FamilyError, Rows, get_family
from pellucid.models.problem import Problem
from pellucid.models.stored import OnDisk, StoredRows, stored_family

BINARY, THREE, VALUES = Problem("binary", 2), Problem("multiclass", 3), Problem("regression")
LOG = replace(VALUES, link="log")


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    for module in ("stored", "lightgbm", "statistics"):
        monkeypatch.setattr(f"pellucid.models.{module}.CHUNK", 130)


def _rows(problem, n=1000, *, weighted=True):
    """Numbers, one with gaps, and codes in the last column."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5)).astype(np.float32)
    X[:, 4] = rng.integers(0, 9, n)
    signal = X[:, 0] + (X[:, 4] % 3 == 1) + 0.2 * rng.normal(size=n)
    X[rng.random(n) < 0.1, 1] = np.nan
    X[rng.random(n) < 0.1, 4] = np.nan
    y = {
        "binary": (signal > 0.3).astype(np.int64),
        "multiclass": np.digitize(signal, [0, 0.7]),
        "regression": np.exp(signal),
    }[problem.task]
    return Rows(X, y, rng.uniform(0.5, 2, n) if weighted else None)


def _on_disk(rows, folder):
    rows.X.tofile(folder / "matrix.bin")
    matrix = OnDisk(folder / "matrix.bin", rows.X.shape)
    return StoredRows(matrix, rows.y, rows.weight, folder)


def _config(family, **columns):
    inner = {"strength": 1.0} if family == "linear" else {}
    return {"family": family, "config": inner, **columns}


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES, LOG], ids=lambda p: p.task + p.link)
@pytest.mark.parametrize("columns", ["codes", "statistics"])
def test_lightgbm_gives_the_bits_of_memory(tmp_path, problem, columns):
    rows = _rows(problem)
    config = _config("lightgbm", columns=(0, 1, 2, 3, 4), categorical=(4,))
    if columns == "statistics":
        config = _config("lightgbm", columns=(3, 0, 1), encoded=(4,), monotone=(1, 0, 0, 0, 0))
    view = get_family("view")
    ours = stored_family("view").fit_stored(
        _on_disk(rows, tmp_path), problem, config, seed=3, rounds=12
    )
    theirs = view.fit(rows, problem, config, seed=3, rounds=12)
    assert np.array_equal(ours.margins(rows.X), theirs.margins(rows.X))
    assert ours.rounds == 12


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES, LOG], ids=lambda p: p.task + p.link)
def test_linear_is_solved_by_passes(tmp_path, problem):
    rows = _rows(problem, weighted=problem is BINARY)
    config = _config("linear", columns=(0, 1, 3), encoded=(4,))
    ours = stored_family("view").fit_stored(
        _on_disk(rows, tmp_path), problem, config, seed=3, rounds=300
    )
    theirs = get_family("view").fit(rows, problem, config, seed=3, rounds=300)
    np.testing.assert_allclose(ours.margins(rows.X), theirs.margins(rows.X), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours.inner.low, theirs.inner.low)


@pytest.mark.parametrize("problem", [BINARY, THREE, VALUES, LOG], ids=lambda p: p.task + p.link)
@pytest.mark.parametrize("where", ["memory", "disk"])
def test_xgboost_learns_as_well_from_bins(tmp_path, monkeypatch, problem, where):
    pytest.importorskip("xgboost")
    if where == "disk":
        monkeypatch.setattr(xgboost, "_SHARE", 0.0)
    rows = _rows(problem)
    config = _config("xgboost", columns=(0, 1, 2, 3, 4), categorical=(4,))
    ours, theirs = (
        fitted.margins(rows.X)
        for fitted in (
            stored_family("view").fit_stored(
                _on_disk(rows, tmp_path), problem, config, seed=3, rounds=20
            ),
            get_family("view").fit(rows, problem, config, seed=3, rounds=20),
        )
    )
    # bins are found piece by piece, so trees differ a little, and not what they say
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
    assert abs(ours - theirs).mean() < 0.15 * theirs.std()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["matrix.bin"]


def test_a_piece_of_a_matrix_is_what_it_was(tmp_path):
    rows = _rows(VALUES)
    found = _on_disk(rows, tmp_path)
    assert stored.CHUNK == 130
    pieces = [X for _, X in found.chunks()]
    assert len(pieces) == 8
    np.testing.assert_array_equal(np.concatenate(pieces), rows.X)


def test_a_family_without_passes_is_named(tmp_path):
    rows = _on_disk(_rows(BINARY), tmp_path)
    config = _config("spline", columns=(0, 1))
    with pytest.raises(FamilyError, match="'spline' needs its rows in memory"):
        stored_family("view").fit_stored(rows, BINARY, config, seed=0, rounds=3)


def test_rows_beyond_two_gigabytes_are_read_where_they_are(tmp_path):
    """LightGBM asks for rows by 32-bit numbers, whose products overflow."""
    width, n_rows = 100, 6_000_000  # 2.4 GB, of which the disk holds the last row
    path = tmp_path / "matrix.bin"
    last = np.arange(width, dtype=np.float32)
    with open(path, "wb") as file:
        file.seek(4 * width * (n_rows - 1))
        file.write(last.tobytes())
    matrix = OnDisk(path, (n_rows, width))
    read = matrix.read(np.int32(n_rows - 2), np.int32(n_rows))
    assert read.tolist() == [[0.0] * width, last.tolist()]

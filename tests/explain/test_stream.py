"""Explaining in chunks gives the bits of explaining at once, and survives being killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from pellucid import AutoMLClassifier, AutoMLRegressor
from pellucid.explain.stream import StreamError, explain_parquet, predict_parquet
from pellucid.tabular.errors import ReadError, SchemaError


def _table(n, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 9, n),
            "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "job": rng.choice(["a", "b", None], n),
            "paid": rng.choice([True, False, None], n),
            "year": rng.choice([2023, 2024], n),
        }
    )
    frame.loc[n // 2 :: 3, "visits"] = pd.NA  # the first chunks are whole numbers, later ones not
    return frame


@pytest.fixture(scope="module", params=["two", "three", "values"])
def fitted(request):
    X = _table(400)
    signal = X["age"] / 9 + (X["job"] == "a") + X["visits"].fillna(0).astype(float)
    automl = AutoMLRegressor if request.param == "values" else AutoMLClassifier
    y = {
        "two": np.where(signal > 9, "yes", "no"),
        "three": np.digitize(signal, [7, 10]),
        "values": signal,
    }[request.param]
    model = automl(time_budget=None, max_trials=3, store=False).fit(X, y)
    return model.predictor_, X


@pytest.fixture
def folder(tmp_path, fitted):
    """The rows as a folder partitioned by year, two files each, and a file that is no data."""
    _, X = fitted
    home = tmp_path / "rows"
    for year, rows in X.groupby("year"):
        inside = home / f"year={year}"
        inside.mkdir(parents=True)
        for name, piece in (("a", rows[:50]), ("b", rows[50:])):
            piece.drop(columns="year").to_parquet(inside / f"{name}.parquet", index=False)
    (home / "_SUCCESS").write_text("")
    return home


def _values(table, names, n_outputs):
    """Columns of importances as (n_rows, n_features[, n_outputs])."""
    cube = table[list(names)].to_numpy().reshape(-1, n_outputs, len(names))
    return np.swapaxes(cube, 1, 2) if n_outputs > 1 else cube[:, 0]


@pytest.mark.parametrize("rows", [7, 1000])
@pytest.mark.parametrize("level", ["raw", "engineered"])
def test_a_file_gives_the_bits_of_the_whole_table(fitted, tmp_path, rows, level):
    model, X = fitted
    X.to_parquet(tmp_path / "rows.parquet")
    told = []
    done = explain_parquet(
        *(model, tmp_path / "rows.parquet", tmp_path / "out"),
        level=level,
        rows_per_chunk=rows,
        identity="age",
        progress=lambda done, total: told.append((done, total)),
    )
    whole = model.explain(pd.read_parquet(tmp_path / "rows.parquet"))
    whole = whole if level == "raw" else whole.engineered
    table = pd.read_parquet(tmp_path / "out" / "rows.parquet")
    n_outputs = whole.n_outputs
    assert np.array_equal(_values(table, whole.feature_names, n_outputs), whole.values)
    first = table[::n_outputs]
    assert np.array_equal(first["row"], np.arange(len(X)))
    identity = "age_" if "age" in whole.feature_names else "age"
    assert np.array_equal(first[identity], X["age"])
    assert first["prediction"].tolist() == whole.details["predicted"]
    assert np.array_equal(table["base_value"], np.tile(whole.base_values, len(X)))
    if whole.classes is not None:
        chances = np.array(whole.details["probability"])
        expected = chances.ravel() if n_outputs > 1 else chances[:, -1]
        assert np.array_equal(table["probability"], expected)
    assert done.rows == len(X)
    assert done.additivity_error == pytest.approx(whole.details["additivity_error"], abs=1e-12)
    expected = whole.global_importance()
    pd.testing.assert_series_equal(
        done.series(level).sort_index(), expected.sort_index(), check_index_type=False
    )
    assert told[-1] == (len(X), len(X))


def test_a_folder_keeps_its_partitions_and_both_levels_fit_in_a_file(fitted, folder, tmp_path):
    model, X = fitted
    out = tmp_path / "out"
    done = explain_parquet(model, folder, out, level=("raw", "engineered"), rows_per_chunk=64)
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*.parquet"))
    assert made == [f"year={year}/{name}.parquet" for year in (2023, 2024) for name in "ab"]
    rows = X[X["year"] == 2023][:50]
    whole = model.explain(rows)
    table = pd.read_parquet(out / made[0], partitioning=None)
    for found in (whole, whole.engineered):
        names = [f"{found.level}:{name}" for name in found.feature_names]
        assert np.array_equal(_values(table, names, found.n_outputs), found.values)
    summary = json.loads((out / "_summary.json").read_text())
    assert summary["rows"] == done.rows == len(X)
    assert summary["importance"] == done.importance
    everything = model.explain(X).global_importance()
    np.testing.assert_allclose(done.series()[everything.index], everything, rtol=1e-9)


def test_predictions_alone(fitted, folder, tmp_path):
    model, X = fitted
    done = predict_parquet(model, folder, tmp_path / "out")
    assert done.additivity_error is None
    rows = X[X["year"] == 2024][50:]
    table = pd.read_parquet(tmp_path / "out/year=2024/b.parquet", partitioning=None)
    assert table["prediction"].tolist() == model.predict(rows).tolist()
    if model.classes is not None:
        names = [f"probability_{label}" for label in model.classes]
        assert np.array_equal(table[names], model.predict_proba(rows))


def test_a_csv_is_read_as_if_at_once(fitted, tmp_path):
    model, X = fitted
    X.to_csv(tmp_path / "rows.csv", index=False, sep=";")
    explain_parquet(model, tmp_path / "rows.csv", tmp_path / "out", rows_per_chunk=30)
    table = pd.read_parquet(tmp_path / "out" / "rows.csv.parquet")
    whole = model.explain(pd.read_csv(tmp_path / "rows.csv", sep=";"))
    assert np.array_equal(_values(table, whole.feature_names, whole.n_outputs), whole.values)


def test_what_is_wrong_names_the_file(fitted, folder, tmp_path):
    model, _ = fitted
    lacking = folder / "year=2024" / "b.parquet"
    pd.read_parquet(lacking, partitioning=None).drop(columns="age").to_parquet(lacking)
    with pytest.raises(SchemaError, match=r"year=2024/b\.parquet, rows 0 to .*'age'"):
        explain_parquet(model, folder, tmp_path / "out")
    made = {path.name for path in (tmp_path / "out" / "year=2024").iterdir()}
    assert made == {"a.parquet", "_a.parquet.json"}  # what was whole, and no half file
    with pytest.raises(StreamError, match=r"a\.parquet has no column 'id' to name"):
        explain_parquet(model, folder, tmp_path / "other", identity="id")
    with pytest.raises(StreamError, match=r"a\.parquet has no 'job' in row \d+"):
        explain_parquet(model, folder, tmp_path / "other", identity="job")
    with pytest.raises(ReadError, match="has no Parquet file"):
        explain_parquet(model, tmp_path / "other", tmp_path / "third")
    with pytest.raises(StreamError, match=r"lies in .* which is read"):
        explain_parquet(model, folder, folder / "out")
    with pytest.raises(StreamError, match="other options; name another folder"):
        predict_parquet(model, folder, tmp_path / "out")
    lacking.write_bytes(b"no Parquet")
    with pytest.raises(ReadError, match=r"b\.parquet"):
        explain_parquet(model, folder, tmp_path / "out")


def test_a_file_without_rows_and_a_file_written_again(fitted, tmp_path):
    model, X = fitted
    source, out = tmp_path / "rows", tmp_path / "out"
    source.mkdir()
    X[:0].to_parquet(source / "none.parquet")
    X[:5].to_parquet(source / "some.parquet")
    assert explain_parquet(model, source, out).rows == 5
    assert explain_parquet(model, source, out).resumed == 2
    X[:9].to_parquet(source / "some.parquet")
    done = explain_parquet(model, source, out)
    assert (done.rows, done.resumed) == (9, 1)
    assert pd.read_parquet(out / "some.parquet")["row"].unique().tolist() == list(range(9))
    assert len(pd.read_parquet(out)) == len(pd.read_parquet(out / "some.parquet"))


_CHILD = r"""
    import os, re, signal, sys
    from pathlib import Path
    from pellucid.explain.predictor import Predictor
    from pellucid.explain.stream import explain_parquet
    home, source, target, end = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    rows = int(sys.argv[5])
    files = {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}
    def told(done, total):
        if done >= end:
            os.kill(os.getpid(), signal.SIGKILL)
    explain_parquet(Predictor.from_files(files), source, target, progress=told, rows_per_chunk=rows)
    # the peak in KiB; ru_maxrss would begin at that of the parent process
    print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""


def _child(model, home, source, target, *, end=1 << 60, rows=20_000):
    for name, data in model.to_files().items():
        path = home / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(_CHILD),
            home / "model",
            source,
            target,
            str(end),
            str(rows),
        ],
        capture_output=True,
        text=True,
        env={**os.environ},
    )


@pytest.mark.posix
def test_a_killed_call_is_resumed(fitted, folder, tmp_path):
    model, X = fitted
    n_first = len(X[X["year"] == 2023])
    ended = _child(model, tmp_path, folder, tmp_path / "out", end=n_first + 50)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    whole = {
        str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("[!.]*.parquet")
    }
    assert whole == {"year=2023/a.parquet", "year=2023/b.parquet"}
    done = explain_parquet(model, folder, tmp_path / "out")
    assert (done.files, done.resumed) == (4, 2)
    fresh = explain_parquet(model, folder, tmp_path / "fresh")
    assert done.importance == fresh.importance
    for path in (tmp_path / "fresh").rglob("*.parquet"):
        twin = tmp_path / "out" / path.relative_to(tmp_path / "fresh")
        assert twin.read_bytes() == path.read_bytes()
    assert not list((tmp_path / "out").rglob(".*.part"))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_rows(tmp_path):
    X = _table(400)
    y = np.where(X["age"] > 40, "yes", "no")
    fit = AutoMLClassifier(time_budget=None, max_trials=2, store=False).fit(X, y)
    peaks = {}
    for n, rows in ((100_000, 20_000), (400_000, 20_000), (400_000, 400_000)):
        source = tmp_path / f"{n}.parquet"
        if not source.exists():
            _table(n).to_parquet(source, row_group_size=50_000)
        ended = _child(fit.predictor_, tmp_path, source, tmp_path / f"{n}-{rows}", rows=rows)
        assert ended.returncode == 0, ended.stderr
        peaks[n, rows] = int(ended.stdout) / 1024  # MiB
    grown = peaks[400_000, 20_000] - peaks[100_000, 20_000]
    assert grown < 40, peaks
    assert peaks[400_000, 400_000] - peaks[100_000, 20_000] > 2 * 40, peaks  # else 40 says nothing

"""Artefacts that someone made to harm: right digests, wrong content; all refused with a reason."""

import gc
import hashlib
import io
import json
import os
import pickle
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid import shapley
from pellucid.arrays import read_array, read_arrays
from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation
from pellucid.explain.persistence import (
    ExplanationFileError,
    explanation_from_bytes,
    explanation_to_bytes,
)
from pellucid.search.kept import trial_from_files
from pellucid.search.plan import Plan
from pellucid.serve.foreign.loading import load_scorer
from pellucid.shapley.files import trees_from_bytes, trees_to_bytes
from pellucid.store.artifacts import (
    ArtifactError,
    load_files,
    load_predictor,
    save_files,
)


class Payload:
    """Unpickled, it would leave a file."""

    def __reduce__(self):
        return os.mkdir, ("harmed",)


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(text):
    """An npy file of a header alone."""
    text = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text


PICKLED = npy(np.array([Payload()], dtype=object), allow_pickle=True)
HUGE = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 8), }")


def deflated(data):
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
    return out.getvalue()


def edit(name, **changes):
    """Change facts of a JSON file of the model."""
    return lambda files: {name: json.dumps({**json.loads(files[name]), **changes}).encode()}


HOSTILE = {
    "a pickle for an array": lambda files: {"background.npy": PICKLED},
    "a bare pickle": lambda files: {"background.npy": pickle.dumps(Payload())},
    "a pickle in an npz": lambda files: {"members/0/view.npz": npz(columns=np.zeros(1))[:-1]},
    "an array larger than its file": lambda files: {"background.npy": HUGE},
    "a header that is no literal": lambda files: {
        "background.npy": header("{'descr': __import__('os').mkdir('harmed'), 'shape': ()}")
    },
    "a negative shape": lambda files: {
        "background.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }")
    },
    "an array of records": lambda files: {"background.npy": npy(np.zeros(3, dtype="f4,i8"))},
    "an array of another width": lambda files: {
        "background.npy": npy(np.zeros((5, 1), np.float32))
    },
    "an array of another type": lambda files: {
        "background.npy": npy(np.zeros((5, 9), np.complex64))
    },
    "a zip bomb": lambda files: {
        "members/0/view.npz": deflated(npz(columns=np.zeros(2_000_000), encoded=np.zeros(0)))
    },
    "columns that are not there": lambda files: {
        "members/0/view.npz": npz(columns=np.array([10**6]), encoded=np.zeros(0, np.int64))
    },
    "JSON without an end": lambda files: {"predictor.json": b"[" * 200_000},
    "JSON of another shape": lambda files: {"schema.json": b"[]"},
    "no JSON": lambda files: {"featurizer.json": b"\x80\x04."},
    "an unknown encoder": edit("featurizer.json", encoders=[{"type": "os", "column": "age"}]),
    "an unknown family": edit("ensemble.json", families=["os.system"]),
    "a family as a path": edit("ensemble.json", families=["../../evil"]),
    "an unknown task": edit("predictor.json", task="exec"),
    "a billion classes": edit("predictor.json", n_classes=10**9),
    "classes that are objects": edit(
        "predictor.json", classes={"dtype": "O8,os.system", "values": ["a", "b"]}
    ),
    "weights that are no numbers": edit("ensemble.json", weights=["nan"]),
    "an intercept of another size": edit("ensemble.json", intercept=[0.0] * 1000),
    "an infinite intercept": edit("ensemble.json", intercept=[float("inf")]),
    "a format to come": edit("schema.json", format=99),
}


@pytest.fixture(scope="module")
def files(trained):
    return trained.predictor_.to_files()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused(files, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_files(tmp_path / "model", {**files, **HOSTILE[name](files)})
    with pytest.raises(PellucidError, match=r"\w+ \w+"):
        load_predictor(tmp_path / "model")
    assert os.listdir(tmp_path) == ["model"]


def seal(facts):
    body = json.dumps(facts, indent=1)
    seal = hashlib.sha256(body.encode()).hexdigest()
    return json.dumps({**facts, "seal": seal}, indent=1).encode()


MANIFESTS = {
    "a name that climbs": {"../evil": {"size": 1, "sha256": "0"}},
    "an absolute name": {"/etc/passwd": {"size": 1, "sha256": "0"}},
    "a name with NUL": {"a\0b": {"size": 1, "sha256": "0"}},
    "a drive": {"C:\\x": {"size": 1, "sha256": "0"}},
    "sizes that are text": {"a.json": {"size": "1", "sha256": "0"}},
    "no digest": {"a.json": {"size": 1}},
    "a list": [1, 2],
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_hostile_manifest_is_refused(name, tmp_path):
    save_files(tmp_path / "m", {"a.json": b"{}"})
    sealed = seal({"format": 1, "pellucid": "0", "files": MANIFESTS[name]})
    (tmp_path / "m" / "manifest.json").write_bytes(sealed)
    with pytest.raises(ArtifactError):
        load_files(tmp_path / "m")


@pytest.mark.posix
def test_pipes_links_and_sparse_files_are_refused_unread(tmp_path):
    for name, make in {
        "pipe": os.mkfifo,
        "link": lambda path: os.symlink("/etc/passwd", path),
        "sparse": lambda path: path.write_bytes(b"") or os.truncate(path, 2**40),
    }.items():
        for victim in ("a.json", "manifest.json"):
            folder = tmp_path / f"{name} {victim}"
            save_files(folder, {"a.json": b"{}"})
            (folder / victim).unlink()
            make(folder / victim)
            with pytest.raises(ArtifactError):
                load_files(folder)


def test_arrays_are_as_large_as_their_files():
    for array in (
        np.arange(6).reshape(2, 3),
        np.zeros(0),
        np.array("x"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ):
        assert np.array_equal(read_array(npy(array)), array)
    for data in (HUGE, PICKLED, b"", npy(np.ones(3))[:-1], npy(np.ones(3)) + b"\0"):
        with pytest.raises((ValueError, EOFError)):
            read_array(data)
    for data in (b"PK", deflated(npz(a=np.ones(3))), npz(a=np.array([Payload()]))):
        with pytest.raises(ValueError):
            read_arrays(data)


def reseal(data, change):
    """An explanation file with other members, and the right digest."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            held, options = change(name, old.read(name)), {}
            if isinstance(held, tuple):
                held, options = held
            new.writestr(name, held, **options)
        new.comment = old.comment
    body = out.getvalue()[:-64]
    return body + hashlib.sha256(body).hexdigest().encode()


EXPLANATIONS = {
    "a pickle for an array": lambda name, data: PICKLED if name.endswith("values.npy") else data,
    "a huge array": lambda name, data: HUGE if name.endswith("values.npy") else data,
    "a zip bomb": lambda name, data: (data, {"compress_type": zipfile.ZIP_DEFLATED}),
    "no Arrow": lambda name, data: b"ARROW1" if name.endswith("arrow") else data,
    "a cut Arrow": lambda name, data: data[:-40] if name.endswith("arrow") else data,
    "no JSON": lambda name, data: b"{" if name == "explanation.json" else data,
    "deep JSON": lambda name, data: b"[" * 100_000 if name.endswith("details.json") else data,
    "unknown tags": lambda name, data: (
        b'{"a": {"$": "os.system", "is": "x"}}' if name.endswith("details.json") else data
    ),
    "levels that are numbers": lambda name, data: (
        b'{"format": "pellucid-explanation", "version": 1, "levels": [1]}'
        if name == "explanation.json" else data
    ),
    "no levels": lambda name, data: (
        b'{"format": "pellucid-explanation", "version": 1, "levels": []}'
        if name == "explanation.json" else data
    ),
    "a version to come": lambda name, data: (
        data.replace(b'"version": 1', b'"version": 2') if name == "explanation.json" else data
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_a_hostile_explanation_is_refused(trained, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = explanation_to_bytes(trained.explanation_[:5])
    assert explanation_from_bytes(reseal(data, lambda _, held: held)).n_rows == 5
    with pytest.raises(ExplanationFileError):
        explanation_from_bytes(reseal(data, EXPLANATIONS[name]))
    assert os.listdir(tmp_path) == []


def tree_changes(trees):
    inner = np.flatnonzero(trees.feature >= 0)[-1:]
    far = np.full_like(trees.cat_start, 2**62)

    def with_(array, at, value):
        changed = array.copy()
        changed[at] = value
        return changed

    return {
        "a cycle": {"left": with_(trees.left, inner, inner)},
        "a child of another tree": {"right": with_(trees.right, [0], trees.n_nodes - 1)},
        "two parents": {"right": with_(trees.right, inner, trees.left[inner])},
        "a column far away": {"feature": with_(trees.feature, inner, 10**6)},
        "categories that overflow": {"cat_start": far, "cat_size": trees.cat_size + 2**30},
        "nodes of another type": {"left": trees.left.astype(np.float64)},
        "a value of another shape": {"value": trees.value.ravel()},
        "values that are no numbers": {"value": trees.value * np.nan},
        "outputs far away": {"tree_output": trees.tree_output + 10**6},
        "columns as text": {"n_columns": "5"},
        "no arrays at all": {"roots": None},
    }


def test_hostile_trees_are_refused():
    from lightgbm import LGBMRegressor

    X = np.random.default_rng(0).normal(size=(200, 3))
    model = LGBMRegressor(n_estimators=3, verbose=-1).fit(X, X[:, 0])
    trees = shapley.readers.read_ensemble(model)
    for name, changes in tree_changes(trees).items():
        data = trees_to_bytes(replace(trees, **changes))
        with pytest.raises(PellucidError, match=r"trees|reader|the file"):
            trees_from_bytes(data, name=f"the file of {name}")
    with pytest.raises(shapley.ReaderError, match="read rows of shape"):
        shapley.tables.ensemble_margins(trees, X[:, :2])


_WATCHED = (
    *("pickle.find_class", "marshal.loads", "exec", "import"),
    *("os.system", "os.exec", "subprocess.Popen"),
)
_seen: list[str] = []
_watching = [False]


def _hook(event, arguments):
    if _watching[0] and event in _WATCHED:
        code = arguments[0] if event == "exec" else None
        where = getattr(code, "co_filename", "")
        _seen.append(f"{event} {where} {arguments[:1]!r:.200}")


def read_all(home):
    """Read what a release wrote, in each format that there is."""
    for name in ("binary", "three", "amount", "forecast"):
        load_predictor(home / name)
    for name in ("tables", "plain", "trees", "linear_trees", "additive"):
        shapley.load(home / f"{name}.bin")
    Explanation.load(home / "explanation.zip")
    load_scorer(home / "scorer")
    trial_from_files(load_files(home / "trial"))
    Plan.from_dict(json.loads((home / "plan.json").read_text()))


def test_nothing_is_executed_while_artefacts_are_read():
    home = Path(__file__).parents[1] / "old_formats" / "0.1.0"
    read_all(home)  # imports and compiles what it needs
    gc.collect()
    sys.addaudithook(_hook)
    _watching[0] = True
    try:
        read_all(home)
        pickle.loads(pickle.dumps(len))  # noqa: S301 - that the hook sees one
    finally:
        _watching[0] = False
    assert _seen
    assert [each.split()[0] for each in _seen] == ["pickle.find_class"], _seen


def test_a_moved_folder_of_names_alone_is_no_model(tmp_path):
    save_files(tmp_path / "m", {"predictor.json": b"{}"})
    with pytest.raises(ArtifactError, match="is intact but is not a model"):
        load_predictor(tmp_path / "m")
    shutil.rmtree(tmp_path / "m")
    with pytest.raises(ArtifactError, match="no readable manifest"):
        load_predictor(tmp_path / "m")

"""A run says of itself whether it answers as it did, and where not; a digest misses no cell."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pellucid import AutoMLClassifier
from pellucid.automl.provenance import command, packages
from pellucid.automl.verify import compare_data, compare_models, rescore
from pellucid.cli import app
from pellucid.explain.predictor import Predictor
from pellucid.store.artifacts import load_files, save_files
from pellucid.store.runs import load_run
from pellucid.tabular.fingerprint import fingerprint, fingerprints

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"age": RNG.integers(18, 80, 90), "job": RNG.choice(["cook", "clerk", "maid"], 90)}
)
TABLE["buys"] = np.where(TABLE["age"] + 20 * (TABLE["job"] == "cook") > 55, "yes", "no")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    TABLE.to_csv(folder / "table.csv", index=False)
    AutoMLClassifier(
        time_budget=None, max_trials=2, n_jobs=1, store=str(folder / "store"),
        allowed_families=["linear"],
    ).fit(TABLE.drop(columns="buys"), TABLE["buys"])  # fmt: skip
    return folder


def verify(home, *words):
    told = CliRunner().invoke(
        app, ["verify", "latest", *map(str, words), "--store", home / "store"]
    )
    return told.exit_code, told.stdout + told.stderr


def test_a_run_answers_as_it_did_and_trains_to_the_same_bits(home):
    code, said = verify(home, home / "table.csv")
    assert code == 0, said
    told = [line.split(":")[0].split() for line in said.splitlines()]
    assert [" ".join(words[1:]) for words in told] == [
        *("files", "versions", "predictions", "importances", "engineered importances"),
        *("data", "model"),
    ]
    assert {words[0] for words in told} == {"equal", "-"}


def test_what_differs_is_named(home, tmp_path):
    changed = TABLE.copy()
    changed.loc[70, "age"] += 1
    changed.to_csv(tmp_path / "changed.csv", index=False)
    code, said = verify(home, tmp_path / "changed.csv", "--json")
    checks = {check["what"]: check for check in json.loads(said)}
    assert code == 1
    assert checks["data"]["said"] == "column 'age' differs"
    assert "model" not in checks  # it would be of other data
    run = load_run("latest", store=home / "store")
    frame = TABLE.drop(columns="buys")
    assert "'job' is absent" in compare_data(run, frame[["age"]]).said
    assert "'more' is new" in compare_data(run, frame.assign(more=1)).said
    assert "order of columns" in compare_data(run, frame[["job", "age"]]).said


def test_other_answers_and_damaged_files_are_found(home, tmp_path):
    shutil.copytree(home / "store", tmp_path / "store")
    run = load_run("latest", store=tmp_path / "store")
    folder = next((tmp_path / "store" / "artifacts").glob("*/artifacts/model"))
    files = load_files(folder)
    background = io.BytesIO()
    np.save(background, np.load(io.BytesIO(files["background.npy"])) + np.float32(1))
    shutil.rmtree(folder)  # another background, with digests of its own
    save_files(folder, {**files, "background.npy": background.getvalue()})
    found = {check.what: check for check in rescore(run)}
    assert found["predictions"].equal
    assert found["importances"].equal is False
    assert "first at" in found["importances"].said
    (folder / "background.npy").write_bytes(b"?")
    (check,) = rescore(run)
    assert check.equal is False
    assert "background.npy" in check.said


def test_models_are_compared_by_their_margins(home):
    model = load_run("latest", store=home / "store").model()
    files = model.to_files()
    assert compare_models(Predictor.from_files(files), model, TABLE).equal
    facts = json.loads(files["ensemble.json"])
    facts["intercept"] = [value + 1e-12 for value in facts["intercept"]]
    other = Predictor.from_files({**files, "ensemble.json": json.dumps(facts).encode()})
    assert compare_models(other, model, TABLE).equal is False


def test_a_run_keeps_where_it_comes_from(home):
    kept = load_run("latest", store=home / "store").training["provenance"]
    assert kept["columns"] == fingerprints(TABLE.drop(columns="buys"))[1]
    assert kept["packages"]["numpy"] == np.__version__
    assert kept["command"]
    assert len(packages()) > 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/bin/pellucid", "train", "x y.csv"], "pellucid train 'x y.csv'"),
        (["p", "--store", "https://me:s3cret@host"], "p --store https://***@host"),
        (["p", "--api-key", "s3cret"], "p --api-key ***"),
        (["p", "--token=s3cret"], "p --token=***"),
        ([], ""),
    ],
)
def test_a_kept_command_holds_no_secret(words, said):
    assert command(words) == said


CELLS = {
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=True),
    "object": st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none()),
    "datetime64[us]": st.integers(-(10**15), 10**15).map(lambda n: np.datetime64(n, "us")),
    "boolean": st.one_of(st.booleans(), st.none()),
    "Int64": st.one_of(st.integers(-99, 99), st.none()),
}


def key(cell):
    """What tells cells apart: their type and bits."""
    if isinstance(cell, float):
        return "float", np.float64(cell).tobytes()
    return type(cell).__name__, repr(cell)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_cell_type_or_name_changes_the_digest(data):
    dtype = data.draw(st.sampled_from(sorted(CELLS)))
    cells = data.draw(st.lists(CELLS[dtype], min_size=1, max_size=6))
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=dtype), "b": range(len(cells))})
    whole = fingerprint(frame)
    assert whole == fingerprint(frame.copy())
    at, cell = data.draw(st.integers(0, len(cells) - 1)), data.draw(CELLS[dtype])
    other = pd.Series([*cells[:at], cell, *cells[at + 1 :]], dtype=dtype)
    changed = fingerprint(frame.assign(a=other))
    assert (changed == whole) == (key(other.tolist()[at]) == key(frame["a"].tolist()[at]))
    assert fingerprint(frame.rename(columns={"a": "c"})) != whole
    assert fingerprint(frame.astype({"b": np.int32})) != whole
    assert fingerprint(frame[["b", "a"]]) != whole

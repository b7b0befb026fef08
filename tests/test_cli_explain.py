"""`pellucid explain` of models in files."""

from __future__ import annotations

import json
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from typer.testing import CliRunner

from pellucid.cli import app


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rows with their truth, and models of them in files."""
    home = tmp_path_factory.mktemp("explain")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 200), "income": rng.exponential(1, 200)})
    truth = (frame["age"] * frame["income"] > 30).astype(int)
    frame.assign(buys=truth).to_csv(home / "rows.csv", index=False)
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(frame, truth)
    model.booster_.save_model(str(home / "model.txt"))
    jobs = frame.assign(job=rng.choice(["a", "b", "c"], 200))
    jobs.to_parquet(home / "jobs.parquet")
    make = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    pipeline = make_pipeline(make, LogisticRegression()).fit(jobs, truth)
    joblib.dump(pipeline, home / "model.joblib")
    return home


def test_a_lightgbm_file_is_explained_beside_the_truth(folder, tmp_path):
    output = tmp_path / "values.parquet"
    done = invoke(
        *("explain", folder / "model.txt", folder / "rows.csv", "-o", output),
        *("--target", "buys", "--background", folder / "rows.csv", "--id", "age"),
    )
    assert done.exit_code == 0, done.output
    assert "ok: exact, tables of 10 trees" in done.stdout
    table = pd.read_parquet(output)
    assert list(table.columns) == [
        "row", "age_", "prediction", "probability", "y_true", "base_value", "age", "income",
    ]  # fmt: skip
    rows = pd.read_csv(folder / "rows.csv")
    np.testing.assert_array_equal(table["age_"], rows["age"])
    np.testing.assert_array_equal(table["y_true"], rows["buys"])
    margin = table["base_value"] + table["age"] + table["income"]
    np.testing.assert_allclose(1 / (1 + np.exp(-margin)), table["probability"], atol=1e-9)


@pytest.mark.parametrize(("library", "name"), [("xgboost", "m.json"), ("catboost", "m.cbm")])
def test_files_of_other_libraries(library, name, folder, tmp_path):
    package = pytest.importorskip(library)
    frame = pd.read_csv(folder / "rows.csv")
    X, y = frame[["age", "income"]], frame["buys"]
    if library == "xgboost":
        package.XGBClassifier(n_estimators=5).fit(X, y).save_model(tmp_path / name)
    else:
        model = package.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False)
        model.fit(X, y).save_model(str(tmp_path / name))
    output = tmp_path / "values.csv"
    done = invoke("explain", tmp_path / name, folder / "rows.csv", "-o", output, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["verdict"] == "ok"
    assert facts["certificate"]["method"] == "exact"
    assert "age" in pd.read_csv(output).columns


def test_pickles_are_read_when_they_are_trusted(folder, tmp_path):
    arguments = (
        *("explain", folder / "model.joblib", folder / "jobs.parquet"),
        *("-o", tmp_path / "v.parquet"),
    )
    refused = invoke(*arguments)
    assert refused.exit_code == 2
    assert "runs whatever code it holds" in refused.stderr
    done = invoke(*arguments, "--allow-pickle", "--space", "probability")
    assert done.exit_code == 0, done.output
    assert "all coalitions of up to 3 players" in done.stdout
    table = pd.read_parquet(tmp_path / "v.parquet")
    total = table[["base_value", "age", "income", "job"]].sum(axis=1)
    np.testing.assert_allclose(total, table["probability"], atol=1e-9)
    engineered = invoke(*arguments, "--allow-pickle", "--engineered")
    assert "5 engineered features" in engineered.stdout
    mimic = invoke(*arguments, "--allow-pickle", "--method", "mimic")
    assert "fidelity on held-out rows" in mimic.stdout


def test_what_is_no_model_is_refused(folder, tmp_path):
    output = tmp_path / "v.csv"
    odd = tmp_path / "model.onnx"
    odd.write_text("?")
    refused = invoke("explain", odd, folder / "rows.csv", "-o", output)
    assert re.search("is no model that can be read", refused.stderr)
    broken = tmp_path / "model.txt"
    broken.write_text("not a tree")
    refused = invoke("explain", broken, folder / "rows.csv", "-o", output)
    assert "cannot be read as a .txt model" in refused.stderr
    refused = invoke(
        "explain", folder / "model.txt", folder / "rows.csv", "-o", output, "--target", "sold"
    )
    assert "has no column 'sold'" in refused.stderr
    assert not output.exists()

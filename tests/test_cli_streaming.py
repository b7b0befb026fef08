"""`pellucid explain` and `pellucid predict` into a folder."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.store.runs import load_run


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A store with a run, and the rows that it learned from as two Parquet files."""
    folder = tmp_path_factory.mktemp("stream")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 200), "job": rng.choice(["a", "b"], 200)})
    frame["buys"] = np.where(frame["age"] + 9 * (frame["job"] == "a") > 45, "yes", "no")
    frame["customer"] = [f"c{i}" for i in range(200)]
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "rows").mkdir()
    frame[:120].to_parquet(folder / "rows" / "a.parquet")
    frame[120:].to_parquet(folder / "rows" / "b.parquet")
    done = invoke(
        *("train", folder / "rows.csv", "--target", "buys", "--trials", 2, "--drop", "customer"),
        *("--no-explain", "--store", folder / "store"),
    )
    assert done.exit_code == 0, done.output
    return folder


def test_a_folder_is_explained_then_found_whole(home, tmp_path):
    arguments = (
        *("explain", "latest", home / "rows", "-o", tmp_path / "values", "--id", "customer"),
        *("--chunk-rows", 50, "--store", home / "store"),
    )
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    assert "200 rows explained in 2 files; additivity error" in done.stdout
    values = pd.read_parquet(tmp_path / "values")  # passes over what begins with _
    rows = pd.read_csv(home / "rows.csv")
    # the training saw a column of this name, so importances have it
    assert values["customer_"].tolist() == rows["customer"].tolist()
    whole = load_run("latest", store=str(home / "store")).model().explain(rows)
    assert np.array_equal(values[list(whole.feature_names)], whole.values)
    again = invoke(*arguments, "--json")
    facts = json.loads(again.stdout)
    assert (facts["files"], facts["resumed"], facts["rows"]) == (2, 2, 200)
    assert facts["importance"]["raw"] == pytest.approx(whole.feature_importance_dict())


def test_a_folder_is_trained_from(home):
    arguments = ("train", home / "rows", "--target", "buys", "--drop", "customer", "--no-explain")
    limits = ("--trials", 3, "--sample-rows", 100, "--family", "linear")
    done = invoke(*arguments, *limits, "--store", home / "other")
    assert done.exit_code == 0, done.output
    assert "of 200 rows; members then learned from all of them." in done.stdout
    assert "from the sample alone" not in done.stdout
    wrong = invoke(*arguments, "--test-share", 0.3)
    assert wrong.exit_code != 0
    assert "--test-share needs a table in memory" in wrong.output


def test_a_cluster_trains_and_explains(home, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp"
    ) as local:
        address = ("--cluster", local.scheduler_address)
        done = invoke(
            *("train", home / "rows.csv", "--target", "buys", "--drop", "customer", "--trials", 2),
            *("--no-explain", "--store", tmp_path / "store", *address),
        )
        assert done.exit_code == 0, done.output
        explained = ("explain", "latest", home / "rows", "--store", tmp_path / "store", *address)
        done = invoke(*explained, "-o", tmp_path / "values")
        assert "200 rows explained in 2 files; additivity error" in done.stdout
        one_file = invoke(*explained, "-o", tmp_path / "values.csv")
    assert "--cluster needs an output that is a folder" in one_file.output
    rows = pd.read_csv(home / "rows.csv")
    here = load_run("latest", store=str(tmp_path / "store")).model().explain(rows)
    found = pd.read_parquet(tmp_path / "values")
    assert np.array_equal(found[list(here.feature_names)], here.values)


def test_a_csv_is_predicted_into_a_folder(home, tmp_path):
    done = invoke(
        *("predict", "latest", home / "rows.csv", "-o", tmp_path / "scores"),
        *("--chunk-rows", 30, "--store", home / "store"),
    )
    assert done.exit_code == 0, done.output
    scores = pd.read_parquet(tmp_path / "scores" / "rows.csv.parquet")
    model = load_run("latest", store=str(home / "store")).model()
    rows = pd.read_csv(home / "rows.csv")
    assert np.array_equal(scores[["probability_no", "probability_yes"]], model.predict_proba(rows))


def test_what_chunks_cannot_do_is_refused(home, tmp_path):
    given = ("latest", home / "rows", "--store", home / "store")
    refused = invoke("explain", *given, "-o", tmp_path / "v", "--method", "mimic")
    assert refused.exit_code == 2
    assert "--method needs an output that is a .parquet or .csv file" in refused.stderr
    refused = invoke("predict", *given, "-o", tmp_path / "v.csv", "--id", "customer")
    assert "--id needs an output that is a folder" in refused.stderr
    refused = invoke("explain", *given, "-o", tmp_path / "v", "--id", "name")
    assert "a.parquet has no column 'name'" in refused.stderr

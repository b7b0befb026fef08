"""`pellucid whatif`, `counterfactual` and `diff` of models in files and of runs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pellucid import AutoMLClassifier
from pellucid.cli import app


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rows of two periods, two models in files, and a run in a store."""
    lightgbm = pytest.importorskip("lightgbm")
    home = tmp_path_factory.mktemp("responding")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 300), "income": rng.exponential(1, 300)})
    frame["job"] = rng.choice(["a", "b"], 300)
    truth = np.where(frame["income"] + 0.02 * frame["age"] > 1.5, "yes", "no")
    frame.assign(buys=truth).to_csv(home / "rows.csv", index=False)
    frame.assign(income=frame["income"] + 1).to_csv(home / "later.csv", index=False)
    numbers = frame[["age", "income"]]
    for name, y in {"old": truth == "yes", "new": frame["age"] > 40}.items():
        model = lightgbm.LGBMClassifier(n_estimators=15, verbose=-1).fit(numbers, y)
        model.booster_.save_model(str(home / f"{name}.txt"))
    AutoMLClassifier(time_budget=None, max_trials=2, store=str(home / "store")).fit(frame, truth)
    return home


def test_whatif_of_a_run(folder):
    arguments = (
        *("whatif", "latest", folder / "rows.csv", "--row", 4, "--store", folder / "store"),
        *("--set", "income=3.5", "--set", "job=b"),
    )
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    assert "-> 3.5" in done.stdout
    assert "probability of yes" in done.stdout
    facts = json.loads(invoke(*arguments, "--json").stdout)
    assert facts["changes"]["income"][1] == 3.5
    assert {each["feature"] for each in facts["moved"]} == {"age", "income", "job"}
    refused = invoke(*arguments[:4], "--row", 4000, *arguments[4:])
    assert refused.exit_code == 2


def test_counterfactual_of_a_run_and_of_a_file(folder):
    rows = pd.read_csv(folder / "rows.csv")
    at = int(np.flatnonzero(rows["buys"] == "no")[0])
    arguments = ("counterfactual", "latest", folder / "rows.csv", "--store", folder / "store")
    done = invoke(*arguments, "--row", at, "--wanted", "yes", "--immutable", "age", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["fewest"] is True
    assert all(each["prediction"] == "yes" for each in facts["found"])
    assert all("age" not in each["changes"] for each in facts["found"])
    words = invoke(*arguments, "--row", at, "--bound", "income=:9", "-n", 1)
    assert "income: " in words.stdout
    assert "no fewer changes do it" in words.stdout
    of_file = invoke(
        *("counterfactual", folder / "old.txt", folder / "rows.csv", "--row", at),
        *("--wanted", "1", "--bound", "income=increase"),
    )
    assert "gives 1" in of_file.stdout, of_file.output
    none = invoke(*arguments, "--row", at, "--bound", "income=decrease", "--immutable", "age")
    assert none.exit_code == 1
    assert "Nearest came" in none.stderr
    for odd, message in {
        "income=a:b": "is no range LOW:HIGH",
        "income": "is no COL=VALUE",
        "wage=1:2": "no column 'wage'",
    }.items():
        refused = invoke(*arguments, "--row", at, "--bound", odd)
        assert refused.exit_code == 2
        assert message in refused.stderr


def test_diff_says_what_changed_and_fails_when_it_should(folder):
    arguments = ("diff", folder / "old.txt", folder / "new.txt", folder / "rows.csv")
    done = invoke(*arguments, "--fail-if", "lost_features > 0", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["failed"] == []
    assert facts["facts"]["top_changed"] is True
    assert {each["feature"] for each in facts["features"]} == {"age", "income"}
    failed = invoke(*arguments, "--fail-if", "top_changed or mean_change_sd > 100")
    assert failed.exit_code == 1
    assert "fails, since top_changed or" in failed.stderr
    assert "rank_correlation: " in failed.stdout
    same = invoke(*arguments[:2], folder / "old.txt", arguments[3], "--fail-if", "sign_flips > 0")
    assert same.exit_code == 0
    refused = invoke(*arguments, "--fail-if", "sign_flip > 0")
    assert refused.exit_code == 2
    assert "did you mean 'sign_flips'" in refused.stderr


def test_diff_of_two_periods(folder):
    arguments = ("diff", folder / "old.txt", folder / "old.txt", folder / "rows.csv")
    done = invoke(*arguments, "--then", folder / "later.csv", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["features"][0]["feature"] == "income"
    assert facts["facts"]["mean_change"] > 0
    assert facts["facts"]["sign_flips"] is None

"""The command line: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pellucid.cli import app
from pellucid.cli.progress import show_progress
from pellucid.search.progress import Progress
from pellucid.store.runs import list_runs, load_run

PELLUCID = [sys.executable, "-m", "pellucid"]


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def people(n: int, *, n_classes: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(10, 1, n).round(2)),
            "prediction": rng.choice(["cook", "clerk", "admin."], n),  # a name that we use too
        }
    )
    score = frame["age"] + 20 * (frame["prediction"] == "cook")
    buys = pd.qcut(score, n_classes, labels=["no", "yes", "maybe"][:n_classes]).astype(str)
    return frame.assign(buys=buys, spent=score * 1.5 + rng.normal(size=n))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table and a store that holds one run."""
    folder = tmp_path_factory.mktemp("cli")
    people(300).drop(columns="spent").to_csv(folder / "people.csv", index=False)
    done = invoke(
        *("train", folder / "people.csv", "--target", "buys", "--trials", 2, "--name", "first"),
        *("--test-share", 0.3, "--store", folder / "store"),
    )
    assert done.exit_code == 0, done.output
    (folder / "output.txt").write_text(done.stdout)
    (folder / "progress.txt").write_text(done.stderr)
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PELLUCID_STORE", raising=False)
    monkeypatch.chdir(tmp_path)


# -- what works ---------------------------------------------------------------------------------
def test_help_is_complete_and_loads_nothing_heavy() -> None:
    code = "import sys, pellucid.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"pandas", "numpy", "mlflow", "sklearn", "rich"} & set(loaded.split())
    done = subprocess.run([*PELLUCID, "--help"], capture_output=True, text=True, check=True)
    names = "train runs show explain predict report card replay warmup demo"
    for command in names.split():
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)
    assert "..." not in done.stdout.partition("Commands:")[2]
    assert invoke("--version").stdout.startswith("pellucid 0.")


def test_python_m_is_the_same_command() -> None:
    asked = [sys.executable, "-m", "pellucid", "--version"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    assert said == invoke("--version").stdout


def test_train_says_what_it_found(home: Path) -> None:
    text = (home / "output.txt").read_text()
    run = load_run("latest", store=home / "store")
    for part in (
        "buys: binary, 2 classes, 210 rows, 3 columns",
        "AUC_weighted",
        "Ensemble",
        "What drives it  (mean |importance|, 90 test rows)",
        f"Run {run.id}  first",
        f"pellucid report {run.id[:8]} -o report.html --store {home / 'store'}",
    ):
        assert part in text
    assert re.search(r"^  (age|prediction) +\d\.\d{4}  [█#]", text, re.MULTILINE)
    progress = (home / "progress.txt").read_text().splitlines()
    assert progress[0].endswith("reading columns")
    assert any("2 trials  best AUC_weighted" in line for line in progress)
    assert list((home / "store").iterdir())


def test_runs_and_show(home: Path) -> None:
    run = load_run("latest", store=home / "store")
    listed = invoke("runs", "--store", home / "store")
    assert re.search(rf"^{run.id[:8]}  first  finished ", listed.stdout, re.MULTILINE)
    shown = invoke("show", run.id[:6], "--store", home / "store")
    assert "Leaderboard" in shown.stdout
    assert "What drives it" in shown.stdout
    assert invoke("show", "--store", home / "store").stdout == shown.stdout


def test_json_twins(home: Path) -> None:
    (line,) = json.loads(invoke("runs", "--json", "--store", home / "store").stdout)
    facts = json.loads(invoke("show", "--json", "--store", home / "store").stdout)
    assert facts["run"] == line["run"]
    assert facts["training"]["target"] == "buys"
    assert set(facts["importance"]) == {"age", "income", "prediction"}


@pytest.mark.slow
def test_json_of_a_training_without_explanation(home: Path) -> None:
    done = invoke(
        *("train", home / "people.csv", "--target", "buys", "--trials", 1, "--no-explain"),
        *("--json", "--store", "here"),
    )
    trained = json.loads(done.stdout)
    assert trained["importance"] is None
    assert trained["store"] == str(Path("here").absolute())


def test_explain_adds_up(home: Path) -> None:
    done = invoke(
        *("explain", "latest", home / "people.csv", "-o", "values.parquet"),
        *("--store", home / "store"),
    )
    first, verdict, *_ = done.stdout.splitlines()
    assert first == "values.parquet: 300 rows explained over 3 raw features"
    assert verdict == "ok: exact, tables of the ensemble"
    table = pd.read_parquet("values.parquet")
    assert list(table.columns) == [
        *("row", "prediction_", "probability", "base_value"),
        *("age", "income", "prediction"),
    ]
    margin = table["base_value"] + table[["age", "income", "prediction"]].sum(axis=1)
    assert np.allclose(1 / (1 + np.exp(-margin)), table["probability"])

    invoke(
        *("explain", "latest", home / "people.csv", "-o", "e.csv", "--engineered"),
        *("--store", home / "store"),
    )
    engineered = pd.read_csv("e.csv")
    assert "prediction=cook" in engineered.columns
    names = engineered.columns[4:]
    assert np.allclose(engineered[names].sum(axis=1), margin - table["base_value"])


def test_predict(home: Path) -> None:
    arguments = ("predict", "latest", home / "people.csv", "--store", home / "store")
    printed = pd.read_csv(io.StringIO(invoke(*arguments).stdout))
    assert invoke(*arguments, "-o", "out.parquet").stdout == "out.parquet: 300 rows predicted\n"
    written = pd.read_parquet("out.parquet")
    assert list(written.columns) == ["prediction", "probability_no", "probability_yes"]
    pd.testing.assert_frame_equal(printed, written, check_dtype=False)
    model = load_run("latest", store=home / "store").model()
    assert (
        written["prediction"].tolist() == model.predict(pd.read_csv(home / "people.csv")).tolist()
    )


def test_report(home: Path) -> None:
    done = invoke("report", "latest", "-o", "page.html", "--store", home / "store")
    assert done.stdout == "page.html: open it in a browser\n"
    assert "<html" in Path("page.html").read_text()[:300].lower()


def test_card(home: Path) -> None:
    printed = invoke("card", "latest", "--contact", "Ann", "--store", home / "store")
    assert printed.stdout == load_run("latest", store=home / "store").card(contact="Ann").markdown
    assert "| AUC_weighted | " in printed.stdout
    written = invoke("card", "latest", "-o", "card.html", "--store", home / "store")
    assert written.stdout == f"{Path('card.html').absolute()}: the model card\n"
    refused = invoke("card", "latest", "-o", "card.txt", "--store", home / "store")
    assert (refused.exit_code, "a card is a .md or .html file" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_more_classes_are_long() -> None:
    people(240, n_classes=3).drop(columns="spent").to_parquet("p.parquet")
    done = invoke("train", "p.parquet", "--target", "buys", "--trials", 2, "--store", "s")
    assert "multiclass, 3 classes" in done.stdout
    invoke("explain", "latest", "p.parquet", "-o", "v.parquet", "--store", "s")
    table = pd.read_parquet("v.parquet")
    assert len(table) == 720
    assert table["class"].tolist()[:4] == ["maybe", "no", "yes", "maybe"]
    assert table["row"].tolist()[:4] == [0, 0, 0, 1]
    margin = table["base_value"] + table[["age", "income", "prediction"]].sum(axis=1)
    odds = np.exp(margin.to_numpy().reshape(-1, 3))
    assert np.allclose(
        odds / odds.sum(axis=1, keepdims=True), table["probability"].to_numpy().reshape(-1, 3)
    )


@pytest.mark.slow
def test_regression_with_options() -> None:
    frame = people(240).drop(columns="buys")
    frame[:200].to_csv("train.csv", index=False)
    frame[200:].to_csv("test.csv", index=False)
    done = invoke(
        *("train", "train.csv", "--target", "spent", "--test", "test.csv", "--trials", 2),
        *("--metric", "r2_score", "--drop", "income", "--kind", "age=categorical", "--seed", 3),
    )
    assert done.exit_code == 0, done.stderr
    run = load_run("latest")
    assert run.training["task"] == "regression"
    assert run.training["primary_metric"] == "r2_score"
    assert "test.r2_score" in run.metrics
    columns = {column["name"]: column for column in run.training["columns"]}
    assert columns["age"]["kind"] == "categorical"
    assert not columns["income"]["used"]
    assert run.explanation().rows_from == "test"
    assert "Next\n  pellucid report" in done.stdout
    assert "--store" not in done.stdout  # the default store needs no naming
    invoke("explain", "latest", "test.csv", "-o", "v.csv")
    table = pd.read_csv("v.csv")
    assert np.allclose(
        table["base_value"] + table[["age", "income", "prediction"]].sum(axis=1),
        table["prediction_"],
    )


def test_lines_to_go_on_with_can_be_pasted(home: Path) -> None:
    (home / "my people.csv").write_text((home / "people.csv").read_text())
    words = ["train", home / "my people.csv", "--target", "buys", "--trials", 2, "--no-explain"]
    said = invoke(*words, "--store", home / "spaced store").stdout
    assert re.search(r"explain \w{8} '[^']*my people.csv' .* --store '[^']*spaced store'", said)


def test_nothing_yet() -> None:
    assert "no runs yet in" in invoke("runs").stdout
    assert json.loads(invoke("runs", "--json").stdout) == []
    assert os.listdir() == []


def test_a_live_line_moves_and_goes_away() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with show_progress(terminal) as tell:
        tell(Progress("search", 1.0, 60.0, 3, "AUC_weighted", ("linear", 0.75)))
        time.sleep(0.6)
    drawn = terminal.getvalue().split("\r")
    assert drawn[1].startswith("1 / 60 s  searching  3 trials  best AUC_weighted 0.75 (linear)")
    assert drawn[-1] == "\x1b[K"


# -- what is refused ------------------------------------------------------------------------------
def write_inputs() -> None:
    frame = people(40)
    frame.to_csv("good.csv", index=False)
    frame.head(0).to_csv("empty.csv", index=False)
    frame.assign(buys="yes").to_csv("single.csv", index=False)
    Path("nothing.csv").write_bytes(b"")
    Path("broken.parquet").write_bytes(b"PAR1" + os.urandom(500))
    Path("table.docx").write_bytes(b"?")


REFUSED = {
    "missing target": (["good.csv", "--target", "buy"], "no column 'buy'; did you mean 'buys'?"),
    "missing file": (["none.csv", "--target", "buys"], "no file none.csv"),
    "unreadable file": (["broken.parquet", "--target", "buys"], "cannot be read as parquet"),
    "unknown kind of file": (["table.docx", "--target", "buys"], "unknown kind"),
    "empty file": (["nothing.csv", "--target", "buys"], "is empty"),
    "empty table": (["empty.csv", "--target", "buys"], "has no rows"),
    "single class": (["single.csv", "--target", "buys"], "a single class, 'yes'"),
    "text as numbers": (
        ["good.csv", "--target", "buys", "--task", "regression"],
        "must be numeric",
    ),
    "unknown metric": (["good.csv", "--target", "buys", "--metric", "acc"], "'acc' is not"),
    "unknown drop": (["good.csv", "--target", "buys", "--drop", "x"], "--drop: good.csv has no"),
    "dropped target": (["good.csv", "--target", "buys", "--drop", "buys"], "is the target"),
    "unknown kind": (["good.csv", "--target", "buys", "--kind", "age=big"], "kinds are numeric"),
    "bad share": (["good.csv", "--target", "buys", "--test-share", "1.5"], "between 0 and 1"),
    "bad time": (["good.csv", "--target", "buys", "--time", "-1"], "above 0"),
    "bad test": (["good.csv", "--target", "buys", "--test", "none.csv"], "no file none.csv"),
    "two tests": (
        ["good.csv", "--target", "buys", "--test", "good.csv", "--test-share", "0.3"],
        "exclude each other",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_train_refuses_before_it_writes(case: str) -> None:
    arguments, message = REFUSED[case]
    write_inputs()
    before = sorted(os.listdir())
    done = invoke("train", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.startswith("pellucid: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert sorted(os.listdir()) == before


def test_rows_that_lack_a_column(home: Path) -> None:
    people(10).drop(columns=["income", "spent"]).to_csv("few.csv", index=False)
    for command in (["explain", "-o", "v.csv"], ["predict", "-o", "v.csv"]):
        done = invoke(command[0], "latest", "few.csv", *command[1:], "--store", home / "store")
        assert (done.exit_code, done.stdout) == (2, "")
        assert re.match(r"pellucid: the table lacks .*'income'.*\n$", done.stderr)
    assert os.listdir() == ["few.csv"]


@pytest.mark.parametrize(
    ("output", "message"),
    [("v.xls", "must end in"), ("no/v.csv", "does not exist"), (".csv", "must end in")],
)
def test_outputs_that_cannot_be(home: Path, output: str, message: str) -> None:
    done = invoke("explain", "latest", home / "people.csv", "-o", output, "--store", home / "store")
    assert done.exit_code == 2
    assert message in done.stderr


def test_runs_that_are_not_there(home: Path) -> None:
    for command in ("show", "report"):
        done = invoke(command, "zzz", "--store", home / "store")
        assert done.exit_code == 2
        assert "no run that starts with 'zzz'" in done.stderr
        assert "first" in done.stderr
    assert "holds no runs yet" in invoke("show").stderr


def test_a_store_that_cannot_be() -> None:
    write_inputs()
    before = sorted(os.listdir())
    done = invoke("train", "good.csv", "--target", "buys", "--trials", 1, "--store", "good.csv")
    assert sorted(os.listdir()) == before
    assert done.exit_code == 2
    assert "is a file" in done.stderr


def test_a_traceback_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_DEBUG", "1")
    done = invoke("train", "none.csv", "--target", "y")
    assert type(done.exception).__name__ == "ReadError"


@pytest.mark.slow
@pytest.mark.posix
def test_ctrl_c_keeps_the_best_so_far(home: Path) -> None:
    process = subprocess.Popen(
        [*PELLUCID, "train", home / "people.csv", "--target", "buys", "--time", "300"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "best" in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "interrupted" in output.splitlines()[0]
    assert load_run("latest").training["interrupted"]
    assert list_runs()["status"].tolist() == ["FINISHED"]


@pytest.mark.slow
def test_demo_on_real_flights(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pellucid.demo import TARGET, load_flights, run_demo

    flights = load_flights(n_rows=3000)
    assert flights.shape == (3000, 21)
    assert flights.isna().any().any()
    assert set(flights[TARGET]) == {"late", "on time"}
    assert not {"dep_delay", "arr_delay", "arr_time", "dep_time", "air_time"} & set(flights)

    result = run_demo(tmp_path / "demo", time_budget=120.0, max_trials=3, n_rows=3000)
    assert result.run.training["metrics"]["test"]["AUC_weighted"] > 0.6
    assert result.run.explanation().n_rows == 900
    assert result.report == tmp_path / "demo" / "report.html"
    assert result.report.stat().st_size > 50_000
    assert f"Open {tmp_path / 'demo' / 'report.html'}" in result.message


def test_replay_makes_the_same_model_again(home):
    where = ("--store", home / "store")
    done = invoke("replay", "latest", home / "people.csv", "--test-share", 0.3, *where)
    assert done.exit_code == 0, done.output
    assert "the same model, to the last bit" in done.stdout
    other = invoke("replay", "latest", home / "people.csv", *where)
    assert other.exit_code == 2
    assert "not the one of the plan" in other.stderr


def test_weights_groups_and_families_reach_the_training(home, tmp_path):
    table = people(300).drop(columns="spent")
    table["household"] = np.arange(300) // 3
    table["counts"] = 1.0 + np.arange(300) % 2
    table.to_csv(tmp_path / "people.csv", index=False)
    done = invoke(
        *("train", tmp_path / "people.csv", "--target", "buys", "--trials", 3),
        *("--weight", "counts", "--group", "household", "--family", "linear", "--folds", 4),
        *("--store", tmp_path / "store", "--json"),
    )
    assert done.exit_code == 0, done.output
    training = load_run("latest", store=tmp_path / "store").training
    assert training["folds"] == {"kind": "groups", "n": 4}
    assert {entry["family"] for entry in training["leaderboard"]} == {"prior", "linear", "ensemble"}
    assert {column["name"] for column in training["columns"]} == {"age", "income", "prediction"}
    wrong = invoke("train", tmp_path / "people.csv", "--target", "buys", "--group", "houshold")
    assert wrong.exit_code == 2
    assert "did you mean 'household'" in wrong.stderr


def test_warmup_says_that_the_kernels_are_ready():
    done = invoke("warmup")
    assert done.exit_code == 0, done.output
    assert "kernels are ready" in done.stdout

"""Scripts of the retired SDK, run from start to end as a user would run them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
SOURCES = Path(__file__).parents[2] / "src"
DATA = Path(__file__).parents[3] / "shared/data"

pytestmark = pytest.mark.slow


def run(folder, script, name, *, module="pellucid.azureml"):
    """Run a script of the folder on a real table; give what it printed."""
    table = DATA / name / f"{name}.parquet"
    if not table.is_file():
        pytest.skip(f"needs {name}, which is not beside the project")
    label = json.loads((DATA / name / "card.json").read_text())["target"]
    command = [sys.executable, *(["-m", module] if module else []), script, str(table), label]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCES), "PELLUCID_STORE": str(folder / "store")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    for script in SCRIPTS.glob("*.py"):
        shutil.copy(script, tmp_path)
    return tmp_path


def test_the_article_runs_as_it_is(folder):
    out = run(folder, "article.py", "bank_additional")
    assert out.rstrip().endswith("the article ran to its end")
    assert "fidelity of the surrogate" in out


def test_the_article_runs_with_its_imports_changed(folder):
    for script in ("article.py", "score_local_explain.py"):
        text = (folder / script).read_text().replace("from azureml.", "from pellucid.azureml.")
        (folder / script).write_text(text)
    out = run(folder, "article.py", "bank_additional", module=None)
    assert out.rstrip().endswith("the article ran to its end")


@pytest.mark.parametrize(
    ("script", "table"),
    [("machine.py", "machine_cpu"), ("fraud.py", "german_credit"), ("bank.py", "bank_additional")],
)
def test_the_samples_run_as_they_are(folder, script, table):
    assert run(folder, script, table).rstrip().endswith("the sample ran to its end")

"""The notebooks of examples/ run in a kernel of their own; here two, all by ``make notebooks``."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
CHEAP = {  # and what each must say
    "old_azureml_notebook": "fidelity of the surrogate on rows that it did not learn from",
    "your_own_pipeline": "ok: exact, closed form of LogisticRegression behind pca",
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    for cell in code:
        ast.parse(cell.source.replace("%load_ext", "#"))


def test_every_notebook_is_listed():
    listed = (EXAMPLES / "README.md").read_text()
    assert [path.name for path in NOTEBOOKS if f"]({path.name})" not in listed] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEAP)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    for each in ("tables.py", "stand_ins.py"):  # beside these copies there is no real table
        (tmp_path / each).write_bytes((EXAMPLES / each).read_bytes())
    monkeypatch.setenv("PELLUCID_EXAMPLE_TRIALS", "2")
    monkeypatch.setenv("PELLUCID_STORE", str(tmp_path / "store"))
    for other in ("MLFLOW_TRACKING_URI", "PELLUCID_DATA"):
        monkeypatch.delenv(other, raising=False)
    sources = [str(EXAMPLES.parent / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sources)))
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources=resources
    ).execute()
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert CHEAP[name] in said

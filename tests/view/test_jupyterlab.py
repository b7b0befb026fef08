"""A notebook in JupyterLab itself: pages show, and Python reads what is selected in them."""

import importlib.util
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from pellucid.store.runs import load_run

_TOKEN = "for-one-test"
_PATIENCE = 120  # seconds until the server answers; a busy machine takes a while
_OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--ServerApp.port=0",
    f"--IdentityProvider.token={_TOKEN}",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
_FOLDERS = (  # nothing of the machine's own is read or written
    "JUPYTER_RUNTIME_DIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)
_CELLS = [
    "from pellucid.store.runs import load_run\n"
    "run = load_run({run!r}, store={store!r})\nrun.show()",
    "from pellucid.view.widget import explanation_widget\n"
    "widget = explanation_widget(run.explanation(), run.model())\nwidget",
    "print('selected', widget.selected_rows, widget.selected.n_rows)",
]


@pytest.fixture
def lab(stored, tmp_path):
    """The address of a notebook in a JupyterLab of its own, on loopback."""
    for needed in ("jupyterlab", "anywidget", "ipykernel"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed here")
    folder, ids = stored
    sources = [cell.format(run=ids["binary"], store=str(folder)) for cell in _CELLS]
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": source, "metadata": {}, "outputs": [],
         "execution_count": None}
        for i, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "look.ipynb").write_text(json.dumps(book), "utf-8")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *_OPTIONS, f"--notebook-dir={tmp_path / 'work'}"],
        env={**os.environ, **{name: str(tmp_path / name) for name in _FOLDERS}},
        stdout=(tmp_path / "lab.log").open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        port = _port_of(server, tmp_path)
        yield f"http://127.0.0.1:{port}/lab/tree/look.ipynb?token={_TOKEN}"
    finally:
        server.terminate()
        server.wait()


def _port_of(server, folder):
    for _ in range(_PATIENCE * 10):
        assert server.poll() is None, (folder / "lab.log").read_text()
        for told in (folder / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"):
            return json.loads(told.read_text())["port"]
        time.sleep(0.1)
    raise AssertionError((folder / "lab.log").read_text())


@pytest.mark.slow
@pytest.mark.posix
def test_a_notebook_shows_a_run_and_python_reads_what_is_selected(lab, stored, browser):
    explanation = load_run(stored[1]["binary"], store=stored[0]).explanation()
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(_PATIENCE * 1000)
    problems = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(lab)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    _run(page, 0)
    shown = page.frame_locator(".jp-Notebook iframe").nth(0)
    shown.locator("html[data-ready]").wait_for(state="attached")
    assert shown.get_by_role("heading", name="What predicts y").count() == 1

    _run(page, 1)
    widget = page.frame_locator(".jp-Notebook iframe").nth(1)
    widget.locator("html[data-ready]").wait_for(state="attached")
    widget.locator(".cohort-pick select").select_option("error:wrong")
    wrong = np.flatnonzero(
        np.array(explanation.details["predicted"]) != np.array(explanation.details["y_true"])
    )
    _run(page, 2)
    page.get_by_text(f"selected {wrong.tolist()} {len(wrong)}").wait_for()
    context.close()
    assert problems == []


def _run(page, number):
    """Run a cell; JupyterLab drops what comes before its kernel is there."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    for _ in range(_PATIENCE):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)
        if cell.locator(".jp-InputPrompt").inner_text() != "[ ]:":
            return
    raise AssertionError(f"cell {number} does not run")

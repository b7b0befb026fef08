"""Every name of the table can be imported, and other names say what is near."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from pellucid.azureml.aliases import UnknownNameError
from pellucid.azureml.names import AZUREML, BESIDE

SOURCES = Path(__file__).parents[2] / "src"


def python(arguments, folder):
    """Run Python in a folder."""
    known = {**os.environ, "PYTHONPATH": str(SOURCES)}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=known, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("path", sorted(AZUREML))
def test_every_old_path_can_be_imported(path):
    module = import_module(f"pellucid.azureml.{path}")
    for name, home in AZUREML[path].items():
        assert getattr(module, name) is getattr(import_module(home), name)


def test_what_is_beside_it_is_there_too():
    for names in BESIDE.values():
        assert all(hasattr(import_module(home), name) for name, home in names.items())


def test_an_unknown_name_says_what_is_near():
    with pytest.raises(UnknownNameError, match=r"core\.Workspaces has no .*core\.\S*Workspace"):
        from pellucid.azureml.core import Workspaces  # noqa: F401
    with pytest.raises(UnknownNameError, match=r"interpret\.mimic_wraper.*MimicWrapper"):
        import pellucid.azureml.interpret.mimic_wraper  # noqa: F401


def test_plain_imports_are_left_alone_until_they_are_asked_for(tmp_path):
    code = (
        "import pellucid.azureml, importlib.util\n"
        "assert importlib.util.find_spec('azureml') is None\n"
        "pellucid.azureml.install()\n"
        "from azureml.core import Workspace\n"
        "from interpret.ext.glassbox import LGBMExplainableModel\n"
        "print(Workspace.__module__, LGBMExplainableModel.kind)\n"
    )
    out = python(["-c", code], tmp_path)
    assert out.stdout.split() == ["pellucid.azureml.workspace", "lightgbm"]


def test_a_real_sdk_is_not_hidden(tmp_path):
    (tmp_path / "azureml").mkdir()
    (tmp_path / "azureml/__init__.py").write_text("")
    (tmp_path / "script.py").write_text("from azureml.core import Workspace\nprint(Workspace())\n")
    refused, done = (
        python(["-m", "pellucid.azureml", *flags, "script.py"], tmp_path)
        for flags in ([], ["--override"])
    )
    assert refused.returncode == 2
    assert "azureml is installed" in refused.stderr
    assert "Workspace(name='local'" in done.stdout


def test_a_script_that_is_not_there(tmp_path):
    done = python(["-m", "pellucid.azureml", "none.py"], tmp_path)
    assert done.returncode == 2
    assert "there is no script none.py" in done.stderr


def test_a_notebook_loads_them_as_an_extension(tmp_path):
    pytest.importorskip("IPython", reason="needs IPython")
    cells = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'pellucid.azureml')\n"
        "done = shell.run_cell('from azureml.core import Workspace; print(Workspace.__module__)')\n"
        "done.raise_error()\n"
    )
    done = python(["-c", cells], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("pellucid.azureml.workspace")

"""Machine code is kept for the very sources that it was made of, and a warm service makes none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid.shapley
from pellucid.shapley.compiled import digest_of

HOME = Path(pellucid.shapley.__file__).parent
ROOT = Path(__file__).parents[2]
EXPLAIN = """
import sys
import numpy as np
from numba.core import config
from numba.core.dispatcher import Dispatcher
from sklearn.ensemble import RandomForestClassifier

from pellucid import shapley
from tests.shapley.models import KINDS, fit

before = config.CACHE_DIR


def explain(model, X, **options):
    for memory in (1, 3000, 2**28):  # leaves that are walked, a mixture, tables
        tables = shapley.compile(model, memory=memory, **options)
        tables.save("tables")
        for each in (tables, shapley.load("tables")):
            for rows in (X, X.astype(np.float32), np.asfortranarray(X), X[:1], X[:0]):
                each.values(rows)
                each.margins(rows)


for kind in KINDS:
    model, X = fit(kind, n_trees=8, n_leaves=40)
    explain(model, X, background=X[:70], players=[0, 1, 0, 2, 1, 2])
    if kind != "linear_tree":
        explain(model, X, n_jobs=2)
        shapley.interactions(model, X.astype(np.float32), background=X[:70])
Z = np.nan_to_num(X)
forest = RandomForestClassifier(5).fit(Z, Z[:, 5] % 3)  # compares in float32, three outputs
explain(forest, Z, background=Z[:9])

modules = [module for name, module in sys.modules.items() if name.startswith("pellucid.shapley.")]
kernels = {k for module in modules for k in vars(module).values() if isinstance(k, Dispatcher)}
hits = sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels)
misses = [k.py_func.__name__ for k in kernels if k.stats.cache_misses]
assert config.CACHE_DIR == before
print(len(kernels), hits, misses)
"""


def run(code, folder, cwd):
    """Run Python with its machine code kept in ``folder``."""
    paths = f"{HOME.parents[1]}{os.pathsep}{ROOT}"
    done = subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, cwd=cwd,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nb*")}


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder that had no machine code before `pellucid warmup`."""
    folder = tmp_path_factory.mktemp("cache")
    assert "kernels are ready" in run(["-m", "pellucid", "warmup"], folder, folder)
    return folder


def test_any_change_of_a_source_is_another_digest(tmp_path):
    copy = tmp_path / "shapley"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = digest_of(copy)
    assert before == digest_of(HOME)
    planning = copy / "planning.py"
    planning.write_text(planning.read_text().replace("==", "!=", 1))
    assert digest_of(copy) != before


def test_the_cache_lies_in_a_folder_of_the_digest(warm):
    assert [path.name for path in warm.iterdir()] == [f"numba-{digest_of(HOME)}"]
    assert list(warm.rglob("*.nbi"))


def test_after_warmup_nothing_is_compiled_whatever_the_model_and_rows(warm, tmp_path):
    before = contents(warm)
    n_kernels, hits, misses = run(["-c", EXPLAIN], warm, tmp_path).split(maxsplit=2)
    assert (int(n_kernels) > 10, int(hits) > 5, misses.strip()) == (True, True, "[]")
    assert contents(warm) == before

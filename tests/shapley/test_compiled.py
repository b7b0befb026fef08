"""Machine code is kept for the very sources that it was made of."""

import shutil
import subprocess
import sys
from pathlib import Path

import pellucid.shapley
from pellucid.shapley.compiled import digest_of

HOME = Path(pellucid.shapley.__file__).parent
SCRIPT = """
import numba.core.config as config
config.CACHE_DIR = {folder!r}
from pellucid import shapley
shapley.warmup()
from pellucid.shapley import kernels
assert config.CACHE_DIR == {folder!r}
print(sum(kernels.goes_left.stats.cache_misses.values()), kernels.split_block.stats.cache_path)
"""


def test_any_change_of_a_source_is_another_digest(tmp_path):
    copy = tmp_path / "shapley"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = digest_of(copy)
    assert before == digest_of(HOME)
    planning = copy / "planning.py"
    planning.write_text(planning.read_text().replace("==", "!=", 1))
    assert digest_of(copy) != before


def test_the_cache_lies_in_a_folder_of_the_digest_and_others_keep_theirs(tmp_path):
    folder = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(folder=folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"numba-{digest_of(HOME)}" in done.stdout
    assert list(tmp_path.rglob("*.nbi"))

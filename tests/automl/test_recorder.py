"""The store opens beside the search, in a thread that must not surprise it."""

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from pellucid.automl.recorder import Recorder
assert "polars" not in sys.modules
Recorder(sys.argv[1], name=None, params={}, when=lambda: False)
print(hasattr(sys.modules.get("polars"), "DataFrame"), flush=True)
os._exit(0)
"""


def test_polars_is_loaded_before_the_thread_that_would_load_it_beside_scikit_learn(tmp_path):
    pytest.importorskip("polars")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"

"""What tests share: the real data sets beside the repository, where they are present."""

import json
import sys
from pathlib import Path

import hypothesis
import pandas as pd
import pytest

# how long an example takes depends on what else the machine does
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

collect_ignore_glob = ["old_sdk/scripts/*"]  # whole scripts, which test_scripts.py runs
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def _read(name):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the shared data set {name} is not on this machine")
    card = json.loads((folder / "card.json").read_text())
    file = next(p for p in sorted(folder.iterdir()) if p.suffix in (".parquet", ".csv"))
    frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    return frame, card


def pytest_collection_modifyitems(items):
    """Leave out on Windows what needs signals, links or pipes of other systems."""
    for item in items:
        if sys.platform == "win32" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="signals, links or pipes of POSIX"))


@pytest.fixture(scope="session")
def shared_data():
    """Read a data set by its folder name: (frame, card)."""
    return _read

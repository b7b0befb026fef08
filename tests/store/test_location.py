"""Where a store is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.store.location import StoreError, locate

BOTH = {"MLFLOW_TRACKING_URI": "https://tracking.example", "PELLUCID_STORE": "/kept"}


def test_order_of_resolution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("/mine", environ=BOTH).folder == Path("/mine")
    assert locate(None, environ=BOTH).uri == "https://tracking.example"
    assert locate(None, environ={"PELLUCID_STORE": "/kept"}).folder == Path("/kept")
    assert locate(None, environ={}).folder == tmp_path / "pellucid-store"


@pytest.mark.parametrize(
    "uri", ["sqlite:///runs.db", "http://localhost:5000", "databricks", "azureml://x", "file:/x"]
)
def test_tracking_uris_are_left_to_mlflow(uri: str) -> None:
    location = locate(uri, environ={})
    assert (location.uri, location.folder, location.exists) == (uri, None, True)


def test_folders_that_cannot_be_stores(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is a file"):
        locate(tmp_path / "file")
    with pytest.raises(StoreError, match="characters"):
        locate(tmp_path / "50%")

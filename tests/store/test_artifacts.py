"""A folder of artefacts is read exactly as it was written, or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.automl.estimators import AutoMLClassifier
from pellucid.store.artifacts import (
    ArtifactError,
    load_files,
    load_predictor,
    save_files,
    save_predictor,
)

FILES = {"a.json": b'{"a": 1}', "members/0/model.txt": b"tree\n" * 50, "empty": b""}


def test_round_trip(tmp_path: Path) -> None:
    save_files(tmp_path / "deep" / "model", FILES)
    assert load_files(tmp_path / "deep" / "model") == FILES
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]


def test_predictor_comes_back_bit_for_bit(
    trained: AutoMLClassifier, people: Any, tmp_path: Path
) -> None:
    save_predictor(trained.predictor_, tmp_path / "model")
    back = load_predictor(tmp_path / "model")
    X, _ = people(50, seed=1)
    assert np.array_equal(back.margins(X), trained.predictor_.margins(X))
    assert back.predict(X).tolist() == trained.predict(X).tolist()
    assert np.array_equal(back.explain(X).values, trained.explain(X).values)
    assert back.to_files() == trained.predictor_.to_files()


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/x", "a//b", "", ".", "C:\\x", "..\\x", "c:x", "manifest.json"],
)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot name a file"):
        save_files(tmp_path / "m", {name: b""})
    assert list(tmp_path.iterdir()) == []


def test_every_damaged_byte_is_detected(tmp_path: Path) -> None:
    save_files(tmp_path / "m", FILES)
    for path in sorted(p for p in (tmp_path / "m").rglob("*") if p.is_file()):
        whole = path.read_bytes()
        step = 1 if path.name == "manifest.json" else 7
        for position in range(0, len(whole), step):
            damaged = bytearray(whole)
            damaged[position] ^= 0x01
            path.write_bytes(bytes(damaged))
            with pytest.raises(ArtifactError):
                load_files(tmp_path / "m")
        path.write_bytes(whole)
    assert load_files(tmp_path / "m") == FILES


def test_problems_are_named(tmp_path: Path) -> None:
    save_files(tmp_path / "m", FILES)
    (tmp_path / "m" / "empty").unlink()
    (tmp_path / "m" / "extra").write_bytes(b"x")
    (tmp_path / "m" / "members/0/model.txt").write_bytes(b"tree\n" * 49)
    with pytest.raises(ArtifactError) as caught:
        load_files(tmp_path / "m")
    for part in (
        "empty is missing",
        "extra is not in the manifest",
        "members/0/model.txt has 245 bytes instead of 250",
    ):
        assert part in str(caught.value)


@pytest.mark.posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    save_files(tmp_path / "m", FILES)
    (tmp_path / "outside").write_bytes(FILES["a.json"])
    (tmp_path / "m" / "a.json").unlink()
    (tmp_path / "m" / "a.json").symlink_to(tmp_path / "outside")
    with pytest.raises(ArtifactError, match=r"a\.json is a link"):
        load_files(tmp_path / "m")


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"format": 1, "files": {}}', b"\xff"])
def test_other_manifests_are_refused(manifest: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged"):
        load_files(tmp_path)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no readable manifest"):
        load_files(tmp_path / "nowhere")
    save_files(tmp_path / "m", FILES)
    with pytest.raises(ArtifactError, match="not a model"):
        load_predictor(tmp_path / "m")


def test_a_folder_in_use_is_kept(tmp_path: Path) -> None:
    save_files(tmp_path / "m", FILES)
    with pytest.raises(ArtifactError, match="already holds files"):
        save_files(tmp_path / "m", {"b": b""})
    assert load_files(tmp_path / "m") == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_damage_is_found_before_anything_is_parsed(
    trained: AutoMLClassifier, tmp_path: Path
) -> None:
    files: dict[str, Any] = trained.predictor_.to_files()
    save_files(tmp_path / "m", files)
    facts = json.loads(files["predictor.json"])
    (tmp_path / "m" / "predictor.json").write_text(json.dumps({**facts, "target": "other"}))
    with pytest.raises(ArtifactError, match=r"predictor\.json"):
        load_predictor(tmp_path / "m")


_WRITE_FOREVER = """
import sys
from pellucid.store.artifacts import save_files
print("ready", flush=True)
for i in range(100_000):
    save_files(f"{sys.argv[1]}/{i}", {f"{j}": bytes(100_000) for j in range(20)})
"""


@pytest.mark.posix
def test_a_killed_writer_leaves_whole_folders(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE_FOREVER, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    while not (tmp_path / "1").exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    folders = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert len(folders) >= 2
    for folder in folders:
        assert len(load_files(folder)) == 20

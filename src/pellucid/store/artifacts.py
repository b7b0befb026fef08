"""Named files as a folder with a manifest: written all at once, checked before they are parsed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pellucid.errors import UNREADABLE, PellucidError

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"  # beside it, of those who sign; see `signing`
_OWN = (MANIFEST, SIGNATURE)
_VERSION = 1
_LARGEST_MANIFEST = 64 * 2**20  # bytes


class ArtifactError(PellucidError):
    """A folder of artefacts is missing, damaged, unsafe, or cannot be written."""


def save_files(folder: str | Path, files: Mapping[str, bytes]) -> None:
    """Write files and their manifest to a new folder; it appears whole or not at all.

    Parameters
    ----------
    folder : str or Path
        Must not exist yet, or be empty; its parents are made.
    files : mapping
        Relative name, with "/" between folders -> content.

    Raises
    ------
    ArtifactError
        For a name that leads out of the folder, a folder that holds something, or a full disk.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     save_files(home + "/model", {"a.json": b"{}", "members/0/b.txt": b"tree"})
    ...     load_files(home + "/model")
    {'a.json': b'{}', 'members/0/b.txt': b'tree'}
    """
    folder = Path(folder).absolute()
    for name in files:
        _check_name(name, folder)
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        scratch.mkdir(parents=True)
        for name, data in {**files, MANIFEST: manifest_of(files)}.items():
            path = scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            folder.rmdir()  # one that is empty, whose place Windows would not give
        os.rename(scratch, folder)
    except OSError as error:
        if folder.is_dir() and any(folder.iterdir()):
            raise ArtifactError(
                f"{folder} already holds files; name a folder that does not exist yet"
            ) from error
        raise ArtifactError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def load_files(folder: str | Path, *, trust: str | Path | None = None) -> dict[str, bytes]:
    """Read what `save_files` wrote, once every byte is known to be as it was written.

    Parameters
    ----------
    folder : str or Path
    trust : str or Path, optional
        File of public keys; what none of them signed is then refused.

    Raises
    ------
    SignatureError
        If keys were given and none of them signed the folder.
    ArtifactError
        If a file is missing, changed, not in the manifest, or a link; each is named.
    """
    folder = Path(folder)
    expected = _read_manifest(folder, trust)
    present = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.name != SIGNATURE
    }
    present.pop(MANIFEST, None)
    problems = [f"{name} is missing" for name in expected if name not in present]
    problems += [f"{name} is not in the manifest" for name in present if name not in expected]
    files: dict[str, bytes] = {}
    for name, facts in expected.items():
        if name not in present:
            continue
        if present[name].is_symlink():
            problems.append(f"{name} is a link, not a file")
            continue
        found = present[name].stat()
        if not stat.S_ISREG(found.st_mode):
            problems.append(f"{name} is no file")
            continue
        if found.st_size != facts["size"]:  # told before any byte is read
            problems.append(f"{name} has {found.st_size} bytes instead of {facts['size']}")
            continue
        data = present[name].read_bytes()
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            problems.append(f"{name} does not match its SHA-256")
        files[name] = data
    if problems:
        shown = "; ".join(problems[:5]) + (f"; {len(problems) - 5} more" * (len(problems) > 5))
        raise ArtifactError(f"{folder} is damaged: {shown}. Copy it again, or train again")
    return files


def save_predictor(predictor: Predictor, folder: str | Path) -> None:
    """Write a predictor to a new folder; raises an `ArtifactError` as `save_files` does."""
    save_files(folder, predictor.to_files())


def load_predictor(folder: str | Path, *, trust: str | Path | None = None) -> Predictor:
    """Read what `save_predictor` wrote.

    Raises
    ------
    SignatureError
        If public keys are given as ``trust`` and none of them signed the folder.
    ArtifactError
        If the folder is damaged, or its content is not a predictor that this version reads.
    """
    from pellucid.explain.forecast import read_predictor
    from pellucid.explain.soundness import check_sound

    files = load_files(folder, trust=trust)
    try:
        predictor = read_predictor(files)
        check_sound(predictor)
        return predictor
    except UNREADABLE as error:
        raise ArtifactError(
            f"{folder} is intact but is not a model that pellucid {version('pellucid')} reads "
            f"({type(error).__name__}: {error}); use the version named in its {MANIFEST}"
        ) from error


def _check_name(name: str, folder: Path) -> None:
    parts = name.split("/")
    unsafe = any(part in ("", ".", "..") for part in parts) or "\\" in name or ":" in name
    if unsafe or "\0" in name or PurePosixPath(name).is_absolute() or name in _OWN:
        raise ArtifactError(
            f"{name!r} cannot name a file in {folder}; names are relative, inside the folder, and "
            f"neither {MANIFEST} nor {SIGNATURE}"
        )


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The manifest that `load_files` asks for, of files that are written by other means."""
    facts = {
        "format": _VERSION,
        "pellucid": version("pellucid"),
        "files": {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        },
    }
    return _sealed(facts)


def _is_entry(entry: Any) -> bool:
    """Whether an entry of a manifest has a size and a digest."""
    return isinstance(entry["size"], int) and isinstance(entry["sha256"], str)


def _sealed(facts: dict[str, Any]) -> bytes:
    """A manifest with a digest of itself, in the one way to write it."""
    body = json.dumps(facts, indent=1)
    seal = hashlib.sha256(body.encode()).hexdigest()
    return json.dumps({**facts, "seal": seal}, indent=1).encode()


def _read_manifest(folder: Path, trust: str | Path | None) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ArtifactError(f"{path} is a link or no file; expected one that pellucid wrote")
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ArtifactError(f"{path} is larger than a manifest is; copy the folder again")
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{folder} has no readable {MANIFEST} ({error.strerror or error}); expected a folder "
            f"that pellucid wrote"
        ) from error
    if trust is not None:
        from pellucid.store.signing import check_signature

        check_signature(folder, data, trust)
    try:
        facts = json.loads(data)
        facts.pop("seal")
        intact = _sealed(facts) == data and all(map(_is_entry, facts["files"].values()))
        intact = intact and isinstance(facts["format"], int) and "pellucid" in facts
    except UNREADABLE:
        intact = False
    if not intact:
        raise ArtifactError(f"{folder / MANIFEST} is damaged; copy the folder again")
    if facts["format"] > _VERSION:
        raise ArtifactError(
            f"{folder} was written by pellucid {facts['pellucid']} in a newer format; "
            f"upgrade pellucid to read it"
        )
    for name in facts["files"]:
        _check_name(name, folder)
    return dict(facts["files"])

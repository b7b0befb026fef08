"""Who wrote a folder of artefacts: a signature of its manifest, held to keys that are trusted.

The manifest has the SHA-256 of every other file, so its signature stands for them all. It is
Ed25519 (RFC 8032), in a file beside the manifest; keys are PEM files, as openssl makes them.
Signing takes the private key, checking the public one, so whoever checks cannot sign.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pellucid.errors import UNREADABLE, PellucidError
from pellucid.store.artifacts import MANIFEST, SIGNATURE, load_files
from pellucid.store.registry import Registry
from pellucid.store.runs import Store

_VERSION = 1
_PURPOSE = b"pellucid manifest\n"  # so that a signature of something else is none of a manifest
_LARGEST = 65_536  # bytes of a signature, or of a file of keys
_PUBLIC = re.compile(b"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class SignatureError(PellucidError):
    """A key cannot be used, or a folder is not signed by one that is trusted."""


def sign(target: str | Path, key: str | Path, *, store: str | Path | None = None) -> list[Path]:
    """Sign what a run, a registered model or a folder holds.

    Parameters
    ----------
    target : str or Path
        A folder of artefacts or one that holds some, a run, or a model such as "bank@champion".
    key : str or Path
        Private Ed25519 key, PEM without a password:
        ``openssl genpkey -algorithm ed25519 -out key.pem``.
    store : str, Path or None
        As for `pellucid.load_run`.

    Returns
    -------
    list of Path
        The folders that were signed, each intact when it was.

    Raises
    ------
    SignatureError
        A key that cannot be used, or nothing to sign.
    ArtifactError
        A folder that is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> from cryptography.hazmat.primitives import serialization as pem
    >>> from pellucid.store.artifacts import save_files
    >>> home, own = Path(tempfile.mkdtemp()), Ed25519PrivateKey.generate()
    >>> text = own.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    >>> _ = (home / "key.pem").write_bytes(text)
    >>> told = own.public_key().public_bytes(
    ...     pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    >>> _ = (home / "trusted.pem").write_bytes(told)
    >>> save_files(home / "model", {"a.json": b"{}"})
    >>> [folder.name for folder in sign(home / "model", home / "key.pem")]
    ['model']
    >>> load_files(home / "model", trust=home / "trusted.pem")
    {'a.json': b'{}'}
    """
    from pellucid.files import write_file

    private = _private_key(Path(key))
    name = _fingerprint(private.public_key())
    folders = signed_folders(target, store=store)
    for folder in folders:
        load_files(folder)
        seal = private.sign(_PURPOSE + (folder / MANIFEST).read_bytes())
        facts = {"format": _VERSION, "key": name, "ed25519": base64.b64encode(seal).decode()}
        write_file(folder / SIGNATURE, json.dumps(facts).encode())
    return folders


def verify_signature(
    target: str | Path, trust: str | Path, *, store: str | Path | None = None
) -> dict[Path, str]:
    """Hold all that a run, a registered model or a folder holds to trusted keys and to its digests.

    Parameters
    ----------
    target, store : see `sign`
    trust : str or Path
        One or more public keys, PEM: ``openssl pkey -in key.pem -pubout -out trusted.pem``.

    Returns
    -------
    dict
        Each folder, and the fingerprint of the key that signed it.

    Raises
    ------
    SignatureError
        The first folder that is not signed by one of the keys.
    ArtifactError
        A folder that is damaged.
    """
    found = {}
    for folder in signed_folders(target, store=store):
        load_files(folder, trust=trust)
        found[folder] = check_signature(folder, (folder / MANIFEST).read_bytes(), trust)
    return found


def check_signature(folder: Path, manifest: bytes, trust: str | Path) -> str:
    """The fingerprint of the trusted key that signed these bytes of the folder's manifest.

    Raises
    ------
    SignatureError
        No signature, one by another key, or one of other bytes.
    """
    keys = _public_keys(Path(trust))
    from cryptography.exceptions import InvalidSignature

    path = folder / SIGNATURE
    try:
        facts = json.loads(_read(path))
        version, name = facts["format"], str(facts["key"])
        seal = base64.b64decode(facts["ed25519"], validate=True)
    except FileNotFoundError as error:
        raise SignatureError(
            f"{folder} is not signed, and only what a key of {trust} signed is trusted here; have "
            f"it signed with pellucid sign, or give no trust"
        ) from error
    except UNREADABLE as error:
        raise SignatureError(f"{path} is no signature: {error}") from error
    if version != _VERSION:
        raise SignatureError(f"{path} has format {version}; expected {_VERSION}: upgrade pellucid")
    if name not in keys:
        raise SignatureError(
            f"{folder} is signed by the key {name}, and {trust} trusts {', '.join(keys)}"
        )
    try:
        keys[name].verify(seal, _PURPOSE + manifest)
    except InvalidSignature as error:
        raise SignatureError(
            f"the signature of {folder} is not of what it holds: it was changed after it was signed"
        ) from error
    return name


def signed_folders(target: str | Path, *, store: str | Path | None = None) -> list[Path]:
    """Folders of artefacts at or below a folder, or of a run, or of a registered model."""
    home = Path(target)
    if not home.is_dir():
        home = _stored(str(target), Store(store))
    found = [path.parent for path in sorted(home.rglob(MANIFEST))]
    if not found:
        raise SignatureError(f"{home} holds no {MANIFEST}; name a folder that pellucid wrote")
    return found


def _stored(target: str, store: Store) -> Path:
    home = store.location.folder
    if home is None:
        raise SignatureError(
            f"what is on the server {store.location} cannot be signed there; download it, sign the "
            f"folder and upload {SIGNATURE}"
        )
    if "@" in target or "/" in target:
        version = Registry(store).get(target)
        with store.files(version.run_id, version.folder) as folder:
            return folder
    return home / "artifacts" / store.load(target).id / "artifacts"


def _private_key(path: Path) -> Any:
    ed25519, serialization = _library()
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except FileNotFoundError as error:
        raise SignatureError(f"there is no key file {path}") from error
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise SignatureError(
            f"{path} holds no private key that can be read without a password: {error}"
        ) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SignatureError(
            f"the key in {path} is of another kind; expected one that openssl genpkey -algorithm "
            f"ed25519 makes"
        )
    return key


def _public_keys(path: Path) -> dict[str, Any]:
    """Keys of a file by fingerprint."""
    ed25519, serialization = _library()
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        keys = [serialization.load_pem_public_key(text) for text in _PUBLIC.findall(_read(path))]
    except FileNotFoundError as error:
        raise SignatureError(f"there is no file of trusted keys {path}") from error
    except (*UNREADABLE, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{path} holds a key that cannot be read: {error}") from error
    if not keys or not all(isinstance(key, ed25519.Ed25519PublicKey) for key in keys):
        raise SignatureError(
            f"{path} must hold public Ed25519 keys, PEM, as openssl pkey -in key.pem -pubout writes"
        )
    return {_fingerprint(key): key for key in keys}


def _fingerprint(key: Any) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _read(path: Path) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} bytes")
    return data


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise SignatureError(
            "signatures need the package cryptography: pip install 'pellucid[sign]'"
        ) from error
    return ed25519, serialization

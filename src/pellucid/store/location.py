"""Where runs are kept: a folder of our own, or any MLflow tracking server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pellucid.errors import PellucidError

DEFAULT_FOLDER = "pellucid-store"
_DATABASE = "mlflow.db"
_SERVERS = ("databricks", "databricks-uc", "uc")  # tracking URIs that have no "://"


class StoreError(PellucidError):
    """A store cannot be opened, read or written."""


@dataclass(frozen=True)
class Location:
    """A store's place.

    Attributes
    ----------
    uri : str
        MLflow tracking URI.
    folder : Path or None
        The folder of an embedded store: a database and the artefacts. None for other servers.
    """

    uri: str
    folder: Path | None = None

    @property
    def database(self) -> Path | None:
        """The embedded store's database."""
        return None if self.folder is None else self.folder / _DATABASE

    @property
    def exists(self) -> bool:
        """Whether there is something to read; a server is taken to exist."""
        return self.database is None or self.database.is_file()

    def __str__(self) -> str:
        return self.uri if self.folder is None else str(self.folder)


def locate(store: str | Path | None, *, environ: Mapping[str, str] | None = None) -> Location:
    """Find the store: the argument, else MLFLOW_TRACKING_URI, PELLUCID_STORE, ./pellucid-store.

    Parameters
    ----------
    store : str, Path or None
        A folder, or an MLflow tracking URI such as ``https://host`` or ``sqlite:///runs.db``.
    environ : mapping, optional
        Environment variables; those of the process by default.

    Raises
    ------
    StoreError
        For a folder that is a file, or whose name a database URL cannot hold.

    Examples
    --------
    >>> locate("https://tracking.example", environ={}).folder is None
    True
    >>> locate(None, environ={"PELLUCID_STORE": "/data/runs"}).uri
    'sqlite:///...data/runs/mlflow.db'
    """
    environ = os.environ if environ is None else environ
    if store is None and environ.get("MLFLOW_TRACKING_URI"):
        return Location(environ["MLFLOW_TRACKING_URI"])
    store = store or environ.get("PELLUCID_STORE") or DEFAULT_FOLDER
    if isinstance(store, str) and ("://" in store or store in _SERVERS or ":/" in store[2:]):
        return Location(store)
    folder = Path(store).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"the store {folder} is a file; name a folder or an MLflow tracking URI")
    if any(char in str(folder) for char in "?#%"):
        raise StoreError(
            f"the store's folder {folder} has one of the characters ? # % in its name, which a "
            f"database URL cannot hold; choose another folder"
        )
    return Location(f"sqlite:///{(folder / _DATABASE).as_posix()}", folder)

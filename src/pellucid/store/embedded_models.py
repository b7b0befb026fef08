"""The registered models of an embedded store, read without loading MLflow (seconds)."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from pellucid.store.location import StoreError

_PATIENCE = 20.0  # seconds to wait for another process's transaction


def read_versions(folder: Path) -> list[dict[str, Any]]:
    """Every version of every model, as `ModelVersion` takes it but for its store.

    Raises
    ------
    StoreError
        If the database is damaged.
    """
    database = folder / "mlflow.db"
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection:
            versions = connection.execute(
                "SELECT name, version, run_id, creation_time, description, source "
                "FROM model_versions WHERE current_stage IS NOT 'Deleted_Internal'"
            ).fetchall()
            tags, aliases = _tags(connection), _aliases(connection)
    except sqlite3.Error as error:
        raise StoreError(f"the store's database {database} cannot be read: {error}") from error
    return [
        {
            "name": name,
            "version": version,
            "run_id": run_id or "",
            "created": datetime.fromtimestamp((created or 0) / 1000).astimezone(),
            "aliases": tuple(sorted(aliases.get((name, version), ()))),
            "tags": tags.get((name, version), {}),
            "description": description or "",
            "source": source or "",
        }
        for name, version, run_id, created, description, source in versions
    ]


def _tags(connection: sqlite3.Connection) -> dict[tuple[str, int], dict[str, str]]:
    found: dict[tuple[str, int], dict[str, str]] = {}
    rows = connection.execute("SELECT name, version, key, value FROM model_version_tags")
    for name, version, key, value in rows:
        found.setdefault((name, version), {})[key] = value
    return found


def _aliases(connection: sqlite3.Connection) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    rows = connection.execute("SELECT name, version, alias FROM registered_model_aliases")
    for name, version, alias in rows:
        found.setdefault((name, version), []).append(alias)
    return found

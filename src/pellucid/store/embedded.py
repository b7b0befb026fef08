"""The embedded store's database: put in place whole, in milliseconds, from a prepared template.

MLflow makes an empty database by some dozens of migrations, which takes seconds and leaves half a
database if it is killed. The migrated database is therefore made once per MLflow version, kept in
the user's cache folder, and copied.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pellucid.files import scratch_folder, write_file
from pellucid.store.location import StoreError
from pellucid.store.tracking import EXPERIMENT, KIND, TRAINING, Record, connect

_PATIENCE = 20.0  # seconds to wait for another process's transaction


def artifacts_uri(folder: Path) -> str:
    """Where MLflow looks for an embedded store's artefacts."""
    return (folder / "artifacts").as_uri()


def prepare(folder: Path) -> None:
    """Make the embedded store in ``folder`` ready to be written to.

    Several processes may do so at once; whichever is first puts its database in place. A store
    that was moved is told where it is now.

    Raises
    ------
    StoreError
        If the folder cannot be written to, or its database is damaged.
    """
    database = folder / "mlflow.db"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not database.exists():
            _place(_template(), database)
        _settle(database, folder)
    except OSError as error:
        raise StoreError(f"cannot write the store {folder}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise StoreError(
            f"the store's database {database} cannot be used: {error}; if it is damaged, move it "
            f"away or choose another store"
        ) from error


def _place(content: bytes, database: Path) -> None:
    """Write the database under its name, unless another process just did."""
    scratch = database.with_name(f".{database.name}.{secrets.token_hex(4)}.tmp")
    try:
        with scratch.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, database)  # unlike a rename, never replaces a database in use
        except FileExistsError:
            return
        except OSError:  # a file system without links
            if not database.exists():
                os.replace(scratch, database)
    finally:
        scratch.unlink(missing_ok=True)


def _settle(database: Path, folder: Path) -> None:
    """Point MLflow's paths at the folder as it is now named."""
    here = artifacts_uri(folder)
    with contextlib.closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection:
        moved = connection.execute(
            "SELECT count(*) FROM experiments WHERE name = ? AND artifact_location != ?",
            (EXPERIMENT, here),
        ).fetchone()[0]
        if not moved:
            return
        with connection:
            connection.execute(
                "UPDATE experiments SET artifact_location = ? WHERE name IN (?, 'Default')",
                (here, EXPERIMENT),
            )
            connection.execute(
                "UPDATE runs SET artifact_uri = ? || '/' || run_uuid || '/artifacts'", (here,)
            )


def read_records(folder: Path) -> list[Record]:
    """The trainings in an embedded store, newest first, without loading MLflow (seconds).

    Raises
    ------
    sqlite3.Error
        If the database is damaged, or MLflow lays it out anew; MLflow itself may read it then.
    """
    database = folder / "mlflow.db"
    with contextlib.closing(sqlite3.connect(database, timeout=_PATIENCE)) as connection:
        runs = connection.execute(
            "SELECT run_uuid, name, status, start_time, end_time FROM runs JOIN tags "
            "USING (run_uuid) WHERE key = ? AND value = ? AND lifecycle_stage = 'active' "
            "ORDER BY start_time DESC, run_uuid",
            (KIND, TRAINING),
        ).fetchall()
        details: dict[str, dict[str, dict[str, Any]]] = {}
        for table in ("params", "tags", "latest_metrics"):
            rows = connection.execute(
                f"SELECT run_uuid, {table}.key, {table}.value "  # nosec B608: of these three names
                f"FROM {table} JOIN tags AS kind "
                f"USING (run_uuid) WHERE kind.key = ? AND kind.value = ?",
                (KIND, TRAINING),
            )
            for run, key, value in rows:
                details.setdefault(run, {}).setdefault(table, {})[key] = value
    records = []
    for run, name, status, started, ended in runs:
        found = details.get(run, {})
        records.append(
            Record(
                id=run,
                name=name or "",
                status=status,
                started_ms=started or 0,
                ended_ms=ended,
                params=found.get("params", {}),
                metrics=found.get("latest_metrics", {}),
                tags=found.get("tags", {}),
            )
        )
    return records


def _template() -> bytes:
    """A migrated, empty database, from the cache or made now."""
    home = _cache_folder()
    if home is None:
        return _migrate()
    cached = home / f"mlflow-{version('mlflow-skinny')}.db"
    with contextlib.suppress(OSError):
        content = cached.read_bytes()
        if _is_database(cached):
            return content
    content = _migrate()
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no more
        home.mkdir(parents=True, exist_ok=True)
        write_file(cached, content)
    return content


def _is_database(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path.as_uri() + "?mode=ro", uri=True)) as found:
            (state,) = found.execute("PRAGMA quick_check").fetchone()
            n_runs = found.execute("SELECT count(*) FROM experiments").fetchone()
    except sqlite3.Error:
        return False
    return bool(state == "ok" and n_runs)


def _migrate() -> bytes:
    with scratch_folder() as home:
        path = home / "mlflow.db"
        connect(f"sqlite:///{path.as_posix()}").create_experiment(EXPERIMENT)
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            # no name of this machine; _settle fills the true place in
            connection.execute("UPDATE experiments SET artifact_location = ''")
        return path.read_bytes()


def _cache_folder() -> Path | None:
    """The user's cache folder, or None for a user who has no home."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "pellucid"
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "pellucid"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "pellucid"

"""Runs in an embedded store's database, written as MLflow's client writes them, without loading it.

Loading it takes seconds of processor time, which a short training has not. A test holds each row to
what the client writes; a database that is laid out otherwise than known here is left to the client.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from pellucid.store.tracking import EXPERIMENT, Record

_PATIENCE = 20.0  # seconds to wait for another process's transaction
_LAYOUT = {
    "runs": (
        "run_uuid name source_type source_name entry_point_name user_id status start_time end_time "
        "source_version lifecycle_stage artifact_uri experiment_id deleted_time"
    ),
    "tags": "key value run_uuid",
    "params": "key value run_uuid",
    "metrics": "key value timestamp run_uuid step is_nan",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
}
_CALM = "amber brisk calm clear early fair fresh glad keen kind light mild neat quiet still warm"
_BIRDS = "crane dove finch heron ibis jay kite lark owl plover rail robin swift tern wren stork"


class EmbeddedRuns:
    """The runs of an embedded store; every call is one transaction.

    Parameters
    ----------
    database : Path
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    @property
    def is_known(self) -> bool:
        """Whether the database is laid out as it is written here."""
        try:
            with self._opened() as connection:
                for table, columns in _LAYOUT.items():
                    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
                    if {name for (name,) in found} != set(columns.split()):
                        return False
                return _experiment(connection) is not None
        except sqlite3.Error:
            return False

    def create(self, *, name: str | None, tags: Mapping[str, str], started_ms: int) -> Record:
        """Start a run; without a name one is made up."""
        run = uuid.uuid4().hex
        name = name or _made_up()
        labels = {**tags, "mlflow.runName": name}
        with self._opened() as connection:
            experiment = _experiment(connection)
            if experiment is None:
                raise sqlite3.DatabaseError(f"there is no experiment {EXPERIMENT} any more")
            number, home = experiment
            connection.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, "
                "user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, "
                "experiment_id) VALUES "
                "(?, ?, 'UNKNOWN', '', '', 'unknown', 'RUNNING', ?, '', 'active', ?, ?)",
                (run, name, started_ms, f"{home}/{run}/artifacts", number),
            )
            _tag(connection, run, labels)
        return Record(run, name, "RUNNING", started_ms, tags=labels)

    def log(
        self,
        run: str,
        *,
        metrics: Mapping[str, float],
        params: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        """Add metrics that are numbers, parameters and tags to a run."""
        now = int(time.time() * 1000)
        scores = [(name, value, now, run) for name, value in metrics.items()]
        with self._opened() as connection:
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(name, value, run) for name, value in params.items()],
            )
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
                "VALUES (?, ?, ?, ?, 0, 0)",
                scores,
            )
            connection.executemany(
                "INSERT OR REPLACE INTO latest_metrics (key, value, timestamp, run_uuid, step, "
                "is_nan) VALUES (?, ?, ?, ?, 0, 0)",
                scores,
            )
            _tag(connection, run, tags)

    def end(self, run: str, status: str) -> None:
        """Set the final status: FINISHED, FAILED or KILLED."""
        with self._opened() as connection:
            ended = connection.execute(
                "UPDATE runs SET status = ?, end_time = ? "
                "WHERE run_uuid = ? AND lifecycle_stage = 'active'",
                (status, int(time.time() * 1000), run),
            )
            if ended.rowcount != 1:
                raise sqlite3.DatabaseError(f"the run {run} was deleted while it was written")

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        # a database that is gone must not be made anew, empty
        address = f"{self._database.as_uri()}?mode=rw"
        with contextlib.closing(
            sqlite3.connect(address, uri=True, timeout=_PATIENCE)
        ) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection


def _experiment(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Number of the experiment, and where its artefacts are."""
    found: tuple[int, str] | None = connection.execute(
        "SELECT experiment_id, artifact_location FROM experiments "
        "WHERE name = ? AND lifecycle_stage = 'active'",
        (EXPERIMENT,),
    ).fetchone()
    return found


def _tag(connection: sqlite3.Connection, run: str, tags: Mapping[str, str]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
        [(name, value, run) for name, value in tags.items()],
    )


def _made_up() -> str:
    """A name that is easily remembered, whatever seeds are set."""
    own = random.SystemRandom()
    return f"{own.choice(_CALM.split())}-{own.choice(_BIRDS.split())}-{own.randrange(1000)}"

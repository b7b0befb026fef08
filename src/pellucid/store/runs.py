"""The store of runs: begin one, list them, load one with its model and its explanations."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.store.location import Location, StoreError, locate
from pellucid.store.process import is_gone
from pellucid.store.run import Run, RunError
from pellucid.store.tracking import Record, Tracking
from pellucid.store.writer import PROCESS, REASON, TRIALS, RunWriter


class Store:
    """Where runs are kept; opening it costs nothing until it is used.

    Parameters
    ----------
    uri : str, Path or None
        A folder, or any MLflow tracking URI. None means what MLFLOW_TRACKING_URI says, else the
        folder that PELLUCID_STORE says, else ``./pellucid-store``.
    trust : str, Path or None
        File of public keys; models, results and trials that none of them signed are then refused.

    Examples
    --------
    >>> Store("/data/runs").location.uri
    'sqlite:///...data/runs/mlflow.db'
    """

    def __init__(self, uri: str | Path | None = None, *, trust: str | Path | None = None) -> None:
        self.location: Location = locate(uri)
        self.trust = trust
        self.tracking = Tracking(self.location)

    def begin(self, *, name: str | None, params: Mapping[str, Any]) -> RunWriter:
        """Start a run, which is RUNNING until its writer finishes or fails it.

        Parameters
        ----------
        name : str or None
            What the run is called; None for a name that is made up.
        params : mapping
            What the training was asked for.

        Raises
        ------
        StoreError
            If the store cannot be reached or written to.
        """
        if self.location.folder is not None:
            from pellucid.store.embedded import prepare

            prepare(self.location.folder)
        return RunWriter(self, name=name, params=params)

    def records(self) -> list[Record]:
        """All trainings, newest first."""
        if not self.location.exists:
            return []
        if self.location.folder is not None:
            from pellucid.store.embedded import read_records

            with contextlib.suppress(sqlite3.OperationalError):  # laid out anew: ask MLflow
                try:
                    return read_records(self.location.folder)
                except sqlite3.DatabaseError as error:
                    if isinstance(error, sqlite3.OperationalError):
                        raise
                    raise StoreError(
                        f"the store's database {self.location.database} cannot be read: {error}"
                    ) from error
        return self.tracking.records()

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return [_run_of(record, self) for record in self.records()]

    def load(self, run: str) -> Run:
        """The run of an id, of the start of one, or ``"latest"``; see `load_run`."""
        records = self.records()
        if not records:
            raise RunError(f"the store {self.location} holds no runs yet; train a model first")
        if run == "latest":
            finished = [record for record in records if record.status == "FINISHED"]
            if not finished:
                raise RunError(
                    f"the store {self.location} has {len(records)} runs, none of them finished"
                )
            return _run_of(finished[0], self)
        matches = [record for record in records if run and record.id.startswith(run)]
        if len(matches) == 1:
            return _run_of(matches[0], self)
        kind = "several runs start" if matches else "there is no run that starts"
        shown = matches or records
        lines = [f"  {r.id}  {r.status.lower():8}  {r.name}" for r in shown[:10]]
        if len(shown) > 10:
            lines.append(f"  and {len(shown) - 10} more")
        raise RunError(
            f"{kind} with {run!r} in the store {self.location}; choose one of\n" + "\n".join(lines)
        )

    def trial_iterations(self, run: str) -> list[int]:
        """Iterations of the trials that a run has kept, ascending."""
        return self.numbered(run, TRIALS)

    def numbered(self, run: str, name: str) -> list[int]:
        """Numbers that are names in a folder of a run's artefacts, ascending."""
        if self.location.folder is None:
            names = self.tracking.list_folder(run, name)
        else:
            home = self.location.folder / "artifacts" / run / "artifacts" / name
            names = [path.name for path in home.iterdir()] if home.is_dir() else []
        return sorted(int(name) for name in names if name.isdigit())

    @contextlib.contextmanager
    def files(self, run: str, name: str) -> Iterator[Path]:
        """One folder of a run's artefacts, as a local folder for the time of a with block."""
        if self.location.folder is not None:
            yield self.location.folder / "artifacts" / run / "artifacts" / name
        else:
            with self.tracking.download(run, name) as folder:
                yield folder


def load_run(run: str, *, store: str | Path | None = None, trust: str | Path | None = None) -> Run:
    """Load a stored run, in any process, without recomputing anything.

    Parameters
    ----------
    run : str
        Its id, the start of its id, or ``"latest"`` for the newest finished one.
    store : str, Path or None
        As for `Store`.
    trust : str or Path, optional
        File of public keys, PEM. What is then read of the run (its training, its explanation, its
        models) must be signed by one of them (`pellucid sign`), else it raises a SignatureError.

    Raises
    ------
    RunError
        If there is no such run, or more than one; the message lists what there is.
    """
    return Store(store, trust=trust).load(run)


def list_runs(*, store: str | Path | None = None) -> pd.DataFrame:
    """The runs of a store, newest first.

    Returns
    -------
    DataFrame
        Columns id, name, status, started, task, target, metric, score (cross-validated, of the
        primary metric), test_score, seconds and reason.

    Examples
    --------
    >>> list_runs(store="/no/such/folder").shape
    (0, 11)
    """
    rows = []
    for run in Store(store).runs():
        metric = run.params.get("primary_metric", "")
        rows.append(
            (
                run.id,
                run.name,
                run.status,
                run.started,
                run.params.get("task", ""),
                run.params.get("target", ""),
                metric,
                run.metrics.get(metric, float("nan")),
                run.metrics.get(f"test.{metric}", float("nan")),
                run.metrics.get("seconds", float("nan")),
                run.reason,
            )
        )
    columns = ["id", "name", "status", "started", "task", "target", "metric", "score"]
    return pd.DataFrame(rows, columns=[*columns, "test_score", "seconds", "reason"])


def _run_of(record: Record, store: Store) -> Run:
    """A run of what the tracking server says of it."""
    status, reason = record.status, record.tags.get(REASON, "")
    if status == "RUNNING" and is_gone(record.tags.get(PROCESS, "")):
        status, reason = "KILLED", "its process ended before it was done"
    ended = record.ended_ms
    return Run(
        id=record.id,
        name=record.name,
        status=status,
        reason=reason,
        started=datetime.fromtimestamp(record.started_ms / 1000).astimezone(),
        ended=None if ended is None else datetime.fromtimestamp(ended / 1000).astimezone(),
        params=record.params,
        metrics=record.metrics,
        tags=record.tags,
        store=store,
    )

"""Writing one run: trials as they come, results all at once, the status last."""

from __future__ import annotations

import json
import math
import tempfile
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.errors import PellucidWarning
from pellucid.store.artifacts import save_files
from pellucid.store.location import StoreError
from pellucid.store.process import own_token
from pellucid.store.tracking import KIND, PARENT, TRAINING, TRIAL

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.explain.predictor import Predictor
    from pellucid.search.trials import TrialRecord
    from pellucid.store.run import Run
    from pellucid.store.runs import Store
    from pellucid.store.tracking import Tracking

MODEL, RESULTS, TRIALS = "model", "results", "trials"  # the folders of a run's artefacts
TRAINING_FILE, EXPLANATION_FILE = "training.json", "explanation.zip"
CARD_FILES = ("card.md", "card.html")
PROCESS, REASON = "pellucid.process", "pellucid.reason"

_TRIAL_STATUS = {"completed": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


class RunWriter:
    """A run being written; made by `Store.begin`.

    Trials are written by a thread of the writer's own, so that logging one costs nothing.

    Attributes
    ----------
    id, name : str
        The run's identity in the store.
    """

    def __init__(self, store: Store, *, name: str | None, params: Mapping[str, Any]) -> None:
        self._store = store
        self._tracking = tracking = store.tracking
        self._pending: list[Future[None]] = []
        self._ended = False
        record = tracking.create(
            name=name,
            tags={KIND: TRAINING, PROCESS: own_token()},
            started_ms=int(time.time() * 1000),
        )
        self.id, self.name = record.id, record.name
        tracking.log(self.id, params=params)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pellucid-run")

    def log_trial(self, record: TrialRecord, files: Mapping[str, bytes] | None = None) -> None:
        """Write a trial as a child run, some time soon; may be called from any thread.

        Parameters
        ----------
        record : TrialRecord
        files : mapping, optional
            The trial as `pellucid.search.kept` has it, from which a search can go on.

        Raises
        ------
        StoreError
            If the run has ended.
        """
        if self._ended:
            raise StoreError(f"run {self.id} has ended; begin a new one")
        ended_ms = int(time.time() * 1000)
        self._pending.append(self._thread.submit(self._write_trial, record, files, ended_ms))

    def _write_trial(
        self, record: TrialRecord, files: Mapping[str, bytes] | None, ended_ms: int
    ) -> None:
        if files is not None:
            self._write_files({f"{TRIALS}/{record.iteration}": files})
        tags = {KIND: TRIAL, PARENT: self.id, "pellucid.status": record.status}
        if record.note:
            tags[REASON] = record.note
        child = self._tracking.create(
            name=f"{record.iteration}: {record.name}",
            tags={name: value[:500] for name, value in tags.items()},
            started_ms=ended_ms - round(1000 * record.seconds),
        )
        self._tracking.log(
            child.id,
            metrics={**record.metrics, "seconds": record.seconds},
            params={"iteration": record.iteration, "family": record.family, **record.config},
        )
        self._tracking.end(child.id, _TRIAL_STATUS[record.status])

    def finish(
        self,
        *,
        predictor: Predictor,
        explanation: Explanation | None,
        training: Mapping[str, Any],
    ) -> Run:
        """Write the results, then mark the run as finished.

        Parameters
        ----------
        predictor : Predictor
        explanation : Explanation or None
            The one made during training, with its engineered twin.
        training : mapping
            The facts of the training; plain values and arrays.

        Returns
        -------
        Run
            As it is now stored.

        Raises
        ------
        StoreError, ArtifactError
            If the store fails; the run is then not finished, and `fail` can say so.
        """
        from pellucid.explain.persistence import explanation_to_bytes
        from pellucid.store.card import make_card

        facts = plain(training)
        card = make_card(facts, explanation, run=self.id, name=self.name)
        results = {TRAINING_FILE: json.dumps(facts, allow_nan=False).encode()}
        results |= zip(CARD_FILES, (card.markdown.encode(), card.html.encode()))
        if explanation is not None:
            results[EXPLANATION_FILE] = explanation_to_bytes(explanation)
        self._write_files({MODEL: predictor.to_files(), RESULTS: results})
        self._await_trials()
        metrics = training.get("metrics") or {}
        scores = {**(metrics.get("cv") or {})}
        scores |= {f"test.{name}": value for name, value in (metrics.get("test") or {}).items()}
        total = (training.get("seconds") or {}).get("total")
        if total is not None:
            scores["seconds"] = total
        self._tracking.log(self.id, metrics=scores)
        self._tracking.end(self.id, "FINISHED")
        self._close()
        return self._store.load(self.id)

    def _await_trials(self) -> None:
        lost = [error for error in (trial.exception() for trial in self._pending) if error]
        if lost:  # the results are worth more than the record of how they were found
            warnings.warn(
                f"{len(lost)} of {len(self._pending)} trials could not be written to the run "
                f"{self.id}: {lost[0]}",
                PellucidWarning,
                stacklevel=3,
            )

    def fail(self, reason: str) -> None:
        """Mark the run as failed, or as killed when it was interrupted; it holds no results."""
        if self._ended:
            return
        self._close()
        killed = reason.startswith(("KeyboardInterrupt", "SystemExit"))
        self._tracking.log(self.id, tags={REASON: reason or "no reason was given"})
        self._tracking.end(self.id, "KILLED" if killed else "FAILED")

    def _close(self) -> None:
        self._ended = True
        broken = any(done.done() and done.exception() for done in self._pending)
        self._thread.shutdown(wait=True, cancel_futures=broken)  # else what is queued is written

    def _write_files(self, folders: Mapping[str, Mapping[str, bytes]]) -> None:
        write_folders(self._tracking, self.id, folders)


def write_folders(tracking: Tracking, run: str, folders: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write folders of a run's artefacts, each whole or not at all.

    Parameters
    ----------
    tracking : Tracking
    run : str
        Its id.
    folders : mapping
        Name, with "/" between folders -> files of it, as `save_files` takes them.

    Raises
    ------
    StoreError, ArtifactError
        If the store cannot be written; ArtifactError also where a folder is there already.
    """
    home = tracking.location.folder
    if home is not None:
        for name, files in folders.items():
            save_files(home / "artifacts" / run / "artifacts" / name, files)
        return
    with tempfile.TemporaryDirectory(prefix="pellucid-") as staged:
        for name, files in folders.items():
            save_files(Path(staged) / name, files)
        tracking.upload(run, Path(staged))


def plain(value: Any) -> Any:
    """Values as strict JSON has them: arrays as lists, NaN and infinities as null.

    Examples
    --------
    >>> plain({"auc": np.float64(0.5), "curve": np.array([0.0, np.inf]), 3: ("a", None)})
    {'auc': 0.5, 'curve': [0.0, None], '3': ['a', None]}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)

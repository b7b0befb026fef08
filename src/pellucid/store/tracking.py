"""Runs on a tracking server, through MLflow's client: the few calls that every one answers.

Those of an embedded store are written by `embedded_runs`, which spares loading MLflow.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pellucid.quiet import hush
from pellucid.store.location import Location, StoreError

if TYPE_CHECKING:
    from pellucid.store.embedded_runs import EmbeddedRuns

EXPERIMENT = "pellucid"
KIND, TRAINING, TRIAL = "pellucid.kind", "training", "trial"  # a tag and its values
PARENT = "mlflow.parentRunId"

_LONGEST = 500  # characters of a parameter's value, the least that servers take
_BATCH = 100  # parameters a request
_QUIET = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_ATTEMPTS = 5
_BUSY = ("database is locked", "database table is locked", "TEMPORARILY_UNAVAILABLE")
_AWAY = ("Max retries exceeded", "Connection refused", "Name or service not known")

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """What a tracking server keeps of a run; times are milliseconds since 1970."""

    id: str
    name: str
    status: str
    started_ms: int
    ended_ms: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def connect(uri: str) -> Any:
    """MLflow's client; loading it takes seconds. Its telemetry is switched off."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # by default it tries a server that is away for minutes
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    hush()
    from mlflow.tracking.client import MlflowClient

    # it logs tracebacks of what it also raises, and what is retried here
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # a pooled connection would write on to a database that was deleted and made anew
    with _environment({"MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool"}):
        return MlflowClient(uri)


class Tracking:
    """A tracking server, reached when it is first used.

    Every method raises `StoreError` when the server cannot do what is asked.
    """

    def __init__(self, location: Location) -> None:
        self.location = location

    @cached_property
    def _client(self) -> Any:
        return connect(self.location.uri)

    @cached_property
    def _own(self) -> EmbeddedRuns | None:
        """What writes to an embedded store's database by itself, where it knows its layout."""
        from pellucid.store.embedded_runs import EmbeddedRuns

        database = self.location.database
        if database is None:
            return None
        own = EmbeddedRuns(database)
        return own if own.is_known else None

    @cached_property
    def _experiment(self) -> str:
        """Id of the experiment: ours, or on a server the one that MLFLOW_EXPERIMENT_NAME says."""
        name = EXPERIMENT
        if self.location.folder is None:
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except Exception:  # another process may have made it in between
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def create(self, *, name: str | None, tags: Mapping[str, str], started_ms: int) -> Record:
        """Start a run; without a name one is made up."""
        own = self._own
        if own is not None:
            return self._do(lambda: own.create(name=name, tags=tags, started_ms=started_ms))
        run = self._do(
            lambda: self._client.create_run(
                self._experiment, start_time=started_ms, tags=dict(tags), run_name=name
            )
        )
        return _record(run)

    def log(
        self,
        run: str,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add metrics, parameters and tags to a run, in one request where that is possible."""
        numbers = {
            _key(name): float(value)
            for name, value in (metrics or {}).items()
            if math.isfinite(value)
        }
        texts = {_key(name): _text(value) for name, value in (params or {}).items()}
        short = {name: value[:_LONGEST] for name, value in (tags or {}).items()}
        own = self._own
        if own is not None:
            self._do(lambda: own.log(run, metrics=numbers, params=texts, tags=short))
            return
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        scores = [Metric(name, value, now, 0) for name, value in numbers.items()]
        settings = [Param(name, value) for name, value in texts.items()]
        labels = [RunTag(name, value) for name, value in short.items()]
        for start in range(0, max(len(settings), 1), _BATCH):
            batch = settings[start : start + _BATCH]
            self._do(partial(self._client.log_batch, run, scores, batch, labels))
            scores, labels = [], []

    def end(self, run: str, status: str) -> None:
        """Set the final status: FINISHED, FAILED or KILLED."""
        own = self._own
        if own is not None:
            self._do(lambda: own.end(run, status))
            return
        with _environment(_QUIET):
            self._do(lambda: self._client.set_terminated(run, status))

    def records(self) -> list[Record]:
        """The trainings in the experiment, newest first."""

        def search() -> list[Any]:
            found: list[Any] = []
            token = None
            while True:
                page = self._client.search_runs(
                    [self._experiment],
                    filter_string=f"tags.`{KIND}` = '{TRAINING}'",
                    order_by=["attributes.start_time DESC"],
                    page_token=token,
                )
                found.extend(page)
                token = page.token
                if not token:
                    return found

        return [_record(run) for run in self._do(search)]

    def upload(self, run: str, folder: Path) -> None:
        """Copy what is in a local folder to the run's artefacts."""
        with _environment(_QUIET):
            self._do(lambda: self._client.log_artifacts(run, str(folder)))

    def list_folder(self, run: str, name: str) -> list[str]:
        """Names of what lies in a folder of the run's artefacts."""
        with _environment(_QUIET):
            found = self._do(lambda: self._client.list_artifacts(run, name))
        return [entry.path.rpartition("/")[2] for entry in found]

    @contextlib.contextmanager
    def download(self, run: str, name: str) -> Iterator[Path]:
        """A folder of the run's artefacts, as a local folder for the time of a with block."""
        with tempfile.TemporaryDirectory(prefix="pellucid-") as home:
            with _environment(_QUIET):
                folder = self._do(lambda: self._client.download_artifacts(run, name, home))
            yield Path(folder)

    def ask(self, question: Callable[[Any], T]) -> T:
        """Ask MLflow's client for something else, with its errors as ours."""
        with _environment(_QUIET):
            return self._do(lambda: question(self._client))

    def _do(self, call: Callable[[], T]) -> T:
        """Call the server, again when it is busy, and turn its errors into ours."""
        for attempt in range(_ATTEMPTS):
            try:
                return call()
            except Exception as error:  # MLflow's plug-ins each raise their own
                busy = any(sign in str(error) for sign in _BUSY)
                if not busy or attempt == _ATTEMPTS - 1:
                    raise StoreError(self._explain(error)) from error
                time.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _explain(self, error: Exception) -> str:
        text = str(error)
        if any(sign in text for sign in _AWAY):
            return (
                f"the store {self.location} cannot be reached; is the server running, and its "
                f"address right?"
            )
        lines = text.strip().splitlines() or [type(error).__name__]
        reason = lines[0].replace("<database_uri>", self.location.uri)
        return f"the store {self.location} failed: {reason}"


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _record(run: Any) -> Record:
    return Record(
        id=run.info.run_id,
        name=run.info.run_name or "",
        status=run.info.status,
        started_ms=run.info.start_time or 0,
        ended_ms=run.info.end_time,
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags=dict(run.data.tags),
    )


def _key(name: str) -> str:
    return re.sub(r"[^\w\-./: ]", "_", name, flags=re.ASCII)[:250]


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

"""Writing a run while it is trained: the store opens and is fed in a thread of its own."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import PellucidWarning
from pellucid.search.kept import trial_to_files
from pellucid.search.trials import Trial

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.explain.predictor import Predictor
    from pellucid.store.runs import Run, RunWriter

_LOOK = 0.1  # seconds between looks whether the store may be opened


class Recorder:
    """One run in the store; opening it takes seconds, which the search does not wait for.

    Parameters
    ----------
    store : str, None or False
        URI or folder of the store, None for the default one, False to keep nothing.
    when : callable
        Opening waits until this is true, or the run ends: MLflow would take the cores from workers
        that load their libraries, which the first trials wait for.
    """

    def __init__(
        self,
        store: Any,
        *,
        name: str | None,
        params: dict[str, Any],
        when: Callable[[], bool] = lambda: True,
    ) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._pending: list[Future[None]] = []
        self._ends = threading.Event()
        if store is False:
            return
        # MLflow loads polars where there is any, and scikit-learn, at work beside this thread, asks
        # whatever it finds of it for its classes
        with suppress(ImportError):
            import polars  # noqa: F401
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pellucid-store")
        self._writer: Future[RunWriter] = self._thread.submit(
            self._begin, store, name, params, when
        )

    def check(self) -> None:
        """Raise now what kept the store from opening, rather than after the whole training."""
        if self._thread is not None and self._writer.done():
            self._writer.result()

    def log_trial(self, trial: Trial, members: Path, *, link: str) -> None:
        """Write a trial, some time soon.

        Parameters
        ----------
        members : where its packed members are; they are read at once.
        link : that its margins are behind.
        """
        self.check()
        if self._thread is None:
            return
        packed = members.read_bytes() if trial.usable and members.exists() else None
        files = trial_to_files(trial, packed, link=link)
        self._pending.append(
            self._thread.submit(lambda: self._writer.result().log_trial(trial.record, files))
        )

    def finish(
        self, *, predictor: Predictor, explanation: Explanation | None, training: dict[str, Any]
    ) -> Run | None:
        """Write the results; a store that fails costs the record, never the trained model."""
        if self._thread is None:
            return None
        self._ends.set()
        try:
            for write in self._pending:
                write.result()
            done = self._thread.submit(
                lambda: self._writer.result().finish(
                    predictor=predictor, explanation=explanation, training=training
                )
            )
            return done.result()
        except Exception as error:
            warnings.warn(
                f"the model is trained, but the run could not be stored: {error}",
                PellucidWarning,
                stacklevel=2,
            )
            self.fail(str(error))
            return None

    def fail(self, reason: str) -> None:
        """Mark the run as failed, as far as the store allows."""
        self._ends.set()
        if self._thread is not None and not self._writer.exception():
            self._thread.submit(lambda: self._writer.result().fail(reason)).exception()

    def close(self) -> None:
        """End the thread once what is queued is written."""
        self._ends.set()
        if self._thread is not None:
            self._thread.shutdown(wait=True)

    def _begin(
        self, store: Any, name: str | None, params: dict[str, Any], when: Callable[[], bool]
    ) -> RunWriter:
        while not (when() or self._ends.wait(_LOOK)):
            pass
        from pellucid.store.runs import Store

        return Store(store).begin(name=name, params=params)

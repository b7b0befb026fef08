"""The model that is served, and its change for another while requests go on."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pellucid.errors import PellucidError
from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import ServeError
from pellucid.serve.example import example_row
from pellucid.serve.memory import give_back
from pellucid.serve.scorer import Scorer
from pellucid.store.artifacts import MANIFEST
from pellucid.store.registry import Registry
from pellucid.store.runs import Store
from pellucid.store.versions import Reference

_log = logging.getLogger("pellucid.serve")


@dataclass(frozen=True, eq=False)
class Served:
    """A model that answers requests; a request is answered by one of them from start to end.

    scorer : Scorer
    name : what it is called, and in the addresses of the inference protocol
    version : of the name; of a folder, a digest of its content
    run_id : the run that made it, or ""
    """

    scorer: Scorer
    name: str
    version: str
    run_id: str = ""

    @cached_property
    def facts(self) -> dict[str, str]:
        """What an answer says of the model."""
        return {
            "name": self.name,
            "version": self.version,
            "run": self.run_id,
            "explainer": f"pellucid {version('pellucid')}",
        }


@dataclass(frozen=True, eq=False)
class Source:
    """Where a model comes from.

    identity : tells cheaply which one it is now
    load : reads that one
    """

    identity: Callable[[], Any]
    load: Callable[[], Served]


def source_of(
    target: str,
    *,
    store: str | Path | None = None,
    name: str | None = None,
    trust: str | Path | None = None,
) -> Source:
    """A registered model such as "bank@champion", or a folder that holds a model.

    Parameters
    ----------
    target : str
        The folder may be that of a model, of an MLflow model, or of a bundle.
    store : str, Path or None
        Where models are registered.
    name : str, optional
        What to call the model instead of its own name.
    trust : str or Path, optional
        File of public keys; a model that none of them signed is not loaded.

    Raises
    ------
    ServeError, RegistryError
        If it is neither.
    """
    folder = Path(target)
    for place in (folder, folder / "model", folder / "model" / "model"):
        if (place / MANIFEST).is_file() and (place / "predictor.json").is_file():
            return _folder_source(place, name or folder.resolve().name, trust)
    if folder.is_dir():
        raise ServeError(f"the folder {folder} holds no model; expected a {MANIFEST} in it")
    Reference.parse(target)
    registry = Registry(Store(store, trust=trust))

    def identity() -> tuple[str, int, str]:
        found = registry.get(target)
        return found.name, found.version, found.source

    def load() -> Served:
        found = registry.get(target)
        scorer = Scorer(found.model())
        return Served(scorer, name or found.name, str(found.version), found.run_id)

    return Source(identity, load)


def _folder_source(folder: Path, name: str, trust: str | Path | None) -> Source:
    def identity() -> bytes:
        return (folder / MANIFEST).read_bytes()

    def load() -> Served:
        digest = hashlib.sha256(identity()).hexdigest()[:12]
        return Served(Scorer.load(folder, trust=trust), name, digest)

    return Source(identity, load)


class Holder:
    """Holds the model that is served, and looks from time to time whether it is still the one.

    A new model is read and its tables are compiled beside the old one, which answers until the new
    one is ready; one that cannot be read changes nothing.

    Parameters
    ----------
    source : Source
    every : float
        Seconds between looks; 0 for never.

    Attributes
    ----------
    current : Served
        Take it once a request.
    reloads, failures : int
    """

    def __init__(self, source: Source, *, every: float = 2.0) -> None:
        self._source, self._every = source, every
        self._seen = source.identity()
        self.current = _ready(source.load())
        self.reloads = self.failures = self._swept = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pellucid-reload", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        if self._every > 0:
            self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stop.set()

    def look(self) -> bool:
        """Change to the model that the source means now; whether there was a change."""
        identity: Any = None
        try:
            identity = self._source.identity()
            if identity == self._seen:
                return False
            served = _ready(self._source.load())
        except (PellucidError, OSError) as error:
            if identity is None or identity != self._seen:
                self.failures += 1
                _log.error("the model stays as it is: %s", error)
            return False
        self._seen, self.current = identity, served
        self.reloads += 1
        _log.info("now serving %s version %s", served.name, served.version)
        return True

    def follow(self) -> bool:
        """Look, whatever the store does, and let go of what no request has any more.

        Whether there was a change.
        """
        try:
            if self.look():
                return True
            if self._swept != self.reloads:
                give_back()  # the old model's tables are large
                self._swept = self.reloads
        except Exception as error:  # who looks must outlive it
            self.failures += 1
            _log.error("looking for another model failed: %s", type(error).__name__)
        return False

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.follow()


def _ready(served: Served) -> Served:
    """The model with its tables compiled and its readers run once."""
    served.scorer.warm()
    if type(served.scorer.predictor) is Predictor:  # a forecast has no row of its own
        row = example_row(served.scorer)
        for rows in (row, [row, row]):
            served.scorer.score(rows)
    return served

"""A model on its way to the workers of a cluster: as files, compiled once in each process."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.explain.predictor import Predictor

_KEPT = 4  # models that a process keeps compiled
_LOCK = threading.RLock()
_MODELS: OrderedDict[str, Predictor] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Carried:
    """A predictor's files, and a digest by which a process knows it again."""

    files: Mapping[str, bytes]
    digest: str

    @classmethod
    def of(cls, model: Predictor) -> Carried:
        """Pack a model."""
        digest = hashlib.sha256()
        files = model.to_files()
        for name, data in sorted(files.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
        return cls(files, digest.hexdigest())

    def model(self) -> Predictor:
        """The predictor, the same object for all who ask in this process, with its tables."""
        with _LOCK:
            if self.digest not in _MODELS:
                _MODELS[self.digest] = Predictor.from_files(self.files)
                while len(_MODELS) > _KEPT:
                    _MODELS.popitem(last=False)
            _MODELS.move_to_end(self.digest)
            return _MODELS[self.digest]

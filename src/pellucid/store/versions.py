"""What a registered model's version is, and how it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pellucid.errors import PellucidError
from pellucid.store.artifacts import load_predictor
from pellucid.store.mlmodel import DATA

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor
    from pellucid.store.run import Run
    from pellucid.store.runs import Store

FOLDER = "registered"  # of a run's artefacts; of one of its trials, with the iteration behind it
_NAME = re.compile(r"[^/:.%\"'@\0-\x1f][^/:%\"'@\0-\x1f]{0,199}")
_ALIAS = re.compile(r"(?!latest$)(?!v\d+$)[A-Za-z0-9_-]{1,200}", re.IGNORECASE)


class RegistryError(PellucidError):
    """A registered model does not exist, or cannot be named so."""


@dataclass(frozen=True)
class Reference:
    """What a text such as "bank@champion" means.

    Examples
    --------
    >>> Reference.parse("bank@champion")
    Reference(name='bank', alias='champion', version=None)
    >>> Reference.parse("bank/3").version, Reference.parse("bank")
    (3, Reference(name='bank', alias=None, version=None))
    """

    name: str
    alias: str | None = None
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``name``, ``name@alias`` or ``name/version``, with or without ``models:/``.

        Raises
        ------
        RegistryError
            For anything else.
        """
        bare = text.removeprefix("models:/")
        name, at, alias = bare.partition("@")
        name, slash, number = name.partition("/") if not at else (name, "", "")
        fits = _NAME.fullmatch(name) and (not at or _ALIAS.fullmatch(alias))
        if not fits or (slash and not number.isdecimal()):
            raise RegistryError(
                f"{text!r} names no registered model; expected NAME, NAME@ALIAS or NAME/VERSION, "
                f"such as bank@champion or bank/3"
            )
        return cls(name, alias or None, int(number) if slash else None)


@dataclass(frozen=True, eq=False)
class ModelVersion:
    """One version of a registered model: a model with its explainer.

    Attributes
    ----------
    name : str
    version : int
    run_id : str
        The run that made it.
    created : datetime
    aliases : tuple of str
    tags : mapping of str
    description : str
    """

    name: str
    version: int
    run_id: str
    created: datetime
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    description: str
    source: str = field(repr=False)
    store: Store = field(repr=False)

    def model(self) -> Predictor:
        """The model: ``predict``, ``predict_proba`` and ``explain`` of raw rows.

        Raises
        ------
        SignatureError
            If the store was opened with trusted keys and none of them signed it.
        RegistryError
            If the version was registered by something else.
        """
        if not self.folder.startswith(FOLDER):
            raise RegistryError(
                f"{self} was not registered by Pellucid, its source is {self.source}; load it "
                f"with mlflow.pyfunc"
            )
        with self.store.files(self.run_id, f"{self.folder}/{DATA}") as path:
            return load_predictor(path, trust=self.store.trust)

    def run(self) -> Run:
        """The run that made it."""
        return self.store.load(self.run_id)

    def metrics(self) -> dict[str, float]:
        """Scores of the model in cross-validation, and on test rows where there were some."""
        run, iteration = self.run(), self.source.rpartition("-")[2]
        if self.folder == FOLDER:
            return dict(run.metrics)
        entries = {str(entry["iteration"]): entry for entry in run.training["leaderboard"]}
        return dict(entries[iteration]["metrics"])

    @property
    def folder(self) -> str:
        """Where it is among the artefacts of its run."""
        return self.source.rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


def check_name(name: str) -> None:
    """Refuse, as a RegistryError, what cannot be the name of a model."""
    _check(_NAME, name, "model name", "no point at its start, none of / : % @ and no quotes in it")


def check_alias(alias: str) -> None:
    """Refuse, as a RegistryError, what cannot be an alias."""
    rule = "letters, digits, - and _, and neither latest nor v1, v2, ..."
    _check(_ALIAS, alias, "alias", rule)


def _check(pattern: re.Pattern[str], text: str, what: str, rule: str) -> None:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise RegistryError(f"{text!r} cannot be a {what}: {rule}")

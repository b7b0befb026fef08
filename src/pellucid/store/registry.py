"""Registered models: names, versions and aliases, in MLflow's registry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid.store.artifacts import save_files
from pellucid.store.embedded_models import read_versions
from pellucid.store.mlmodel import mlmodel_files
from pellucid.store.runs import Store
from pellucid.store.versions import (
    FOLDER,
    ModelVersion,
    Reference,
    RegistryError,
    check_alias,
    check_name,
)

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor
    from pellucid.store.run import Run


class Registry:
    """The registered models of a store.

    Parameters
    ----------
    store : Store, str, Path or None
        As `pellucid.load_run` takes it.
    """

    def __init__(self, store: Store | str | Path | None = None) -> None:
        self.store = store if isinstance(store, Store) else Store(store)

    def register(
        self,
        run: Run,
        name: str,
        *,
        alias: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str = "",
        iteration: int | None = None,
    ) -> ModelVersion:
        """Give a run's model a name; see `Run.register`."""
        check_name(name)
        if alias is not None:
            check_alias(alias)
        predictor = run.model(iteration=iteration)
        folder = FOLDER if iteration is None else f"{FOLDER}-{iteration}"
        self._write(run.id, folder, predictor)

        def create(client: Any) -> Any:
            from mlflow.exceptions import MlflowException

            try:
                client.get_registered_model(name)
            except MlflowException:
                try:
                    client.create_registered_model(name)
                except MlflowException:  # unless another process made it in between
                    client.get_registered_model(name)
            source = f"runs:/{run.id}/{folder}"
            return client.create_model_version(
                name, source, run.id, tags=dict(tags or {}), description=description
            )

        version = int(self.store.tracking.ask(create).version)
        if alias is not None:
            self.promote(f"{name}/{version}", alias=alias)
        return self.get(f"{name}/{version}")

    def _write(self, run_id: str, folder: str, predictor: Predictor) -> None:
        files = mlmodel_files(predictor, run_id=run_id)
        home = self.store.location.folder
        if home is None:
            import tempfile

            with tempfile.TemporaryDirectory(prefix="pellucid-") as staged:
                save_files(Path(staged) / folder, files)
                self.store.tracking.upload(run_id, Path(staged))
            return
        path = home / "artifacts" / run_id / "artifacts" / folder
        if not path.exists():  # an earlier version of the same model
            save_files(path, files)

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """Versions of one model or of all, by name, newest first."""
        if not self.store.location.exists:
            return []
        if self.store.location.folder is not None:
            rows = read_versions(self.store.location.folder)
        else:
            rows = self.store.tracking.ask(_search)
        found = [ModelVersion(**row, store=self.store) for row in rows]
        found = [each for each in found if name is None or each.name == name]
        return sorted(found, key=lambda each: (each.name, -each.version))

    def get(self, reference: str) -> ModelVersion:
        """The version that "bank@champion", "bank/3" or "bank" (the newest) means.

        Raises
        ------
        RegistryError
            If there is none; the message lists what there is.
        """
        wanted = Reference.parse(reference)
        found = self.versions(wanted.name)
        if not found:
            names = sorted({each.name for each in self.versions()})
            known = f"there are {', '.join(names)}" if names else "it holds none yet"
            raise RegistryError(
                f"there is no registered model {wanted.name!r} in the store "
                f"{self.store.location}; {known}: register one with run.register(name), or "
                f"pellucid register RUN NAME"
            )
        for each in found:
            if wanted.alias is not None:
                if wanted.alias in each.aliases:
                    return each
            elif wanted.version in (None, each.version):
                return each
        there = "; ".join(f"{each} {' '.join(each.aliases)}".rstrip() for each in found[:10])
        raise RegistryError(f"there is no {reference!r}; versions are {there}")

    def promote(self, reference: str, *, alias: str) -> ModelVersion:
        """Move an alias to a version; what serves that alias changes over by itself."""
        check_alias(alias)
        version = self.get(reference)
        self.store.tracking.ask(
            lambda client: client.set_registered_model_alias(
                version.name, alias, str(version.version)
            )
        )
        return self.get(f"{version.name}/{version.version}")

    def tag(self, reference: str, tags: Mapping[str, str]) -> ModelVersion:
        """Set tags of a version."""
        version = self.get(reference)

        def set_all(client: Any) -> None:
            for key, value in tags.items():
                client.set_model_version_tag(version.name, str(version.version), key, value)

        self.store.tracking.ask(set_all)
        return self.get(f"{version.name}/{version.version}")


def load(
    reference: str, *, store: str | Path | None = None, trust: str | Path | None = None
) -> Predictor:
    """Load a registered model, such as "bank@champion", with its explainer.

    Parameters
    ----------
    reference : str
        A name for its newest version, name@alias, or name/version.
    store : str, Path or None
        As for `pellucid.load_run`.
    trust : str or Path, optional
        File of public keys, PEM; a model that none of them signed is refused (`pellucid sign`).

    Returns
    -------
    Predictor
        With ``predict``, ``predict_proba`` and ``explain`` of raw rows.

    Raises
    ------
    RegistryError
        If there is no such version; the message lists what there is.
    SignatureError
        If keys were given and none of them signed the model.
    """
    return Registry(Store(store, trust=trust)).get(reference).model()


def list_models(*, store: str | Path | None = None) -> pd.DataFrame:
    """The registered models of a store: name, version, aliases, created, run, tags, description.

    Examples
    --------
    >>> list_models(store="/no/such/folder").columns.tolist()
    ['name', 'version', 'aliases', 'created', 'run', 'tags', 'description']
    """
    rows = [
        (
            each.name,
            each.version,
            ", ".join(each.aliases),
            each.created,
            each.run_id,
            dict(each.tags),
            each.description,
        )
        for each in Registry(store).versions()
    ]
    columns = ["name", "version", "aliases", "created", "run", "tags", "description"]
    return pd.DataFrame(rows, columns=columns)


def _search(client: Any) -> list[dict[str, Any]]:
    rows = []
    for model in client.search_registered_models():
        aliases = {alias: int(number) for alias, number in model.aliases.items()}
        for each in client.search_model_versions(f"name = '{model.name}'"):
            rows.append(
                {
                    "name": each.name,
                    "version": int(each.version),
                    "run_id": each.run_id or "",
                    "created": datetime.fromtimestamp(each.creation_timestamp / 1000).astimezone(),
                    "aliases": tuple(
                        sorted(a for a, number in aliases.items() if number == int(each.version))
                    ),
                    "tags": dict(each.tags),
                    "description": each.description or "",
                    "source": each.source or "",
                }
            )
    return rows

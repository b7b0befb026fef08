"""A run: one stored training, with its model and its explanations."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid.errors import PellucidError
from pellucid.search.kept import MEMBERS, trial_ensemble, trial_from_files
from pellucid.search.metrics import get_metric
from pellucid.search.plan import Plan
from pellucid.store.artifacts import ArtifactError, load_files, load_predictor
from pellucid.store.leaderboard import leaderboard_frame
from pellucid.store.writer import (
    EXPLANATION_FILE,
    MODEL,
    RESULTS,
    TRAINING_FILE,
    TRIALS,
)

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.explain.predictor import Predictor
    from pellucid.models.problem import Link, Problem
    from pellucid.search.trials import Trial
    from pellucid.store.card import Card
    from pellucid.store.runs import Store
    from pellucid.store.versions import ModelVersion
    from pellucid.view.notebook import Page


class RunError(PellucidError):
    """A run does not exist, or does not hold what is asked of it."""


@dataclass(frozen=True, eq=False)
class Run:
    """One training as the store keeps it.

    Attributes
    ----------
    id, name : str
    status : str
        "RUNNING", "FINISHED", "FAILED" or "KILLED".
    reason : str
        Why it is not finished, as far as that is known.
    started : datetime
        In local time.
    ended : datetime or None
    params : mapping of str
        What the training was asked for.
    metrics : mapping of float
        The ensemble's scores in cross-validation; those on test rows start with ``test.``.
    tags : mapping of str
    """

    id: str
    name: str
    status: str
    reason: str
    started: datetime
    ended: datetime | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    store: Store = field(repr=False)

    @cached_property
    def _results(self) -> dict[str, bytes]:
        with self._files(RESULTS) as folder:
            return load_files(folder, trust=self.store.trust)

    @cached_property
    def training(self) -> dict[str, Any]:
        """The facts of the training: columns, leaderboard, ensemble, metrics, seconds, curves."""
        return dict(json.loads(self._results[TRAINING_FILE]))

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """Trials and the ensemble, best first; the primary metric comes before the others."""
        return leaderboard_frame(self.training)

    def explanation(self, raw: bool = True) -> Explanation:
        """The explanation made during training, over raw or over engineered features.

        Raises
        ------
        RunError
            If the run is not finished, or was trained without explaining.
        """
        from pellucid.explain.persistence import explanation_from_bytes

        if EXPLANATION_FILE not in self._results:
            raise RunError(
                f"run {self.id} was trained without an explanation; explain rows of your choice "
                f"with run.model().explain(rows), or on the command line with pellucid explain"
            )
        explanation = explanation_from_bytes(
            self._results[EXPLANATION_FILE], name=f"the explanation of run {self.id}"
        )
        if raw:
            return explanation
        if explanation.engineered is None:
            raise RunError(f"run {self.id} holds no explanation over engineered features")
        return explanation.engineered

    def show(self, *, height: int = 760, what_if: bool = True) -> Page:
        """The report as a page, which a notebook shows and ``save(path)`` writes to a file.

        Parameters
        ----------
        height : int
            Of the frame in a notebook, in pixels.
        what_if : bool
            Whether the model travels in the page, so that rows can be edited there.
        """
        from pellucid.view.notebook import run_page

        return run_page(self, height=height, what_if=what_if)

    def card(
        self, *, intended_use: str = "", not_for: str = "", contact: str = "", notes: str = ""
    ) -> Card:
        """The model card: data, scores with intervals, drivers, cohorts, limits, provenance.

        It holds no rows. One without words of yours is stored with the run (``card.md`` and
        ``card.html`` among its results). Sections follow Mitchell et al. 2019.

        Parameters
        ----------
        intended_use, not_for, contact, notes : str
            What only people know.

        Returns
        -------
        Card
            ``print`` gives Markdown; ``save("card.html")`` or ``save("card.md")`` writes it.
        """
        from pellucid.store.card import Words, make_card

        explained = EXPLANATION_FILE in self._results
        return make_card(
            self.training,
            self.explanation() if explained else None,
            run=self.id,
            name=self.name,
            words=Words(intended_use, not_for, contact, notes),
        )

    def model(self, *, iteration: int | None = None, metric: str | None = None) -> Predictor:
        """The model: ``predict``, ``predict_proba`` and ``explain`` of new rows.

        Parameters
        ----------
        iteration : int, optional
            The model of one trial by its place on the leaderboard's ``iteration`` column: the
            mean of its folds' models. The ensemble is the default.
        metric : str, optional
            The model that is best by this metric in cross-validation, such as "r2_score".

        Raises
        ------
        RunError
            If there is no such trial, it failed, or its model was not kept.
        """
        with self._files(MODEL) as folder:
            best = load_predictor(folder, trust=self.store.trust)
        if metric is not None:
            if iteration is not None:
                raise RunError("iteration and metric exclude each other; give one of them")
            iteration = self._best_by(metric, best.problem)
        if iteration is None or self._entry(iteration)["family"] == "ensemble":
            return best
        files = self._trial_files(iteration)
        if MEMBERS not in files:
            raise RunError(
                f"the model of iteration {iteration} of run {self.id} was too large to keep"
            )
        trial, link = trial_from_files(files)
        problem = replace(best.problem, link=link)
        ensemble = trial_ensemble(trial, files[MEMBERS], n_outputs=problem.n_outputs)
        return replace(best, problem=problem, ensemble=ensemble)

    def register(
        self,
        name: str,
        *,
        alias: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str = "",
        iteration: int | None = None,
    ) -> ModelVersion:
        """Give the model a name in the registry, with its explainer, as the next version of it.

        Parameters
        ----------
        name : str
        alias : str, optional
            A name that moves from version to version, such as "champion".
        tags : mapping of str, optional
        description : str
        iteration : int, optional
            Register the model of one trial instead, as `model` gives it.

        Raises
        ------
        RegistryError
            A name or alias that cannot be one.
        """
        from pellucid.store.registry import Registry

        return Registry(self.store).register(
            self, name, alias=alias, tags=tags, description=description, iteration=iteration
        )

    @property
    def plan(self) -> Plan:
        """All that is needed to make the model again, without a clock; see `pellucid.replay`."""
        return Plan.from_dict(self.training["plan"])

    def trials(self) -> list[tuple[Trial, Link, bytes | None]]:
        """Every trial that was kept: it, the link of its margins, and its packed members.

        A run that was killed has those that had ended.
        """
        kept = []
        for iteration in self.store.trial_iterations(self.id):
            with self.store.files(self.id, f"{TRIALS}/{iteration}") as folder:
                try:
                    files = load_files(folder, trust=self.store.trust)
                except ArtifactError:  # killed while it was written
                    continue
            trial, link = trial_from_files(files)
            kept.append((trial, link, files.get(MEMBERS)))
        return sorted(kept, key=lambda each: each[0].spec.iteration)

    def _entry(self, iteration: int) -> dict[str, Any]:
        entries = {entry["iteration"]: entry for entry in self.training["leaderboard"]}
        if iteration not in entries:
            raise RunError(
                f"run {self.id} has no iteration {iteration}; its leaderboard has "
                f"{', '.join(map(str, sorted(entries)))}"
            )
        entry: dict[str, Any] = entries[iteration]
        return entry

    def _best_by(self, metric: str, problem: Problem) -> int:
        wanted = get_metric(metric, problem, scaled=True)
        scored = [e for e in self.training["leaderboard"] if metric in e["metrics"]]
        if not scored:
            raise RunError(f"no trial of run {self.id} has a value of {metric}")
        return int(min(scored, key=lambda e: wanted.loss(e["metrics"][metric]))["iteration"])

    def _trial_files(self, iteration: int) -> dict[str, bytes]:
        entry = self._entry(iteration)
        if entry["status"] == "failed":
            raise RunError(f"iteration {iteration} of run {self.id} failed: {entry['note']}")
        with self._files(f"{TRIALS}/{iteration}") as folder:
            return load_files(folder, trust=self.store.trust)

    @contextlib.contextmanager
    def _files(self, name: str) -> Iterator[Path]:
        if self.status != "FINISHED":
            because = f" ({self.reason})" if self.reason else ""
            raise RunError(
                f"run {self.id} is {self.status.lower()}{because} and has no results; choose a "
                f"finished one, see pellucid runs"
            )
        with self.store.files(self.id, name) as folder:
            yield folder

    def __repr__(self) -> str:
        return f"<Run {self.id[:8]} {self.name!r}: {self.status.lower()}>"

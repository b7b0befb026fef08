"""Make a model again from its plan: no clock, no search, the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.automl.asides import Asides, ClassWeight, read_asides
from pellucid.automl.link import with_link
from pellucid.automl.preparing import Prepared, Settings, prepare
from pellucid.automl.series import SeriesRows, values_of
from pellucid.automl.target import Target, read_classes, read_values
from pellucid.automl.whole import WholeTable, write_whole
from pellucid.errors import PellucidWarning
from pellucid.explain.predictor import Predictor
from pellucid.files import scratch_folder
from pellucid.search.cluster import on_this_machine, open_workers
from pellucid.search.ensemble import assemble
from pellucid.search.plan import Plan, PlanError
from pellucid.search.trials import DataRef, refit
from pellucid.search.versions import other_versions, versions
from pellucid.search.whole import WholeRef, learn_whole
from pellucid.tabular.fingerprint import fingerprint
from pellucid.tabular.partitions import is_dask
from pellucid.tabular.read import to_frame
from pellucid.tabular.series.history import History
from pellucid.tabular.series.spec import SeriesSpec


def replay(
    plan: Plan | Mapping[str, Any],
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    groups: Any = None,
    X_valid: Any = None,
    y_valid: Any = None,
    class_weight: ClassWeight = None,
    n_jobs: int | None = None,
) -> Predictor:
    """Fit the members of a plan on the rows that it was made with.

    Parameters
    ----------
    plan : Plan or mapping
        ``clf.plan_``, ``run.plan``, or the plan's JSON.
    X, y, sample_weight, groups, X_valid, y_valid, class_weight
        As they were given to ``fit``.
    n_jobs : int, optional
        Worker processes; the bits do not depend on it.

    Returns
    -------
    Predictor
        The same model, bit for bit, where the packages have the versions of the plan.

    Raises
    ------
    PlanError
        Rows that are not those of the plan.

    Warns
    -----
    PellucidWarning
        A package that has another version now.

    Examples
    --------
    >>> import pellucid
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = pellucid.AutoMLClassifier(time_budget=None, max_trials=3, store=False).fit(X, y)
    >>> again = pellucid.replay(clf.plan_, X, y)
    >>> bool((again.margins(X) == clf.predictor_.margins(X)).all())
    True
    """
    if not isinstance(plan, Plan):
        plan = Plan.from_dict(plan)
    settings = Settings.from_dict(plan.settings)
    whole = None
    if isinstance(X, str | Path) or is_dask(X):
        whole = _drawn_again(plan, X, y, sample_weight, groups, seed=settings.seed)
        X, y = whole.X, whole.y
        sample_weight, groups = whole.beside(sample_weight), whole.beside(groups)
    frame = to_frame(X)
    if settings.series is not None:
        values, _ = values_of(y, n_rows=len(frame))
        history = History.read(frame, values, SeriesSpec.from_dict(settings.series))
        rows = SeriesRows.of(
            history, seed=settings.seed, n_folds=settings.n_folds, budget=settings.hurried
        )
        made = _refit(plan, settings, rows.frame, rows.target, rows.asides, n_jobs)
        return rows.ship(made)
    read = read_values if plan.data["task"] == "regression" else read_classes
    target = read(y, n_rows=len(frame))
    frame, target, asides = read_asides(
        frame, target, sample_weight=sample_weight, class_weight=class_weight, groups=groups,
        X_valid=X_valid, y_valid=y_valid,
    )  # fmt: skip
    return _refit(plan, settings, frame, target, asides, n_jobs, whole)


def _drawn_again(
    plan: Plan, source: Any, target: Any, weight: Any, groups: Any, *, seed: int
) -> WholeTable:
    """The table on disk with the sample that the plan was made with."""
    told = plan.data.get("whole")
    n_sample = plan.data["n_rows"] if told is None else told["n_sample"]
    whole = WholeTable.draw(
        source, target, n=n_sample, stratified=plan.data["task"] != "regression", weight=weight,
        groups=groups, seed=seed,
    )  # fmt: skip
    if told is not None and whole.n_rows != told["n_rows"]:
        raise PlanError(
            f"{whole.name} is not the table of the plan: it has {whole.n_rows} rows with a target, "
            f"expected {told['n_rows']}"
        )
    return whole


def _refit(
    plan: Plan,
    settings: Settings,
    frame: pd.DataFrame,
    target: Target,
    asides: Asides,
    n_jobs: int | None,
    whole: WholeTable | None = None,
) -> Predictor:
    """Fit the members again on the rows that the plan was made with."""
    found = fingerprint(frame)
    if found != plan.data["fingerprint"]:
        raise PlanError(
            f"the table is not the one of the plan: it has {len(frame)} rows and fingerprint "
            f"{found[:12]}, expected {plan.data['n_rows']} rows and {plan.data['fingerprint'][:12]}"
        )
    _tell_other_versions(plan.versions)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        workers = stack.enter_context(open_workers(n_jobs))
        prepared = prepare(frame, target, asides, settings, folder)
        data = with_link(prepared.data, plan.link)
        all_rows, local = None, workers
        if any(part.whole for part in plan.members):
            all_rows = _written_again(plan, whole, prepared, target, data, folder / "whole")
            local = stack.enter_context(on_this_machine(workers, n_jobs))
        tasks = []
        for part in plan.members:
            if part.whole:
                tasks.append(local.submit(learn_whole, all_rows, part.spec, part.rounds[0], None))
                continue
            for fold, rounds in enumerate(part.rounds):
                of_fold = fold if part.by_fold else None
                tasks.append(workers.submit(refit, data, part.spec, rounds, None, of_fold))
        for task in tasks:
            task.result()
        members = []
        for part in plan.members:
            if all_rows is not None and part.whole:
                members.append([all_rows.member(part.spec)])
                continue
            n_folds = len(part.rounds) if part.by_fold else 0
            members.append(data.members(part.spec, refit=True, n_folds=n_folds))
        ensemble = assemble(plan.members, members, np.array(plan.intercept))
        return Predictor(
            data.problem,
            target.name,
            target.classes,
            prepared.schema,
            prepared.featurizer,
            ensemble,
            prepared.background(settings.seed),
        )


def _written_again(
    plan: Plan,
    whole: WholeTable | None,
    prepared: Prepared,
    target: Target,
    data: DataRef,
    folder: Path,
) -> WholeRef:
    """All rows on disk, held to the digest of the plan."""
    if plan.data["whole"].get("shares"):
        raise PlanError(
            f"members of the plan learned on {plan.data['whole']['shares']} workers together, "
            f"whose sums have other last bits each time; train again, or with learn='here'"
        )
    if whole is None:
        raise PlanError(
            "members of the plan learned from a table that memory need not hold; give its path, or "
            "the Dask DataFrame, as X"
        )
    written = write_whole(whole, prepared.schema, prepared.featurizer, target, data, folder)
    assert written is not None  # without a deadline
    if written[1] != plan.data["whole"]["digest"]:
        raise PlanError(
            f"{whole.name} is not the table of the plan: rows outside the sample have changed"
        )
    return written[0]


def _tell_other_versions(planned: Mapping[str, str]) -> None:
    other = other_versions(versions(), planned)
    if other:
        warnings.warn(
            f"the plan was made with other versions, so the bits may differ: {', '.join(other)}",
            PellucidWarning,
            stacklevel=4,
        )

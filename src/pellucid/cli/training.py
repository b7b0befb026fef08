"""The train command: files and options in, a trained and stored model out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from pellucid.automl.estimators import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.target import guess_kind
from pellucid.cli.errors import CommandError
from pellucid.cli.progress import show_progress
from pellucid.store.location import locate
from pellucid.tabular.columns import Kind
from pellucid.tabular.read import read_table

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation
    from pellucid.store.run import Run


@dataclass(frozen=True)
class Request:
    """The options of the train command, as they were given."""

    data: Path
    target: str
    time_budget: float | None = 60.0
    metric: str | None = None
    task: str = "auto"
    test: Path | None = None
    test_share: float | None = None
    trials: int | None = None
    seed: int = 0
    name: str | None = None
    drop: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    weight: str | None = None
    group: str | None = None
    time_column: str | None = None
    folds: int | None = None
    validation: Path | None = None
    families: tuple[str, ...] | None = None
    latency: float | None = None
    resume: str | None = None
    horizon: int | None = None
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    frequency: str | None = None
    sample_rows: int | None = None
    explain: bool = True
    store: str | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What the summary shows; ``run`` is None when the store failed at the end."""

    run: Run | None
    training: dict[str, Any]
    explanation: Explanation | None


def run_training(request: Request) -> Trained:
    """Read, check, train.

    Raises
    ------
    PellucidError
        For files, columns or options that cannot work; checked before a run is begun.
    """
    if request.test is not None and request.test_share is not None:
        raise CommandError("--test and --test-share exclude each other; give one of them")
    for option, of_series in (
        ("--series", request.series),
        ("--known", request.known),
        ("--frequency", request.frequency),
    ):
        if of_series:
            raise CommandError(f"{option} goes with --horizon, the steps to forecast; give both")
    locate(request.store)  # a store that cannot be is told before the work
    frame = read_table(request.data)
    check_column(request.target, frame, what="--target", path=request.data)
    kinds = read_kinds(request.kinds)
    for name in (*request.drop, *kinds):
        check_column(
            name, frame, what="--drop" if name in request.drop else "--kind", path=request.data
        )
        if name == request.target:
            raise CommandError(f"{name!r} is the target; it is no feature to drop or to set")
    for option, column in (
        ("--weight", request.weight),
        ("--group", request.group),
        ("--time-column", request.time_column),
    ):
        if column is not None:
            check_column(column, frame, what=option, path=request.data)
    kind = guess_kind(frame[request.target]) if request.task == "auto" else request.task
    train, test = frame, None
    if request.test is not None:
        test = read_table(request.test)
        check_column(request.target, test, what="--target", path=request.test)
    elif request.test_share is not None:
        labels = frame[request.target] if kind == "classification" else None
        held_out = hold_out(len(frame), request.test_share, seed=request.seed, labels=labels)
        train, test = frame[~held_out], frame[held_out]
    valid = None
    if request.validation is not None:
        valid = read_table(request.validation)
        check_column(request.target, valid, what="--target", path=request.validation)
    # a weight or a group says how to learn, not what to predict from
    beside = [name for name in (request.weight, request.group) if name is not None]

    def features(table: pd.DataFrame | None) -> pd.DataFrame | None:
        return (
            None
            if table is None
            else table.drop(columns=[request.target, *beside], errors="ignore")
        )

    estimator = AutoMLClassifier if kind == "classification" else AutoMLRegressor
    with show_progress() as progress:
        model = estimator(
            time_column=request.time_column, progress=progress, **parameters(request, kinds)
        ).fit(
            features(train),
            train[request.target],
            None if request.weight is None else train[request.weight],
            groups=None if request.group is None else train[request.group],
            X_valid=features(valid),
            y_valid=None if valid is None else valid[request.target],
            X_test=features(test),
            y_test=None if test is None else test[request.target],
        )
    return Trained(model.run_, model.training_, model.explanation_)


def hold_out(
    n_rows: int, share: float, *, seed: int, labels: pd.Series | None = None
) -> np.ndarray:
    """Which rows to keep apart, bool (n_rows,): at random, the same share of each label.

    Examples
    --------
    >>> labels = pd.Series(["no"] * 80 + ["yes"] * 20)
    >>> labels[hold_out(100, 0.3, seed=0, labels=labels)].value_counts().to_dict()
    {'no': 24, 'yes': 6}
    """
    if not 0 < share < 1:
        raise CommandError(f"--test-share must be between 0 and 1, such as 0.3, not {share}")
    order = np.random.default_rng(seed).permutation(n_rows)
    groups = [order]
    if labels is not None:
        codes = pd.factorize(labels)[0][order]
        groups = [order[codes == code] for code in np.unique(codes)]
    held_out = np.zeros(n_rows, dtype=bool)
    for group in groups:
        held_out[group[: min(round(share * len(group)), len(group) - 1)]] = True
    return held_out


def parameters(request: Request, kinds: Mapping[str, str]) -> dict[str, Any]:
    """What every estimator takes, as the request has it."""
    return {
        "primary_metric": request.metric,
        "time_budget": request.time_budget,
        "max_trials": request.trials,
        "model_explainability": request.explain,
        "seed": request.seed,
        "store": request.store,
        "column_kinds": kinds,
        "drop_columns": request.drop,
        "n_cross_validations": request.folds,
        "allowed_families": request.families,
        "latency_budget_ms": request.latency,
        "resume": request.resume,
        "name": request.name,
    }


def read_kinds(given: tuple[str, ...]) -> dict[str, str]:
    """Kinds of columns from COLUMN=KIND.

    Raises
    ------
    CommandError
        For what is not written so, or no kind.
    """
    kinds = {}
    for text in given:
        name, separator, kind = text.rpartition("=")
        if not separator or not name or kind not in get_args(Kind):
            raise CommandError(
                f"--kind {text!r} is not COLUMN=KIND; kinds are {', '.join(get_args(Kind))}"
            )
        kinds[name] = kind
    return kinds


def check_column(name: str, frame: pd.DataFrame, *, what: str, path: Path) -> None:
    """Hold a column's name to the table's columns.

    Raises
    ------
    CommandError
        There is no such column; one of nearly the same name is suggested.
    """
    if name in frame.columns:
        return
    columns = [str(column) for column in frame.columns]
    close = get_close_matches(name, columns, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
    raise CommandError(f"{what}: {path} has no column {name!r}; {hint}its columns are {shown}")

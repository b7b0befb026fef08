"""The commands that make a run's model again, or hold what is stored to what it answered."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pellucid.automl.replay import replay
from pellucid.automl.verify import Check, compare_data, compare_models, rescore
from pellucid.cli.training import check_column, hold_out
from pellucid.store.run import Run
from pellucid.store.runs import load_run
from pellucid.tabular.read import read_table

_ROWS = 10_000  # compared


def replay_run(
    run: str,
    data: Path,
    *,
    test_share: float | None,
    weight: str | None,
    group: str | None,
    store: str | None,
    trust: Path | None = None,
) -> tuple[bool, str]:
    """Replay, compare the margins of up to 10,000 rows bit for bit, and say how it went."""
    loaded = load_run(run, store=store, trust=trust)
    rows = _rows_of(loaded, data, test_share=test_share, weight=weight, group=group)
    check = _again(loaded, *rows, weight=weight, group=group)
    return bool(check.equal), f"run {loaded.id}: {check.said}"


def verify_run(
    run: str,
    data: Path | None,
    *,
    test_share: float | None,
    weight: str | None,
    group: str | None,
    store: str | None,
    trust: Path | None = None,
) -> list[Check]:
    """Rescore a run's own rows; with its table, compare that cell by cell and train again."""
    loaded = load_run(run, store=store, trust=trust)
    checks = rescore(loaded)
    if data is None or checks[0].equal is False:
        return checks
    X, frame = _rows_of(loaded, data, test_share=test_share, weight=weight, group=group)
    if "horizon" not in loaded.training:  # a forecaster's are made of the table's, and held there
        checks.append(compare_data(loaded, X))
    if checks[-1].equal is not False:
        checks.append(_again(loaded, X, frame, weight=weight, group=group))
    return checks


def _rows_of(
    run: Run, data: Path, *, test_share: float | None, weight: str | None, group: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table that a run was trained on, without and with its target, weights and groups."""
    frame = read_table(data)
    target = run.training["target"]
    for what, name in (("the run's target", target), ("--weight", weight), ("--group", group)):
        if name is not None:
            check_column(name, frame, what=what, path=data)
    if test_share is not None:
        is_class = run.training["task"] != "regression"
        labels, seed = frame[target] if is_class else None, int(run.training["seed"])
        frame = frame[~hold_out(len(frame), test_share, seed=seed, labels=labels)]
    beside = [name for name in (weight, group) if name is not None]
    return frame.drop(columns=[target, *beside]), frame


def _again(
    run: Run, X: pd.DataFrame, frame: pd.DataFrame, *, weight: str | None, group: str | None
) -> Check:
    made = replay(
        run.plan,
        X,
        frame[run.training["target"]],
        None if weight is None else frame[weight],
        groups=None if group is None else frame[group],
    )
    return compare_models(made, run.model(), X[:_ROWS])

"""The replay command: a run's model made again, and held against the one that was stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pellucid.automl.replay import replay
from pellucid.cli.training import check_column, hold_out
from pellucid.explain.forecast import ForecastPredictor
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
) -> tuple[bool, str]:
    """Replay, compare the margins of up to 10,000 rows bit for bit, and say how it went."""
    loaded = load_run(run, store=store)
    frame = read_table(data)
    target = loaded.training["target"]
    for what, name in (("the run's target", target), ("--weight", weight), ("--group", group)):
        if name is not None:
            check_column(name, frame, what=what, path=data)
    if test_share is not None:
        is_class = loaded.training["task"] != "regression"
        labels, seed = frame[target] if is_class else None, int(loaded.training["seed"])
        frame = frame[~hold_out(len(frame), test_share, seed=seed, labels=labels)]
    beside = [name for name in (weight, group) if name is not None]
    X = frame.drop(columns=[target, *beside])
    again = replay(
        loaded.plan,
        X,
        frame[target],
        None if weight is None else frame[weight],
        groups=None if group is None else frame[group],
    )
    stored = loaded.model()
    if isinstance(again, ForecastPredictor):  # what is in its history is not forecast
        ours, theirs = (m.ensemble.margins(again.background) for m in (again, stored))
    else:
        ours, theirs = again.margins(X[:_ROWS]), stored.margins(X[:_ROWS])
    if np.array_equal(ours, theirs):
        return True, f"run {loaded.id}: the same model, to the last bit of {len(ours)} margins"
    gap = float(np.abs(ours - theirs).max())
    return False, f"run {loaded.id}: another model; margins differ by up to {gap:.3g}"

"""`pellucid train` on a table that memory does not hold: a folder of Parquet, or a large file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.automl.estimators import AutoMLClassifier, AutoMLRegressor
from pellucid.automl.target import guess_kind
from pellucid.cli.errors import CommandError
from pellucid.cli.progress import show_progress
from pellucid.cli.training import Request, Trained, check_column, parameters, read_kinds
from pellucid.models.memory import available_memory
from pellucid.tabular.parts import parts_of
from pellucid.tabular.read import read_table

_GROWTH = 8  # bytes of a frame in memory for each on disk, at most, and room to work
_LOOKED_AT = 20_000  # rows whose targets tell classes from values


def is_on_disk(request: Request) -> bool:
    """Whether a table is trained from without reading it: by wish, or for want of memory."""
    if request.data.is_dir() or request.sample_rows is not None:
        return True
    left = available_memory()
    too_large = left is not None and request.data.exists()
    return too_large and _GROWTH * request.data.stat().st_size > (left or 0)


def run_whole(request: Request) -> Trained:
    """Check, and train from the path.

    Raises
    ------
    PellucidError
        For files, columns or options that cannot work.
    """
    if request.horizon is not None or request.test_share is not None:
        option = "--horizon" if request.horizon is not None else "--test-share"
        raise CommandError(f"{option} needs a table in memory; {request.data} is trained from disk")
    first = parts_of(request.data)[0]
    columns = pd.DataFrame(columns=first.names)
    kinds = read_kinds(request.kinds)
    for what, name in (
        ("--target", request.target), ("--weight", request.weight), ("--group", request.group),
        ("--time-column", request.time_column),
        *(("--drop", name) for name in request.drop), *(("--kind", name) for name in kinds),
    ):  # fmt: skip
        if name is not None:
            check_column(name, columns, what=what, path=request.data)
    kind = _kind(request) if request.task == "auto" else request.task
    estimator = AutoMLClassifier if kind == "classification" else AutoMLRegressor
    more: dict[str, Any] = (
        {} if request.sample_rows is None else {"sample_rows": request.sample_rows}
    )
    test, valid = _apart(request, request.test), _apart(request, request.validation)
    with show_progress() as progress:
        model = estimator(
            time_column=request.time_column,
            progress=progress,
            **parameters(request, kinds),
            **more,
        ).fit(
            request.data,
            request.target,
            request.weight,
            groups=request.group,
            X_valid=valid[0],
            y_valid=valid[1],
            X_test=test[0],
            y_test=test[1],
        )
    return Trained(model.run_, model.training_, model.explanation_)


def _kind(request: Request) -> str:
    """Classes or values, told from the first rows."""
    for part in parts_of(request.data):
        for frame in part.frames(_LOOKED_AT, wanted=[request.target]):
            if frame[request.target].notna().any():
                return guess_kind(frame[request.target])
    raise CommandError(f"--target: {request.target!r} is empty in all of {request.data}")


def _apart(request: Request, path: Path | None) -> tuple[pd.DataFrame | None, pd.Series | None]:
    """Rows kept apart, and their targets."""
    if path is None:
        return None, None
    frame = read_table(path)
    check_column(request.target, frame, what="--target", path=path)
    beside = [name for name in (request.weight, request.group) if name is not None]
    return frame.drop(columns=[request.target, *beside], errors="ignore"), frame[request.target]

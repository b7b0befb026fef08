"""Predictions of rows as tables, and tables in files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pellucid.cli.errors import CommandError
from pellucid.files import write_file

if TYPE_CHECKING:
    from pellucid.explain.predictor import Predictor

_SUFFIXES = (".csv", ".parquet")


def check_output(path: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises
    ------
    CommandError
        For an unknown suffix, a folder, or a folder that does not exist.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise CommandError(f"{path}: the output must end in {' or '.join(_SUFFIXES)}")
    if path.is_dir():
        raise CommandError(f"{path} is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"the folder {path.absolute().parent} does not exist; make it first")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as its suffix says, whole or not at all."""
    if path.suffix.lower() == ".csv":
        write_file(path, table.to_csv(index=False).encode())
        return
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_file(path, buffer.getvalue())


def prediction_table(model: Predictor, frame: pd.DataFrame) -> pd.DataFrame:
    """A row per row: the prediction and, for classes, each one's probability."""
    margins = model.margins(frame)
    columns: dict[str, Any] = {"prediction": model.labels(margins)}
    if model.classes is not None:
        probabilities = model.problem.probabilities(margins)
        for k, label in enumerate(model.classes.tolist()):
            columns[f"probability_{label}"] = probabilities[:, k]
    return pd.DataFrame(columns)

"""Explanations that the old SDK left: folders of ``*.interpret.json`` files, read into ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pellucid.azureml.explanations import OldExplanation
from pellucid.errors import PellucidError
from pellucid.explain.explanation import Explanation

_ENDING = ".interpret.json"


class OldFileError(PellucidError):
    """A folder does not hold an old explanation that can be read."""


def read_explanation(folder: str | Path) -> OldExplanation:
    """Read a downloaded ``explanation/<id>`` folder of an old run.

    Parameters
    ----------
    folder : str or Path
        Holds ``features``, ``local_importance_values``, ``expected_values`` and, of a classifier,
        ``classes``, each with the ending ``.interpret.json``.

    Raises
    ------
    OldFileError
        Files that are missing, are no JSON, or contradict each other.

    Notes
    -----
    Of two classes the old files hold two matrices with opposite signs; the second is kept, as
    ours has the margin of the second class. Nothing says which model or rows they are of, so the
    explanation comes without a certificate.
    """
    folder = Path(folder)
    features = _read(folder, "features")
    local = _read(folder, "local_importance_values")
    base = np.ravel(np.asarray(_read(folder, "expected_values"), dtype=np.float64))
    classes = _read(folder, "classes", needed=False)
    try:
        values = np.asarray(local, dtype=np.float64)
    except ValueError as error:
        raise OldFileError(f"the importances in {folder} are no table of numbers") from error
    if classes is not None and values.ndim == 3:
        values = np.moveaxis(values, 0, 2)
        if values.shape[2] == 2:
            values, base = values[:, :, 1], base[-1:]
    if values.ndim not in (2, 3) or values.shape[1] != len(features):
        raise OldFileError(
            f"the importances in {folder} have shape {values.shape}, which does not fit its "
            f"{len(features)} features"
        )
    if values.ndim == 2:
        base = base[-1:]
    names = tuple(map(str, features))
    cells = _read(folder, "eval_data_viz", needed=False)
    if cells is None or np.shape(cells) != values.shape[:2]:
        cells = np.full(values.shape[:2], np.nan)
    return OldExplanation(
        Explanation(
            values=values,
            base_values=base,
            feature_names=names,
            data=pd.DataFrame(cells, columns=names),
            classes=None if classes is None else tuple(classes),
            method="mimic",
            rows_from="an old explanation",
        ),
        id=folder.name,
    )


def _read(folder: Path, name: str, *, needed: bool = True) -> Any:
    file = folder / f"{name}{_ENDING}"
    if not file.is_file():
        if not needed:
            return None
        raise OldFileError(f"{folder} has no {file.name}; expected the folder of an explanation")
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise OldFileError(f"{file} is no JSON: {error}") from error
    return found.get("data", found) if isinstance(found, dict) else found

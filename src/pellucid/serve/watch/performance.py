"""How good predictions were, once it is known what came true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.predictor import Predictor
from pellucid.search.metrics import get_metric
from pellucid.serve.errors import ServeError
from pellucid.serve.watch.window import Window

_CLASSES = ("AUC_weighted", "log_loss", "accuracy")
_VALUES = ("root_mean_squared_error", "mean_absolute_error", "r2_score")


def performance(
    predictor: Predictor, window: Window, labels: pd.DataFrame, *, label: str, key: str
) -> dict[str, float]:
    """Metrics of the logged rows whose truth is known.

    Parameters
    ----------
    labels : DataFrame
        What came true, one row an event.
    label, key : names of its columns that hold the truth and the row ids: what clients sent as
        index, or the request's x-request-id, with "/" and the row's position where it had several

    Returns
    -------
    dict
        ``rows``, and a value for each metric.

    Raises
    ------
    ServeError
        Columns that are absent, ids that are not unique, or none that the log has.
    """
    for name in (label, key):
        if name not in labels.columns:
            there = ", ".join(map(str, labels.columns))
            raise ServeError(f"the labels have no column {name!r}; there are {there}")
    if labels[key].duplicated().any():
        raise ServeError(f"ids in {key!r} of the labels must name one row each")
    known = dict(zip(labels[key].astype(str), labels[label]))
    last = {name: k for k, name in enumerate(window.row_ids)}  # of a row that was asked again
    at = [k for name, k in last.items() if name in known and not pd.isna(known[name])]
    if not at:
        raise ServeError(f"no row of the log has an id that {key!r} of the labels has")
    truth = [known[window.row_ids[k]] for k in at]
    problem, margins = predictor.problem, window.margins[at]
    if predictor.classes is None:
        y = np.asarray(truth, dtype=np.float64)
        names, response = _VALUES, problem.response(margins)
    else:
        y = _codes(truth, predictor.classes)
        names, response = _CLASSES, problem.probabilities(margins)
    found = {name: get_metric(name, problem).compute(y, response, None) for name in names}
    return {"rows": float(len(at)), **found}


def _codes(truth: list[Any], classes: np.ndarray) -> np.ndarray:
    places = {str(name): k for k, name in enumerate(classes.tolist())}
    unknown = [value for value in truth if str(value) not in places]
    if unknown:
        raise ServeError(
            f"the label {str(unknown[0])[:50]!r} is none of the model's classes; expected "
            f"{', '.join(list(places)[:20])}"
        )
    return np.array([places[str(value)] for value in truth])

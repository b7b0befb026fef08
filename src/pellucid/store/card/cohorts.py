"""Cohorts of a card: slices of the rows by the features that matter most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pellucid.explain.told import told
from pellucid.search.uncertainty import half_interval
from pellucid.store.card.document import Table

if TYPE_CHECKING:
    from pellucid.explain.explanation import Explanation

_FEATURES = 3
_LEVELS = 4
_LEAST_ROWS = 20  # of a cohort


def cohort_table(explanation: Explanation) -> Table | None:
    """Rows, answers, truth and error by thirds or levels of the features that matter most.

    Errors are shown of rows that the model did not learn from. A cohort of fewer than 20 rows is
    left out; None where there is none.
    """
    details = explanation.details
    answer, kind = _answers(explanation)
    truth = error = None
    if explanation.rows_from == "test" and "y_true" in details:
        true = np.asarray(details["y_true"])
        if explanation.classes is None:
            truth = true.astype(float)
            error = np.abs(truth - np.asarray(details["predicted"], dtype=float))
        else:
            truth = (true == explanation.classes[1]).astype(float) if kind else None
            error = (true != np.asarray(details["predicted"])).astype(float)
    columns = [("mean answer", answer), ("truth", truth), ("error", error)]
    shown = [(name, values) for name, values in columns if values is not None]
    if not shown:
        return None
    rows = [
        (name, f"{int(mask.sum()):,}", *(_cell(label, values[mask]) for label, values in shown))
        for name, mask in _cohorts(explanation)
    ]
    if not rows:
        return None
    rows.insert(0, ("all", f"{explanation.n_rows:,}", *(_cell(n, v) for n, v in shown)))
    says = {
        "mean answer": f"mean probability of {kind}" if kind else "mean prediction",
        "truth": f"share of {kind}" if kind else "mean truth",
        "error": "mean absolute error" if explanation.classes is None else "share that is wrong",
    }
    head = ("cohort", "rows", *(says[name] for name, _ in shown))
    return Table(head, tuple(rows), numbers=tuple(range(1, len(head))))


def _answers(explanation: Explanation) -> tuple[np.ndarray | None, str]:
    """What the model says of each row, and of which class; none for three classes or more."""
    details = explanation.details
    if explanation.classes is None:
        if "predicted" not in details:
            return None, ""
        return np.asarray(details["predicted"], dtype=float), ""
    if len(explanation.classes) != 2 or "probability" not in details:
        return None, ""
    return np.asarray(details["probability"], dtype=float)[:, 1], str(explanation.classes[1])


def _cell(label: str, values: np.ndarray) -> str:
    """A mean; of errors with half of its 95 % interval."""
    if label != "error":
        return f"{values.mean():.3g}"
    return f"{values.mean():.3g} ± {half_interval(values):.2g}"


def _cohorts(explanation: Explanation) -> list[tuple[str, np.ndarray]]:
    found: list[tuple[str, np.ndarray]] = []
    for name in explanation.global_importance().index[:_FEATURES]:
        column = explanation.data.iloc[:, explanation.feature_names.index(str(name))]
        found += [
            (label, mask)
            for label, mask in _slices(str(name), column)
            if _LEAST_ROWS <= mask.sum() < len(column)
        ]
    return found


def _slices(name: str, column: pd.Series[Any]) -> list[tuple[str, np.ndarray]]:
    """Thirds of numbers and dates, the commonest levels of others, and missing cells."""
    missing = column.isna().to_numpy()
    dated = pd.api.types.is_datetime64_any_dtype(column)
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    found = []
    if (numeric or dated) and column.nunique() > _LEVELS:
        present = column[~missing]
        low, high = present.quantile(1 / 3), present.quantile(2 / 3)
        said = [f"{cut:%Y-%m-%d}" if dated else told(cut) for cut in (low, high)]
        first, last = (column <= low).to_numpy(), (column > high).to_numpy()
        found = [
            (f"{name} up to {said[0]}", first),
            (f"{name} {said[0]} to {said[1]}", ~first & ~last & ~missing),
            (f"{name} above {said[1]}", last),
        ]
    else:
        levels = column.value_counts().index[:_LEVELS]
        found = [(f"{name} = {level}", (column == level).to_numpy()) for level in levels]
    return [*found, (f"{name} missing", missing)]

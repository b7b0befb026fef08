"""Curves over one feature for a page: what the model says on average and of one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.asking import AskError, ask_by_cell, changed
from pellucid.explain.explanation import Explanation
from pellucid.explain.predictor import Predictor

_AVERAGED = 100  # rows that a curve of a model without a background of its own averages over


@dataclass(frozen=True)
class Question:
    """A feature of a level, the output, the row, and the rows whose values of it are put in.

    All are positions: ``feature`` among the level's, the others in the explanation.
    """

    level: Literal["raw", "engineered"]
    feature: int
    output: int
    row: int
    at: tuple[int, ...]


def curves_of(model: Any, shown: Explanation, asked: Question) -> dict[str, Any]:
    """Partial dependence, and the curve of one row: what is answered where a value is put in.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    shown : Explanation
    asked : Question

    Returns
    -------
    dict
        ``mean``: the mean answer with each value, less the mean answer as the rows are;
        ``row``: the row's own answer with each; ``n``: rows that the mean is of; ``background``:
        whether they are those that importances stand before. Answers are in the explanation's
        space. Of an additive model, ``mean`` before the background is its Shapley values.

    Raises
    ------
    AskError
        Engineered features of a model that is not our own.

    Notes
    -----
    Friedman (2001), section 8.2; curves of rows: Goldstein et al. (2015).
    """
    predictor = own_predictor(model, shown)
    if predictor is not None:
        return _of_predictor(predictor, shown, asked)
    if asked.level != "raw":
        raise AskError("only raw features of this model can be varied; choose those")
    return _of_any(model, shown, asked)


def own_predictor(model: Any, shown: Explanation) -> Predictor | None:
    """Our own predictor in a model, where an explanation is of its margin over its raw features."""
    predictor = as_subject(model, shown.data).model
    if not isinstance(predictor, Predictor) or shown.space != "margin":
        return None
    same = tuple(shown.feature_names) == tuple(predictor.feature_map.raw_names)
    return predictor if same else None


def _of_predictor(predictor: Predictor, shown: Explanation, asked: Question) -> dict[str, Any]:
    """Engineered columns of the feature are replaced: they are made of nothing else."""
    cells = predictor.frame(shown.data.iloc[[asked.row, *asked.at]])
    row, *points = predictor.featurizer.transform(cells)
    owner = predictor.feature_map.raw_of
    own = owner == asked.feature if asked.level == "raw" else np.arange(len(owner)) == asked.feature
    before = np.vstack([row[None, :], predictor.background])

    def answers(values: np.ndarray) -> np.ndarray:
        matrix = before.copy()
        matrix[:, own] = values[own]
        found: np.ndarray = predictor.ensemble.margins(matrix)[:, asked.output]
        return found

    curves = np.array([answers(point) for point in points])  # (n_points, 1 + n_background)
    base = predictor.ensemble.margins(predictor.background)[:, asked.output].mean()
    return {
        "mean": (curves[:, 1:].mean(axis=1) - base).tolist(),
        "row": curves[:, 0].tolist(),
        "n": len(predictor.background),
        "background": True,
    }


def _of_any(model: Any, shown: Explanation, asked: Question) -> dict[str, Any]:
    """Cells are replaced in some of the rows themselves."""
    many = shown.n_outputs > 1
    label = (shown.classes or range(shown.n_outputs))[asked.output] if many else None
    some = np.unique(
        np.linspace(0, shown.n_rows - 1, min(_AVERAGED, shown.n_rows)).round().astype(int)
    )
    rows: pd.DataFrame = shown.data.iloc[[asked.row, *some]]
    about = ask_by_cell(model, rows, space=shown.space, label=label)  # type: ignore[arg-type]
    at = about.position(shown.feature_names[asked.feature])
    cells = shown.data.iloc[list(asked.at), asked.feature]
    curves = np.array([about.answers(changed(about.rows, {at: cell})) for cell in cells])
    return {
        "mean": (curves[:, 1:].mean(axis=1) - about.answers(about.rows)[1:].mean()).tolist(),
        "row": curves[:, 0].tolist(),
        "n": len(some),
        "background": False,
    }

"""Dask's tables explained partition by partition, and summed up as a tree.

Nothing is computed until Dask is asked to. The model goes to each worker once, as files, and is
compiled there once, whatever the number of partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.answering import answer
from pellucid.explain.carried import Carried
from pellucid.explain.conditions import holds
from pellucid.explain.explanation import ExplanationError, Level
from pellucid.explain.forecast import ForecastPredictor
from pellucid.explain.predictor import Predictor

_BRANCHES = 8  # sums that are added up at a time
ALL = "all rows"


def explain_frame(model: Any, X: Any, *, level: Level = "raw", predictions: bool = True) -> Any:
    """Explain every row of a Dask DataFrame, lazily.

    Parameters
    ----------
    model : Predictor, or a fitted estimator of Pellucid's
    X : dask.dataframe.DataFrame, (n_rows, n_columns)
    level : "raw" or "engineered"
    predictions : bool
        Whether predictions, and probabilities for classes, stand beside importances.

    Returns
    -------
    dask.dataframe.DataFrame
        With the index and partitions of X. Three or more classes give a row each.

    Raises
    ------
    ExplanationError
        A model that Pellucid did not train.
    """
    carried = Carried.of(own_predictor(model))
    meta, sent = _explained(X._meta, carried, level, predictions), sent_once(carried)
    return X.map_partitions(_explained, sent, level, predictions, meta=meta, enforce_metadata=False)


def predict_frame(model: Any, X: Any, *, probabilities: bool = False) -> Any:
    """Predict every row of a Dask DataFrame, lazily.

    Parameters
    ----------
    model : Predictor, or a fitted estimator of Pellucid's
    X : dask.dataframe.DataFrame, (n_rows, n_columns)
    probabilities : bool
        Of each class, instead of labels or values.

    Returns
    -------
    dask.dataframe.Series, or DataFrame with a column for each class
        With the index and partitions of X.

    Raises
    ------
    ExplanationError
        A model that Pellucid did not train.
    """
    carried = Carried.of(own_predictor(model))
    meta, sent = _predicted(X._meta, carried, probabilities), sent_once(carried)
    return X.map_partitions(_predicted, sent, probabilities, meta=meta, enforce_metadata=False)


def importance(
    model: Any, X: Any, *, level: Level = "raw", cohorts: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Mean absolute importance over all rows of a Dask DataFrame, and within cohorts.

    Partitions give sums, which are added up as a tree, so no process ever holds the values of more
    than one partition.

    Parameters
    ----------
    model, X, level
        As in `explain_frame`.
    cohorts : mapping of a name to a condition in words, optional
        Such as ``{"young": "age < 30"}``, over columns of X.

    Returns
    -------
    DataFrame, a row per feature, by its importance over all rows
        A column for all rows and for each cohort; ``attrs["rows"]`` has how many rows are in each.

    Raises
    ------
    ExplanationError
        A model that Pellucid did not train, or a cohort of the name "all rows".
    """
    own = own_predictor(model)
    conditions = dict(cohorts or {})
    if ALL in conditions:
        raise ExplanationError(f"a cohort is called {ALL!r}, which is the name of the whole")
    totals, counts = added_up(X, _sums, _added, sent_once(Carried.of(own)), level, conditions)
    names = [ALL, *conditions]
    table = pd.DataFrame(
        (totals / np.maximum(counts, 1)[:, None]).T,
        index=pd.Index(own.names_of(level), name="feature"),
        columns=names,
    )
    table = table.sort_values(ALL, ascending=False, kind="stable")
    table.attrs["rows"] = dict(zip(names, counts.tolist(), strict=True))
    return table


def added_up(
    X: Any, sums: Callable[..., Any], added: Callable[[Sequence[Any]], Any], *given: Any
) -> Any:
    """What ``sums(partition, *given)`` gives of a Dask DataFrame, added up as a tree."""
    import dask
    from dask import delayed

    of_part, of_some = delayed(sums, pure=False), delayed(added, pure=False)
    found = [of_part(part, *given) for part in X.to_delayed()]
    while len(found) > 1:
        found = [of_some(found[i : i + _BRANCHES]) for i in range(0, len(found), _BRANCHES)]
    return dask.compute(found[0])[0]


def sent_once(model: Carried) -> Any:
    """The model as Dask sends it: once to a worker, whatever asks for it."""
    from dask import delayed

    return delayed(model, name=f"pellucid-model-{model.digest}", traverse=False)


def own_predictor(model: Any) -> Predictor:
    """The predictor of a model that Pellucid trained, other than of forecasts.

    Raises
    ------
    ExplanationError
        Another model.
    """
    own = getattr(model, "predictor_", model)
    if not isinstance(own, Predictor) or isinstance(own, ForecastPredictor):
        raise ExplanationError(
            f"a {type(own).__name__} cannot explain Dask's tables; expected the model of a "
            f"classifier's or a regressor's run"
        )
    return own


def _explained(
    frame: pd.DataFrame, carried: Carried, level: Level, predictions: bool
) -> pd.DataFrame:
    model = carried.model()
    answers = answer(model, frame, first=0, levels=[level], predictions=predictions, identity=None)
    found = answers.table.to_pandas()
    n_outputs = len(found) // len(frame) if len(frame) else 1
    own_row = next(name for name in found.columns if name.rstrip("_") == "row")
    return found.drop(columns=own_row).set_axis(frame.index.repeat(n_outputs), axis=0)


def _predicted(frame: pd.DataFrame, carried: Carried, probabilities: bool) -> Any:
    model = carried.model()
    if not probabilities:
        return pd.Series(model.predict(frame), index=frame.index, name=model.target)
    return pd.DataFrame(model.predict_proba(frame), index=frame.index, columns=model.classes)


def _sums(
    frame: pd.DataFrame, carried: Carried, level: Level, conditions: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of absolute importances (n_groups, n_features), and rows, of all and each cohort."""
    model = carried.model()
    rows = model.frame(frame)
    matrix = model.featurizer.transform(rows)
    values, _ = model.importances(level, matrix, model.ensemble.margins(matrix))
    sizes = np.abs(values.reshape(*values.shape[:2], -1)).mean(axis=2)  # (n_rows, n_features)
    members = [np.ones(len(frame), dtype=bool)]
    table = frame.assign(**{name: rows[name] for name in rows.columns})  # texts as conditions read
    members += [np.asarray(holds(each, table), dtype=bool) for each in conditions.values()]
    inside = np.array(members)
    return inside.astype(np.float64) @ sizes, inside.sum(axis=1)


def _added(sums: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return sum(total for total, _ in sums), sum(count for _, count in sums)  # type: ignore[return-value]

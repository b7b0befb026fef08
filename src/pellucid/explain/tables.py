"""Tables as the model takes them: the right columns, in order, as frame, array or CSR matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.explain.matrices import width
from pellucid.explain.subject import SubjectError
from pellucid.tabular.frames import to_frame

_SHOWN = 5  # names in a message


def checked_reader(model: Any, first: Any, X: Any, *, label: str) -> Callable[[Any], Any]:
    """A function that gives any table the form that a model was fitted on.

    Parameters
    ----------
    model, first : the model, and the part of it that sees rows first.
    X : table, optional
        What the model will be asked on. A model that knows no names of columns takes tables of
        this form.
    label : str
        What errors call the model.
    """
    names = _names(model) or _names(first)
    n_columns = _count(model) or _count(first)
    is_function = not hasattr(model, "predict") and not hasattr(model, "predict_proba")
    order = list(X.columns) if is_function and isinstance(X, pd.DataFrame) else None

    def read(table: Any) -> Any:
        rows = _rows(table, names)
        if order is not None and isinstance(rows, pd.DataFrame):
            return _aligned(rows, order, label)
        if isinstance(rows, pd.DataFrame) and names is not None:
            return _aligned(rows, names, label)
        if n_columns is not None and width(rows) != n_columns:
            raise SubjectError(
                f"X has {width(rows)} columns, but {label} was fitted on {n_columns}; give those, "
                f"in their order"
            )
        was_array = names is None and not is_function and not _is_of(model, "catboost")
        if was_array and isinstance(rows, pd.DataFrame) and _named_by_text(rows):
            return rows.to_numpy()  # a frame with such names would have left them with the model
        return rows

    return read


def named_reader(names: list[Any], label: str) -> Callable[[Any], pd.DataFrame]:
    """A function that gives any table as a frame of these columns."""

    def read(table: Any) -> pd.DataFrame:
        rows = _rows(table, names)
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
        return _aligned(frame, names, label)

    return read


def text_reader(label: str) -> Callable[[Any], pd.DataFrame]:
    """A function that gives texts as a table of one column."""

    def read(texts: Any) -> pd.DataFrame:
        if isinstance(texts, pd.DataFrame) and texts.shape[1] == 1:
            return texts
        if not are_texts(texts):
            raise SubjectError(
                f"{label} takes texts; give a list or a Series of them, as X has, not a "
                f"{type(texts).__name__}"
            )
        column = texts if isinstance(texts, pd.Series) else pd.Series(list(texts), dtype=object)
        return column.to_frame(column.name if column.name is not None else "text")

    return read


def knows_names(*parts: Any) -> bool:
    """Whether a model, or a part of it, knows names of columns."""
    return any(_names(part) is not None for part in parts)


def are_texts(table: Any) -> bool:
    """Whether a series, list or array is one of texts, as text pipelines take it."""
    if isinstance(table, pd.Series):
        return bool(table.dtype == object or pd.api.types.is_string_dtype(table.dtype))
    if isinstance(table, np.ndarray):
        return table.ndim == 1 and table.dtype.kind in "OUT"
    return isinstance(table, list) and bool(table) and all(isinstance(t, str) for t in table)


def index_of(X: Any, n_rows: int) -> pd.Index:
    """The identity of rows: a frame's index, the name of one row, else their numbers."""
    if isinstance(X, pd.Series) and len(X) != n_rows:
        return pd.Index([X.name])
    return X.index if isinstance(X, (pd.DataFrame, pd.Series)) else pd.RangeIndex(n_rows)


def names_of(rows: Any, model: Any, first: Any) -> tuple[str, ...]:
    """Names of prepared rows' columns."""
    if isinstance(rows, pd.DataFrame):
        return tuple(map(str, rows.columns))
    names = _names(model) or _names(first)
    if names is not None and len(names) == width(rows):
        return tuple(map(str, names))
    return tuple(f"x{i}" for i in range(width(rows)))


def _rows(table: Any, names: list[Any] | None) -> Any:
    if sparse.issparse(table):
        return sparse.csr_matrix(table)
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, np.ndarray) and table.ndim == 2:
        if names is None or len(names) != table.shape[1]:
            return table
        return pd.DataFrame(table, columns=names)
    named = names is not None and all(isinstance(name, str) for name in names)
    return to_frame(table, feature_names=names if named else None)


def _aligned(frame: pd.DataFrame, names: list[Any], label: str) -> pd.DataFrame:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        spelled = {str(name).replace(" ", "_"): name for name in frame.columns}
        if all(name in spelled for name in names):  # LightGBM's own spelling of the names
            return frame[[spelled[name] for name in names]]
    if missing:
        shown = ", ".join(map(repr, missing[:_SHOWN]))
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise SubjectError(
            f"X lacks {len(missing)} of the {len(names)} columns that {label} was fitted on: "
            f"{shown}{more}; X has {', '.join(map(repr, list(frame.columns)[:_SHOWN]))}. Give "
            f"the table as it was at the fit"
        )
    found = frame[names] if list(frame.columns) != names else frame
    if found.shape[1] != len(names):
        twice = [name for name in names if list(frame.columns).count(name) > 1]
        raise SubjectError(f"X has several columns named {twice[0]!r}; give each its own name")
    return found


def _names(model: Any) -> list[Any] | None:
    """Names of columns at the fit, if there were any."""
    for read in (_sklearn_names, _booster_names, _catboost_names):
        found = read(model)
        if found:
            return found
    return None


def _sklearn_names(model: Any) -> list[Any] | None:
    if _is_of(model, "lightgbm"):
        return None
    try:
        found = getattr(model, "feature_names_in_", None)
    except Exception:
        return None
    return None if found is None else list(found)


def _booster_names(model: Any) -> list[Any] | None:
    if _is_of(model, "lightgbm"):
        booster = getattr(model, "booster_", None) or model
        names = list(booster.feature_name()) if hasattr(booster, "feature_name") else []
        made_up = [f"Column_{i}" for i in range(len(names))]
        return None if names == made_up else names
    if _is_of(model, "xgboost") and hasattr(model, "feature_names"):
        return list(model.feature_names) if model.feature_names else None
    return None


def _catboost_names(model: Any) -> list[Any] | None:
    if not _is_of(model, "catboost"):
        return None
    names = list(model.feature_names_ or ())
    return None if names == [str(i) for i in range(len(names))] else names


def _count(model: Any) -> int | None:
    for attribute in ("n_features_in_", "num_feature", "num_features"):
        try:
            found = getattr(model, attribute, None)
            found = found() if callable(found) else found
        except Exception:  # nosec B112: the same, of attributes of other libraries
            continue
        if found is not None:
            return int(found)
    return None


def _named_by_text(frame: pd.DataFrame) -> bool:
    return all(isinstance(name, str) for name in frame.columns)


def _is_of(model: Any, library: str) -> bool:
    return type(model).__module__.partition(".")[0] == library

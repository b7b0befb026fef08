"""The target: what kind of problem it makes, and its rows as codes or values."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.exceptions import DataConversionWarning

from pellucid.errors import PellucidError
from pellucid.models.problem import Problem

_MANY_CLASSES = 500
_FEW_VALUES = 20  # whole numbers with at most this many values are taken for classes
_FARTHEST = 1e30  # size of a value, or 1 over that: libraries hold targets in single precision

_SORTS = (str, bool, np.bool_, Real)  # of labels, each of which is compared with its own


class TargetError(PellucidError, ValueError):
    """The target cannot be learned as asked."""


@dataclass(frozen=True, eq=False)
class Target:
    """y of the rows that have one.

    y : (n_known,), class codes as int64 or values as float64.
    known : bool (n_rows,); which rows of the table have a target.
    classes : labels in the caller's type, or None.
    """

    problem: Problem
    y: np.ndarray
    known: np.ndarray
    classes: np.ndarray | None
    name: str


def guess_kind(values: pd.Series) -> Literal["classification", "regression"]:
    """Whether a column reads as classes or as values.

    Examples
    --------
    >>> guess_kind(pd.Series(["yes", "no"])), guess_kind(pd.Series([0.5, 1.25, 9.0]))
    ('classification', 'regression')
    """
    known = values.dropna()
    if pd.api.types.is_bool_dtype(known) or not pd.api.types.is_numeric_dtype(known):
        return "classification"
    whole = bool((known == known.round()).all())
    return "classification" if whole and known.nunique() <= _FEW_VALUES else "regression"


def read_classes(y: Any, *, n_rows: int) -> Target:
    """Labels of any type as codes.

    Raises
    ------
    TargetError
        For a wrong length, no or one class, labels that are not comparable, or a continuous target.
    """
    series = _series(y, n_rows)
    known = series.notna().to_numpy()
    labels = series[known]
    _check_some(labels, series)
    if pd.api.types.is_float_dtype(labels.dtype):
        values = labels.to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            raise TargetError(f"target {_named(series)} has infinite values; remove those rows")
        if (values != np.round(values)).any() and len(np.unique(values)) > _FEW_VALUES:
            raise TargetError(
                f"target {_named(series)} is continuous ({len(np.unique(values))} different values "
                f"such as {values[0]!r}); use AutoMLRegressor, or bin it into classes"
            )
    plain = _plain(labels)
    _check_labels(plain, series)
    classes, codes = np.unique(plain, return_inverse=True)
    if len(classes) < 2:
        raise TargetError(
            f"target {_named(series)} has a single class, {classes[0]!r}; "
            f"two or more are needed to learn a difference"
        )
    if len(classes) > _MANY_CLASSES:
        raise TargetError(
            f"target {_named(series)} has {len(classes)} classes, more than {_MANY_CLASSES}; "
            f"is it an identifier, or a number to regress on?"
        )
    task: Literal["binary", "multiclass"] = "binary" if len(classes) == 2 else "multiclass"
    return Target(
        Problem(task, len(classes)),
        codes.astype(np.int64).ravel(),
        known,
        classes,
        str(series.name or "y"),
    )


def read_values(y: Any, *, n_rows: int) -> Target:
    """A numeric target as float64.

    Raises
    ------
    TargetError
        For a wrong length, text, times, infinite values, values whose squares no number holds, or
        a target that never varies.
    """
    series = _series(y, n_rows)
    if series.dtype.kind in "mM" or isinstance(series.dtype, pd.PeriodDtype):
        raise TargetError(
            f"target {_named(series)} must be numeric for regression, but holds {series.dtype}; "
            f"turn times into numbers, for example with y.dt.total_seconds()"
        )
    try:
        values = pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        bad = next((v for v in series.dropna() if not _is_number(v)), None)
        raise TargetError(
            f"target {_named(series)} must be numeric for regression, but has {bad!r}; "
            f"use AutoMLClassifier for classes, or clean the column"
        ) from error
    known = ~np.isnan(values)
    _check_some(series[known], series)
    if not np.isfinite(values[known]).all():
        raise TargetError(f"target {_named(series)} has infinite values; remove those rows")
    if np.ptp(values[known]) == 0:
        raise TargetError(
            f"target {_named(series)} is {float(values[known][0])!r} in every row; "
            f"there is nothing to learn"
        )
    largest, spread = float(np.abs(values[known]).max()), float(np.ptp(values[known]))
    if largest > _FARTHEST or spread < 1 / _FARTHEST:
        raise TargetError(
            f"target {_named(series)} goes up to {largest:.3g} and varies by {spread:.3g}, beyond "
            f"what models can square and add up; give it in another unit, near 1"
        )
    return Target(Problem("regression"), values[known], known, None, str(series.name or "y"))


def encode(y: Any, target: Target, *, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Further rows' target in the terms of the training's.

    Returns
    -------
    (ndarray, ndarray of bool)
        Codes or values (n_rows,), and which rows have one.

    Raises
    ------
    TargetError
        For a wrong length, a label that training did not have, or what is no number.
    """
    series = _series(y, n_rows)
    known = series.notna().to_numpy()
    if target.classes is None:
        values = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        if (np.isnan(values) & known).any():
            bad = series[np.isnan(values) & known].iloc[0]
            raise TargetError(
                f"target {_named(series)} of the test rows must be numeric, but has {bad!r}; "
                f"clean the column"
            )
        return values, known
    codes = pd.Index(target.classes).get_indexer(pd.Index(_plain(series[known])))
    if (codes < 0).any():
        label = series[known].iloc[int(np.argmax(codes < 0))]
        raise TargetError(
            f"target {_named(series)} of the test rows has {label!r}, which the training rows "
            f"have not; they have {', '.join(map(repr, target.classes.tolist()[:10]))}"
        )
    full = np.zeros(n_rows, dtype=np.int64)
    full[known] = codes
    return full, known


def _series(y: Any, n_rows: int) -> pd.Series:
    if hasattr(y, "to_pandas"):  # polars, pyarrow
        y = y.to_pandas()
    if isinstance(y, pd.DataFrame):
        if y.shape[1] != 1:
            raise TargetError(f"the target must be one column, not {y.shape[1]}")
        y = y.iloc[:, 0]
    if y is None:
        raise TargetError(
            "fit needs a target: it requires y to be passed, but the target y is None; fit(X, y)"
        )
    if not isinstance(y, pd.Series):
        array = np.asarray(y)
        if array.dtype.kind in "US" and not isinstance(y, np.ndarray):
            array = np.asarray(y, dtype=object)  # labels of a list keep their own types
        if array.ndim == 2 and array.shape[1] == 1:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected; pass y.ravel()",
                DataConversionWarning,
                stacklevel=5,
            )
            array = array[:, 0]
        if array.dtype.kind == "c":
            raise TargetError(
                "Complex data not supported: the target holds complex numbers; pass its real part"
            )
        if array.ndim != 1:
            raise TargetError(f"the target must be one column, not of shape {array.shape}")
        y = pd.Series(array)
    if len(y) != n_rows:
        raise TargetError(f"X has {n_rows} rows but y has {len(y)}; they must be the same")
    return y


def _check_some(known: pd.Series, series: pd.Series) -> None:
    if len(known) < 2:
        raise TargetError(
            f"target {_named(series)} is known in {len(known)} of {len(series)} rows: at least two "
            f"rows with a target are needed, n_samples = {len(known)}"
        )


def _check_labels(labels: np.ndarray, series: pd.Series) -> None:
    """Refuse labels that cannot be sorted, or that JSON, in which answers are given, has not."""
    if labels.dtype.kind in "biuf":
        return
    kinds = {type(label) for label in labels}
    sorts = {next((sort for sort in _SORTS if issubclass(kind, sort)), kind) for kind in kinds}
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    if len(sorts) > 1:
        raise TargetError(
            f"target {_named(series)} mixes labels of types {names}; "
            f"convert them to one type, for example with y.astype(str)"
        )
    if not sorts <= set(_SORTS):
        raise TargetError(
            f"target {_named(series)} has labels of type {names}, such as {labels[0]!r:.60}; "
            f"labels are text, whole numbers, numbers or truth values: convert them, for example "
            f"with y.astype(str)"
        )


def _plain(labels: pd.Series) -> np.ndarray:
    """Labels as a NumPy array of their natural type."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.astype(labels.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(labels.dtype):
        return labels.to_numpy(dtype=bool)
    if pd.api.types.is_integer_dtype(labels.dtype):
        fits = labels.max() <= np.iinfo(np.int64).max
        return labels.to_numpy(dtype=np.int64 if fits else np.uint64)
    if pd.api.types.is_float_dtype(labels.dtype):
        return labels.to_numpy(dtype=np.float64)
    return labels.to_numpy(dtype=object)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _named(series: pd.Series) -> str:
    return repr(str(series.name)) if series.name is not None else "y"

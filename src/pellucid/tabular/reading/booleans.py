"""Cells as truth values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.reading.values import NA_WORDS, is_missing, refuse, text_of

EXPECTED = "true or false"
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n", "0"), 0.0),
}


def read_booleans(values: pd.Series, *, name: str) -> np.ndarray:
    """A column as float64 (n_rows,) of 1, 0 and NaN where there is no value.

    Raises
    ------
    SchemaError
        For the first cell that is neither true nor false, in whichever usual spelling.

    Examples
    --------
    >>> read_booleans(pd.Series([True, "no", None, 1]), name="paid")
    array([ 1.,  0., nan,  1.])
    """
    if values.dtype == np.bool_:
        return values.to_numpy().astype(np.float64)
    out = np.empty(len(values))
    for i, value in enumerate(values.astype(object).to_numpy()):
        truth = truth_of(value, name)
        if truth is None:
            refuse(values, i, name, EXPECTED)
        out[i] = truth
    return out


def truth_of(value: Any, name: str) -> float | None:
    """A cell as 1, 0 or NaN; None where it is neither true nor false."""
    if is_missing(value):
        return np.nan
    word = text_of(value, name).strip().lower()
    return _WORDS.get(word, np.nan if word in NA_WORDS else None)

"""Columns and importances as compact JSON values: typed arrays in base64, categories as codes."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd

LONGEST_CELL = 160  # characters of a cell that a page shows
_FULL_SCALE = 32767
_CODES = 254  # levels that fit a byte, one code being kept for "missing"


def pack_importances(values: np.ndarray) -> dict[str, Any]:
    """Importances as 16-bit steps of each column's largest absolute value.

    A step is 1/32767 of the column's largest value: nearly five significant digits, in a third
    of the characters that JSON numbers take.

    Parameters
    ----------
    values : ndarray, (n_rows, n_features) or (n_rows, n_features, n_outputs)

    Returns
    -------
    dict
        ``i16``: base64 of little-endian integers, (n_outputs, n_features, n_rows);
        ``step``: what one of them is worth, (n_outputs, n_features).

    Examples
    --------
    >>> packed = pack_importances(np.array([[0.5, -1.0], [0.1, 2.0]]))
    >>> [[round(step * 32767, 6) for step in steps] for steps in packed["step"]]
    [[0.5, 2.0]]
    >>> np.frombuffer(base64.b64decode(packed["i16"]), "<i2").tolist()
    [32767, 6553, -16384, 32767]
    """
    cube = values if values.ndim == 3 else values[:, :, None]
    ordered = np.nan_to_num(np.moveaxis(cube, 0, 2).swapaxes(0, 1), posinf=0.0, neginf=0.0)
    largest = np.abs(ordered).max(axis=2, initial=0.0)  # (n_outputs, n_features)
    step = np.where(largest > 0, largest, 1.0) / _FULL_SCALE
    return {
        "i16": _base64((ordered / step[:, :, None]).round().astype("<i2")),
        "step": [[significant(s, digits=7) for s in row] for row in step],
    }


def pack_column(values: pd.Series) -> dict[str, Any]:
    """One column's cells: numbers, times or categories, with a code for what is missing.

    Returns
    -------
    dict
        ``kind`` is "numeric", "time" (milliseconds since 1970) or "category". Cells are ``f32`` or
        ``f64`` with NaN for missing, or ``u8`` / ``u16`` codes into ``levels``, the highest code
        for missing; base64, little-endian.

    Examples
    --------
    >>> pack_column(pd.Series(["b", None, "a"]))
    {'kind': 'category', 'levels': ['a', 'b'], 'u8': 'Af8A'}
    >>> pack_column(pd.Series([1.0, 2.5, np.nan, 1.0]))
    {'kind': 'numeric', 'levels': [1.0, 2.5], 'u8': 'AAH/AA=='}
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        times = values.dt.tz_localize(None) if values.dt.tz is not None else values
        stamps = times.to_numpy("datetime64[ms]").astype(np.float64)
        return _numbers("time", np.where(times.isna(), np.nan, stamps))
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return _numbers("numeric", values.to_numpy(dtype=np.float64, na_value=np.nan))
    known = values.notna().to_numpy(dtype=bool)
    cells = np.array([shown_cell(cell) for cell in values[known]], dtype=object)
    levels, codes = np.unique(cells.astype(str), return_inverse=True)
    return {"kind": "category", "levels": levels.tolist(), **_codes(codes, known, len(levels))}


def significant(value: float, *, digits: int = 5) -> float | None:
    """A number with so many significant digits, None when it is not finite.

    Examples
    --------
    >>> significant(0.123456789), significant(float("nan"))
    (0.12346, None)
    """
    return float(f"{value:.{digits}g}") if np.isfinite(value) else None


def _numbers(kind: str, numbers: np.ndarray) -> dict[str, Any]:
    known = ~np.isnan(numbers)
    levels, codes = np.unique(numbers[known], return_inverse=True)
    if len(levels) <= _CODES and np.isfinite(levels).all():
        return {"kind": kind, "levels": levels.tolist(), **_codes(codes, known, len(levels))}
    with np.errstate(over="ignore"):
        narrow = numbers.astype("<f4")
    close = np.isclose(narrow.astype(np.float64), numbers, rtol=1e-6, atol=0.0, equal_nan=True)
    whole = np.abs(numbers[known]) > 2**24  # counts and times keep their last digit
    if close.all() and not whole.any():
        return {"kind": kind, "f32": _base64(narrow)}
    return {"kind": kind, "f64": _base64(numbers.astype("<f8"))}


def pack_numbers(numbers: np.ndarray) -> dict[str, str]:
    """Numbers in single precision, ``f32`` as of a column.

    Examples
    --------
    >>> pack_numbers(np.array([1.0]))
    {'f32': 'AACAPw=='}
    """
    return {"f32": _base64(numbers.astype("<f4"))}


def _codes(codes: np.ndarray, known: np.ndarray, n_levels: int) -> dict[str, str]:
    name, dtype = ("u8", np.dtype("u1")) if n_levels <= _CODES else ("u16", np.dtype("<u2"))
    out = np.full(len(known), np.iinfo(dtype).max, dtype=dtype)
    out[known] = codes
    return {name: _base64(out)}


def shown_cell(cell: Any) -> str:
    """A cell as a page shows it, its start where it is long."""
    text = str(cell)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")

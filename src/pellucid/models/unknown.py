"""Categories that the training rows lack: they take the way of a missing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pellucid.shapley.trees import CATEGORICAL, MISSING_LEFT, UNKNOWN_LEFT, TreeEnsemble


def codes_of(column: np.ndarray) -> np.ndarray:
    """The category codes that a column shows."""
    return np.unique(column[~np.isnan(column)]).astype(np.int64)


def without_unknown(X: np.ndarray, known: Mapping[int, np.ndarray]) -> np.ndarray:
    """The rows with NaN for codes that are not known: XGBoost would send them left, or raise."""
    if not known:
        return X
    X = X.copy()
    for column, codes in known.items():
        X[~np.isin(X[:, column], codes), column] = np.nan
    return X


def unknown_as_missing(trees: TreeEnsemble, known: Mapping[int, np.ndarray]) -> TreeEnsemble:
    """Send codes that the training rows lack where NaN goes.

    known : for each column of categories, the codes that the training rows have.
    """
    if not known:
        return trees
    words = [np.zeros(0, dtype=np.uint32)] * trees.n_nodes
    flags = trees.flags.copy()
    for node in np.flatnonzero(flags & CATEGORICAL):
        start, size = trees.cat_start[node], trees.cat_size[node]
        missing_left = bool(flags[node] & MISSING_LEFT)
        bits = np.unpackbits(trees.cat_bits[start : start + size].view(np.uint8), bitorder="little")
        codes = known[trees.feature[node]]
        inside = codes[codes < len(bits)]
        goes_left = np.full(32 * (codes.max() // 32 + 1), missing_left)
        goes_left[codes] = bool(flags[node] & UNKNOWN_LEFT)
        goes_left[inside] = bits[inside]
        words[node] = np.packbits(goes_left, bitorder="little").view("<u4")
        flags[node] = CATEGORICAL | (missing_left and MISSING_LEFT | UNKNOWN_LEFT)
    size = np.array([len(bits) for bits in words], dtype=np.int32)
    return replace(
        trees,
        flags=flags,
        cat_size=size,
        cat_start=np.cumsum(size, dtype=np.int64) - size,
        cat_bits=np.concatenate(words).astype(np.uint32),
    )

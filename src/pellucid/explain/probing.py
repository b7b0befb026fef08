"""Lineage by experiment: an output that moves when an input moves is made of it.

Probing sees only what the rows at hand bring to light; a level that none of them has stays
unseen. So what is built on it is held against the transformer itself once more, on rows mixed of
two (see `pellucid.explain.cut`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.explain.matrices import width

_SHIFTS = (1, 2, 5, 11)  # each row's cell is replaced by that of so many rows below


def probe(transform: Callable[[Any], Any], rows: Any) -> list[tuple[int, int]]:
    """Pairs (input, output) of which the output moves when the input's cells change rows.

    Parameters
    ----------
    transform : callable
        From rows to rows.
    rows : DataFrame, array or CSR, (n_rows, n_inputs)

    Examples
    --------
    >>> rows = np.arange(12.0).reshape(6, 2) ** 2
    >>> probe(lambda r: np.column_stack([r[:, 0] + r[:, 1], r[:, 1]]), rows)
    [(0, 0), (1, 0), (1, 1)]
    """
    before = transform(rows)
    n_rows = rows.shape[0]
    pairs = []
    for i in range(width(rows)):
        moved = np.zeros(width(before), dtype=bool)
        for shift in _SHIFTS:
            if shift % n_rows:
                moved |= changed(before, transform(_shifted(rows, i, shift)))
        pairs += [(i, int(output)) for output in np.flatnonzero(moved)]
    return pairs


def changed(before: Any, after: Any) -> np.ndarray:
    """Columns in which two sets of rows differ, bool (n_columns,)."""
    if sparse.issparse(before):
        different = sparse.csc_array(abs(sparse.csr_array(before) - sparse.csr_array(after)))
        different.eliminate_zeros()
        return np.diff(different.indptr) > 0
    if isinstance(before, pd.DataFrame):
        pairs = [(before.iloc[:, j], after.iloc[:, j]) for j in range(before.shape[1])]
        same = [((a == b) | (a.isna() & b.isna())).fillna(False).all() for a, b in pairs]
        return ~np.array(same, dtype=bool)
    a, b = np.asarray(before), np.asarray(after)
    if a.dtype.kind in "fc":
        return ~((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=0)
    return np.asarray(~(a == b).all(axis=0))


def _shifted(rows: Any, column: int, shift: int) -> Any:
    order = np.roll(np.arange(rows.shape[0]), -shift)
    if isinstance(rows, pd.DataFrame):
        moved = rows.copy()
        moved.isetitem(column, rows.iloc[:, column].array.take(order))
        return moved
    if sparse.issparse(rows):
        wide = sparse.lil_array(rows)
        wide[:, [column]] = sparse.csr_array(rows)[order][:, [column]]
        return sparse.csr_matrix(wide)
    moved = rows.copy()
    moved[:, column] = rows[order, column]
    return moved

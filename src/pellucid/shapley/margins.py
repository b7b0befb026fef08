"""Margins of a tree ensemble as its reader understands it."""

from __future__ import annotations

import numpy as np

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.trees import TreeEnsemble

_BLOCK = 1024  # rows that go through a tree together
_FEW = 24  # rows that walk down a tree sooner than all its splits are tested


def as_block(ensemble: TreeEnsemble, rows: np.ndarray) -> np.ndarray:
    """Rows as the kernels take them: float64 (n_columns, n_rows), in the library's precision.

    Raises
    ------
    ReaderError
        For fewer columns than the trees read: kernels do not look where an array ends.
    """
    if rows.ndim != 2 or rows.shape[1] < ensemble.n_columns:
        raise ReaderError(
            f"trees of {ensemble.n_columns} columns read rows of shape {rows.shape}; give the "
            f"columns of training"
        )
    if ensemble.float32 and rows.dtype != np.float32:
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32)
    return np.ascontiguousarray(rows.T, dtype=np.float64)


def ensemble_margins(ensemble: TreeEnsemble, rows: np.ndarray) -> np.ndarray:
    """Margins of the ensemble by walking its trees, float64 (n_rows, n_outputs)."""
    from pellucid.shapley import kernels, leaf_masks

    out = np.tile(ensemble.intercept, (len(rows), 1))
    splits = (ensemble.feature, ensemble.threshold, ensemble.flags, ensemble.left, ensemble.right)
    sets = (ensemble.cat_start, ensemble.cat_size, ensemble.cat_bits)
    linear, few = ensemble.linear, len(rows) < _FEW
    for start in range(0, len(rows), _BLOCK):
        block, sums = as_block(ensemble, rows[start : start + _BLOCK]), out[start : start + _BLOCK]
        if linear is None and not few:
            leaf_masks.mask_sums(
                block, ensemble.tree_bounds, ensemble.tree_output, *splits, *sets, ensemble.value,
                sums,
            )  # fmt: skip
            continue
        terms = (
            (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
            if linear is None
            else (linear.start, linear.column, linear.coef, linear.const)
        )
        kernels.leaf_sums(
            block, ensemble.roots, ensemble.tree_output, *splits, *sets, ensemble.value, *terms,
            sums,
        )  # fmt: skip
    out /= ensemble.divisor
    return out

"""Functions to explain that no reader knows, and rows for them."""

from __future__ import annotations

import numpy as np

GRID = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])  # cells of a row and the background meet often


def random_function(seed, n_columns, n_outputs=1):
    """A sum of products of three columns, bent; NaN counts as a value of its own."""
    rng = np.random.default_rng(seed)
    triples = rng.integers(n_columns, size=(2 * n_columns, 3))
    coef = rng.normal(size=(len(triples), n_outputs))

    def predict(rows):
        filled = np.where(np.isnan(rows), 0.7, rows)
        bent = np.tanh(filled[:, triples].sum(axis=2)) * filled[:, triples[:, 0]]
        # rows in memory one after another are summed each alone, to the same bits in any batch
        bent = np.ascontiguousarray(bent)
        out = np.stack([(bent * column).sum(axis=1) for column in coef.T], axis=1)
        return out[:, 0] if n_outputs == 1 else out

    return predict


def random_rows(seed, n_rows, n_columns):
    """Rows with few distinct values and some NaN."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(GRID, size=(n_rows, n_columns))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows

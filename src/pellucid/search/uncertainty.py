"""How far a mean over rows may be from that over many more rows like them."""

from __future__ import annotations

from typing import Any

import numpy as np

Z = 1.959963984540054  # of a normal distribution, 2.5 % lie above


def half_interval(values: np.ndarray) -> Any:
    """Half of the 95 % interval of the mean along the first axis, by the central limit theorem.

    Parameters
    ----------
    values : ndarray, (n_rows, ...)
        One row alone says nothing of its spread, and gets 0.

    Examples
    --------
    >>> float(half_interval(np.tile([1.0, 3.0], 50)).round(3))
    0.197
    """
    spread = values.std(axis=0, ddof=1 if len(values) > 1 else 0)
    return Z * spread / np.sqrt(len(values))

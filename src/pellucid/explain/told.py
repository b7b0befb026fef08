"""Numbers as people read them."""

from __future__ import annotations

from typing import Any


def told(value: Any) -> str:
    """A number with four digits, or with all before the point where those are more.

    What is no number with a point is shown as it is.

    Examples
    --------
    >>> [told(0.123456), told(40356.6), told(0.00001234), told("no"), told(7)]
    ['0.1235', '40357', '1.234e-05', 'no', '7']
    """
    if not isinstance(value, float):  # NumPy's float64 is one
        return str(value)
    return f"{value:.0f}" if 9999.5 <= abs(value) < 1e15 else f"{value:.4g}"

"""Labels of classes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def classes_to_json(classes: np.ndarray) -> dict[str, Any]:
    """Labels as plain values, from which `classes_from_json` makes the same."""
    kind = "object" if classes.dtype.kind in "OUST" else classes.dtype.str
    return {"dtype": kind, "values": classes.tolist()}


def classes_from_json(facts: Mapping[str, Any]) -> np.ndarray:
    """Labels of the type that they had."""
    return np.array(facts["values"], dtype=np.dtype(facts["dtype"]))

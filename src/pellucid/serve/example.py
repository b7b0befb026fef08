"""A row that a model takes, for papers and for warming up."""

from __future__ import annotations

from typing import Any

from pellucid.serve.checking import trained_as
from pellucid.serve.scorer import Scorer


def example_row(scorer: Scorer) -> dict[str, Any]:
    """A row that the model takes, of values that training had."""
    row: dict[str, Any] = {}
    for name in scorer.needed:
        column = scorer.predictor.schema[name] if name in scorer.predictor.schema.kinds else None
        text = column.examples[0] if column is not None and column.examples else None
        sort = "text" if column is None else trained_as(column)
        if text is None or sort == "text" or sort == "moment":
            row[name] = text
        elif sort == "truth":
            row[name] = text.strip().lower() in ("true", "1", "yes")
        else:
            row[name] = _number(text)
    return row


def _number(text: str) -> float | int | None:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return int(number) if number.is_integer() else number

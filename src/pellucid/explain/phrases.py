"""What reasons are put into: a text for each feature, with places to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.asking import AskError, is_ordered
from pellucid.explain.told import told

_FIELDS = {None, "feature", "cell", "typical"}


def phrases_of(
    names: tuple[str, ...], compared: pd.DataFrame, words: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """For each feature its text, and what is typical of it."""
    unknown = [name for name in words if name not in names]
    if unknown:
        raise AskError(f"words are given for {unknown[0]!r}; there are {', '.join(names[:10])}")
    found = {}
    for name in names:
        typical = ""
        if name in compared.columns:
            known = compared[name].dropna()
            if len(known) and is_ordered(known):
                numeric = pd.api.types.is_numeric_dtype(known.dtype)
                typical = shown(known.quantile(0.5, "linear" if numeric else "nearest"))
            elif len(known):
                typical = str(known.astype(object).mode().iloc[0])
        usual = "{feature} is {cell} (typically {typical})" if typical else "{feature} is {cell}"
        text = words.get(name, usual)
        odd = {field for _, field, _, _ in Formatter().parse(text)} - _FIELDS
        if odd:
            raise AskError(
                f"the words for {name!r} hold {odd.pop()!r} in braces; {{cell}}, {{typical}} and "
                f"{{feature}} can be filled in"
            )
        found[name] = (text, typical)
    return found


def shown(cell: Any) -> str:
    """A cell as people write it; the time of a day only where it is not midnight."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return "missing"
    if isinstance(cell, (float, np.floating)):
        return told(float(cell))
    if isinstance(cell, pd.Timestamp) and cell == cell.normalize():
        return f"{cell:%Y-%m-%d}"
    return str(cell)

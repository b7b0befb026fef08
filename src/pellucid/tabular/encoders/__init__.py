"""One encoder a kind of column; a new one is a file here and a line in the registry."""

from __future__ import annotations

from typing import Any

from pellucid.tabular.encoders.base import Encoder
from pellucid.tabular.encoders.boolean import BooleanEncoder
from pellucid.tabular.encoders.datetime import DatetimeEncoder
from pellucid.tabular.encoders.frequency import FrequencyEncoder
from pellucid.tabular.encoders.numeric import NumericEncoder
from pellucid.tabular.encoders.onehot import MOST_LEVELS, OneHotEncoder
from pellucid.tabular.encoders.text import TextEncoder
from pellucid.tabular.reading.labels import Labels

ENCODERS: dict[str, type[Encoder]] = {
    encoder.type: encoder
    for encoder in (
        NumericEncoder,
        BooleanEncoder,
        OneHotEncoder,
        FrequencyEncoder,
        DatetimeEncoder,
        TextEncoder,
    )
}


def fit_encoder(kind: str, cells: Any) -> Encoder:
    """The encoder of a column of a kind, learned from its training cells."""
    if kind == "numeric":
        return NumericEncoder.fit(cells)
    if kind == "boolean":
        return BooleanEncoder.fit(cells)
    if kind == "datetime":
        return DatetimeEncoder.fit(cells)
    if kind == "text":
        return TextEncoder.fit(cells)
    return _fit_labels(cells)


def _fit_labels(cells: Labels) -> Encoder:
    few = int((cells.counts() > 0).sum()) <= MOST_LEVELS
    return OneHotEncoder.fit(cells) if few else FrequencyEncoder.fit(cells)


__all__ = ["ENCODERS", "Encoder", "fit_encoder"]

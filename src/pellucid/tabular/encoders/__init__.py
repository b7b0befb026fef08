"""One encoder a kind of column; a new one is a file here and a line in the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.tabular.encoders.base import Encoder
from pellucid.tabular.encoders.boolean import BooleanEncoder
from pellucid.tabular.encoders.code import CodeEncoder
from pellucid.tabular.encoders.datetime import DatetimeEncoder
from pellucid.tabular.encoders.frequency import FrequencyEncoder
from pellucid.tabular.encoders.number_code import NumberCodeEncoder, repeats_sparsely
from pellucid.tabular.encoders.numeric import NumericEncoder
from pellucid.tabular.encoders.onehot import MOST_LEVELS, OneHotEncoder
from pellucid.tabular.encoders.text import TextEncoder
from pellucid.tabular.reading.labels import Labels

ENCODERS: dict[str, type[Encoder]] = {
    encoder.type: encoder
    for encoder in (
        NumericEncoder,
        NumberCodeEncoder,
        BooleanEncoder,
        OneHotEncoder,
        FrequencyEncoder,
        CodeEncoder,
        DatetimeEncoder,
        TextEncoder,
    )
}


def fit_encoders(kind: str, cells: Any, *, codes: bool) -> tuple[Encoder, ...]:
    """The encoders of a column of a kind, learned from its training cells.

    Parameters
    ----------
    cells : what the kind's reader gives
    codes : whether categories, and numbers that repeat, get a column of codes too
    """
    if kind == "numeric":
        return _fit_numbers(cells, codes)
    if kind == "boolean":
        return (BooleanEncoder.fit(cells),)
    if kind == "datetime":
        return (DatetimeEncoder.fit(cells),)
    if kind == "text":
        return (TextEncoder.fit(cells),)
    return _fit_labels(cells, codes)


def _fit_numbers(cells: np.ndarray, codes: bool) -> tuple[Encoder, ...]:
    number = NumericEncoder.fit(cells)
    coded = codes and repeats_sparsely(cells)
    return (number, NumberCodeEncoder.fit(cells)) if coded else (number,)


def _fit_labels(cells: Labels, codes: bool) -> tuple[Encoder, ...]:
    few = int((cells.counts() > 0).sum()) <= MOST_LEVELS
    columns = OneHotEncoder.fit(cells) if few else FrequencyEncoder.fit(cells)
    code = CodeEncoder.fit(cells)
    told = isinstance(columns, OneHotEncoder) and columns.single  # a code would repeat it
    return (code, columns) if codes and code.n_levels > 1 and not told else (columns,)


__all__ = ["ENCODERS", "Encoder", "fit_encoders"]

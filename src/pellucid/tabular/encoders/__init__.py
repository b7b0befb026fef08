"""One encoder a kind of column; a new one is a file here and a line in the registry."""

from __future__ import annotations

from typing import Any

from pellucid.tabular.columns import Column
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.encoders.base import Encoder
from pellucid.tabular.encoders.boolean import BooleanEncoder
from pellucid.tabular.encoders.code import CodeEncoder
from pellucid.tabular.encoders.datetime import DatetimeEncoder
from pellucid.tabular.encoders.frequency import MOST_OWN, FrequencyEncoder
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


def fit_encoders(column: Column, cells: Any, config: FeaturizationConfig) -> tuple[Encoder, ...]:
    """The encoders of a column, learned from its training cells.

    Parameters
    ----------
    column : Column
    cells : what the reader of the column's kind gives
    config : FeaturizationConfig
    """
    codes, mark = config.allows("code"), config.allows("missing_mark")
    if column.kind == "numeric":
        number = NumericEncoder.fit(cells, mark=mark, imputer=config.imputers.get(column.name))
        coded = codes and repeats_sparsely(cells)
        return (number, NumberCodeEncoder.fit(cells)) if coded else (number,)
    if column.kind == "boolean":
        return (BooleanEncoder.fit(cells, mark=mark),)
    if column.kind == "datetime":
        return (DatetimeEncoder.fit(cells, mark=mark),)
    if column.kind == "text":
        return (TextEncoder.fit(cells, mark=mark, max_words=config.max_words),)
    return _fit_labels(cells, config, codes, mark)


def _fit_labels(
    cells: Labels, config: FeaturizationConfig, codes: bool, mark: bool
) -> tuple[Encoder, ...]:
    """Indicators of few levels, shares of many, and codes beside either."""
    most = config.max_levels or MOST_LEVELS
    onehot, frequency = config.allows("onehot"), config.allows("frequency")
    if not (onehot or frequency):
        return (CodeEncoder.fit(cells),)
    few = int((cells.counts() > 0).sum()) <= most
    columns: Encoder
    if onehot and (few or not frequency):
        columns = OneHotEncoder.fit(cells, mark=mark, most=most)
        codes = codes and not columns.single  # which says all that a code would
    else:
        own = min(most, MOST_OWN) if onehot else 0
        columns = FrequencyEncoder.fit(cells, mark=mark, most=own)
    code = CodeEncoder.fit(cells)
    return (code, columns) if codes and code.n_levels > 1 else (columns,)


__all__ = ["ENCODERS", "Encoder", "fit_encoders"]

"""The Featurizer: raw columns in, engineered matrix out, one row at a time alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.columns import Column, Schema
from pellucid.tabular.encoders import ENCODERS, Encoder, fit_encoder
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.infer import did_you_mean
from pellucid.tabular.lineage import FeatureMap
from pellucid.tabular.reading.booleans import read_booleans
from pellucid.tabular.reading.labels import read_labels, read_texts
from pellucid.tabular.reading.moments import read_moments
from pellucid.tabular.reading.numbers import read_numbers

_LONGEST = 120  # characters of an engineered name


@dataclass(frozen=True, eq=False)
class Featurizer:
    """A fitted encoder for each used column of a schema.

    Attributes
    ----------
    schema : Schema
    encoders : dict of column name to Encoder, used columns only, in schema order

    Examples
    --------
    >>> from pellucid.tabular.schema import infer_schema
    >>> frame = pd.DataFrame({"age": [31, None, 52], "job": ["clerk", "nurse", "clerk"]})
    >>> featurizer = Featurizer.fit(frame, infer_schema(frame))
    >>> featurizer.feature_map.engineered_names
    ('age', 'age=(missing)', 'job=clerk', 'job=(rare)')
    >>> featurizer.transform(frame)
    array([[31.,  0.,  1.,  0.],
           [nan,  1.,  0.,  1.],
           [52.,  0.,  1.,  0.]], dtype=float32)
    """

    schema: Schema
    encoders: Mapping[str, Encoder]

    @classmethod
    def fit(cls, frame: pd.DataFrame, schema: Schema, y: Any = None) -> Featurizer:
        """Learn an encoder for each used column.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            Training rows, raw or as `align` gives them.
        schema : Schema
        y : ndarray, (n_rows,), optional
            The target. No encoder looks at it, so that cross-validated scores stay honest.

        Raises
        ------
        SchemaError
            If a used column is absent, or has a cell that does not fit its kind.
        """
        encoders = {
            column.name: fit_encoder(column.kind, read_cells(_column(frame, column), column))
            for column in schema.columns
            if column.used
        }
        return cls(schema, encoders)

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Engineered rows, float32 (n_rows, n_engineered), C-contiguous; NaN where unknown.

        A row's result depends on that row alone.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            Raw, or as `align` gives it; further columns are ignored.

        Raises
        ------
        SchemaError
            If a used column is absent, or has a cell that does not fit its kind.
        """
        out = np.empty((len(frame), len(self.feature_map.engineered_names)), dtype=np.float32)
        for column, encoder, start, stop in self._plan:
            encoder.fill(read_cells(_column(frame, column), column), out[:, start:stop])
        return out

    @cached_property
    def _plan(self) -> list[tuple[Column, Encoder, int, int]]:
        """Each used column's place in the matrix."""
        plan, start = [], 0
        for name, encoder in self.encoders.items():
            stop = start + len(encoder.names(name))
            plan.append((self.schema[name], encoder, start, stop))
            start = stop
        return plan

    @cached_property
    def feature_map(self) -> FeatureMap:
        """Raw columns, engineered columns, and which comes from which."""
        taken: set[str] = set()
        named = {
            name: [_unique(own, taken) for own in encoder.names(name)]
            for name, encoder in self.encoders.items()
        }
        return FeatureMap.build(self.schema.names, named)

    def summary(self) -> list[dict[str, Any]]:
        """Each raw column: what it is, what is done with it, in words, and into how many."""
        return [self._summary_of(column) for column in self.schema.columns]

    def _summary_of(self, column: Column) -> dict[str, Any]:
        encoder = self.encoders.get(column.name)
        action = f"not used: {column.reason}" if encoder is None else encoder.action
        if encoder is not None and column.words:
            action += f"; {', '.join(map(repr, column.words))} read as missing"
        return {
            "name": column.name,
            "kind": column.kind,
            "used": column.used,
            "reason": column.reason,
            "action": action,
            "n_engineered": 0 if encoder is None else len(encoder.names(column.name)),
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, from which `from_dict` makes the same featurizer."""
        return {
            "format": 1,
            "schema": self.schema.to_dict(),
            "encoders": [
                {"column": name, "type": encoder.type, "state": encoder.to_dict()}
                for name, encoder in self.encoders.items()
            ],
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Featurizer:
        """Rebuild a featurizer from what `to_dict` gave, or from its JSON.

        Raises
        ------
        SchemaError
            If the facts are of another format.
        """
        if facts.get("format") != 1:
            raise SchemaError(
                f"this featurizer has format {facts.get('format')!r}, but only 1 is known; "
                f"read it with the version of Pellucid that wrote it"
            )
        encoders = {
            entry["column"]: ENCODERS[entry["type"]].from_dict(entry["state"])
            for entry in facts["encoders"]
        }
        return cls(Schema.from_dict(facts["schema"]), encoders)


def read_cells(values: pd.Series, column: Column) -> Any:
    """A column's cells as its kind's encoders take them."""
    if column.kind == "numeric":
        return read_numbers(values, name=column.name, formats=column.formats, words=column.words)
    if column.kind == "boolean":
        return read_booleans(values, name=column.name)
    if column.kind == "datetime":
        return read_moments(values, name=column.name, formats=column.formats, words=column.words)
    if column.kind == "text":
        return read_texts(values, name=column.name)
    return read_labels(values, name=column.name)


def _column(frame: pd.DataFrame, column: Column) -> pd.Series:
    try:
        return frame[column.name]
    except KeyError:
        hint = did_you_mean(column.name, frame.columns)
        raise SchemaError(f"the table lacks column {column.name!r}{hint}") from None


def _unique(name: str, taken: set[str]) -> str:
    """A name that can be printed, of bounded length, different from all before it."""
    name = "".join(c if c.isprintable() else " " for c in name) if not name.isprintable() else name
    if len(name) > _LONGEST:
        name = name[: _LONGEST - 1] + "…"
    free, n = name, 1
    while free in taken:
        n += 1
        free = f"{name} ({n})"
    taken.add(free)
    return free

"""The Featurizer: raw columns in, engineered matrix out, one row at a time alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.tabular.columns import Column, Schema
from pellucid.tabular.config import FeaturizationConfig
from pellucid.tabular.encoders import ENCODERS, Encoder, fit_encoders
from pellucid.tabular.encoders.numeric import NumericEncoder
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.infer import did_you_mean
from pellucid.tabular.lineage import FeatureMap
from pellucid.tabular.reading.cells import read_cells
from pellucid.tabular.reading.labels import Labels
from pellucid.tabular.row import read_row

_LONGEST = 120  # characters of an engineered name
_REMEMBERED = 1000  # labels of a column whose engineered values are kept


@dataclass(frozen=True, eq=False)
class Featurizer:
    """The fitted encoders of each used column of a schema.

    Attributes
    ----------
    schema : Schema
    encoders : dict of column name to its encoders, used columns only, in schema order

    Examples
    --------
    >>> from pellucid.tabular.schema import infer_schema
    >>> frame = pd.DataFrame({"age": [31, None, 52], "job": ["clerk", "nurse", "clerk"]})
    >>> featurizer = Featurizer.fit(frame, infer_schema(frame))
    >>> featurizer.feature_map.engineered_names
    ('age', 'age=(missing)', 'job', 'job=clerk', 'job=(rare)')
    >>> featurizer.transform(frame)
    array([[31.,  0.,  0.,  1.,  0.],
           [nan,  1.,  1.,  0.,  1.],
           [52.,  0.,  0.,  1.,  0.]], dtype=float32)
    """

    schema: Schema
    encoders: Mapping[str, Sequence[Encoder]]

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        schema: Schema,
        config: FeaturizationConfig | None = None,
    ) -> Featurizer:
        """Learn the encoders of each used column.

        Their columns include codes, which a family that reads every column as an amount must not
        see: `FeatureMap.columns_for` gives each kind of family its view. No encoder knows the
        target, so that cross-validated scores stay honest.

        Parameters
        ----------
        frame : DataFrame, (n_rows, n_columns)
            Training rows, raw or as `align` gives them.
        schema : Schema
            As the config gives it of the training table.
        config : FeaturizationConfig, optional
            What the user decides about it.

        Raises
        ------
        SchemaError
            If a used column is absent, or has a cell that does not fit its kind.
        FeaturizationError
            If the schema is not what the config makes of a table.
        """
        config = config or FeaturizationConfig()
        config.check(schema)
        encoders = {
            column.name: fit_encoders(column, read_cells(_column(frame, column), column), config)
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
        for column, places in self._plan:
            cells = read_cells(_column(frame, column), column)
            for encoder, place in places:
                encoder.fill(cells, out[:, place])
        return out

    def transform_row(self, row: Mapping[str, Any]) -> np.ndarray:
        """One engineered row, float32 (1, n_engineered), the same bits as `transform` gives.

        Parameters
        ----------
        row : mapping of column name to cell
            Raw; checked as `align` checks a table, at a tenth of its price for one row.

        Raises
        ------
        SchemaError
            If a used column is absent, or a cell does not fit its kind.

        Examples
        --------
        >>> from pellucid.tabular.schema import infer_schema
        >>> frame = pd.DataFrame({"age": [31, 44, 52], "job": ["clerk", "nurse", "clerk"]})
        >>> Featurizer.fit(frame, infer_schema(frame)).transform_row({"age": "40", "job": "nurse"})
        array([[40.,  1.,  0.,  1.]], dtype=float32)
        """
        cells = read_row(row, self.schema)
        out = np.empty((1, len(self.feature_map.engineered_names)), dtype=np.float32)
        for column, places in self._plan:
            given = cells[column.name]
            if isinstance(given, Labels):
                start, stop = places[0][1].start, places[-1][1].stop
                self._fill_label(given, column.name, places, out[:, start:stop])
                continue
            for encoder, place in places:
                encoder.fill(given, out[:, place])
        return out

    def _fill_label(
        self,
        label: Labels,
        name: str,
        places: Sequence[tuple[Encoder, slice]],
        out: np.ndarray,
    ) -> None:
        """Write what a label becomes, which is remembered: categories repeat."""
        key = label.levels[0] if label.levels else None
        known = self._remembered[name]
        if key in known:
            out[:] = known[key]
            return
        start = places[0][1].start
        for encoder, place in places:
            encoder.fill(label, out[:, place.start - start : place.stop - start])
        if len(known) < _REMEMBERED and len(key or "") <= _LONGEST:
            known[key] = out.copy()

    @cached_property
    def _remembered(self) -> dict[str, dict[str | None, np.ndarray]]:
        return {name: {} for name in self.encoders}

    @cached_property
    def _plan(self) -> list[tuple[Column, list[tuple[Encoder, slice]]]]:
        """Each used column's encoders, with their places in the matrix."""
        plan, start = [], 0
        for name, encoders in self.encoders.items():
            places = []
            for encoder in encoders:
                stop = start + len(encoder.features(name))
                places.append((encoder, slice(start, stop)))
                start = stop
            plan.append((self.schema[name], places))
        return plan

    def places(self, name: str) -> list[tuple[Encoder, slice]]:
        """A raw column's encoders with their places in the matrix; none for one not used."""
        return next((places for column, places in self._plan if column.name == name), [])

    @cached_property
    def feature_map(self) -> FeatureMap:
        """Raw columns, engineered columns, and which comes from which."""
        taken: set[str] = set()
        raw = self.schema.raw_names
        owned = [
            (
                raw.index(self.schema[name].source or name),
                replace(feature, name=unique_name(_shown(feature.name), taken)),
            )
            for name, encoders in self.encoders.items()
            for encoder in encoders
            for feature in encoder.features(name)
        ]
        return FeatureMap.of(raw, owned)

    def summary(self) -> list[dict[str, Any]]:
        """What each raw column is, and what is done with it.

        Returns
        -------
        list of dict, one a raw column, in order
            ``name``, ``kind``, ``used``, ``reason`` (why not), ``missing`` (training rows without
            a value), ``action`` (in words), ``n_engineered``, ``forms`` (form -> number of
            engineered columns), ``n_words``, ``n_levels`` (of its code), ``imputer`` and
            ``filler`` (what missing numbers become, and of what kind that is; empty and None where
            they stay missing).
        """
        return [self._summary_of(column) for column in self.schema.columns]

    def _summary_of(self, column: Column) -> dict[str, Any]:
        encoders = self.encoders.get(column.name, ())
        features = [feature for each in encoders for feature in each.features(column.name)]
        action = "; ".join(each.action for each in encoders) or f"not used: {column.reason}"
        if encoders and column.words:
            action += f"; {', '.join(map(repr, column.words))} read as missing"
        forms = Counter(feature.form for feature in features)
        number = next((each for each in encoders if isinstance(each, NumericEncoder)), None)
        return {
            "name": column.name,
            "kind": column.kind,
            "used": column.used,
            "reason": column.reason,
            "missing": column.missing,
            "action": action,
            "n_engineered": len(features),
            "forms": dict(forms),
            "n_words": forms["word"],
            "n_levels": max((feature.n_levels for feature in features), default=0),
            "imputer": number.imputer if number else "",
            "filler": number.filler if number else None,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, from which `from_dict` makes the same featurizer."""
        return {
            "format": 1,
            "schema": self.schema.to_dict(),
            "encoders": [
                {"column": name, "type": encoder.type, "state": encoder.to_dict()}
                for name, encoders in self.encoders.items()
                for encoder in encoders
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
        encoders: dict[str, list[Encoder]] = {}
        for entry in facts["encoders"]:
            encoder = ENCODERS[entry["type"]].from_dict(entry["state"])
            encoders.setdefault(entry["column"], []).append(encoder)
        return cls(Schema.from_dict(facts["schema"]), encoders)


def _column(frame: pd.DataFrame, column: Column) -> pd.Series:
    try:
        return frame[column.name]
    except KeyError:
        hint = did_you_mean(column.name, frame.columns)
        raise SchemaError(f"the table lacks column {column.name!r}{hint}") from None


def _shown(name: str) -> str:
    """A name that can be printed, of bounded length."""
    name = "".join(c if c.isprintable() else " " for c in name) if not name.isprintable() else name
    return name[: _LONGEST - 1] + "…" if len(name) > _LONGEST else name


def unique_name(name: str, taken: set[str]) -> str:
    """The name, numbered where it is taken; it is taken from then on."""
    free, n = name, 1
    while free in taken:
        n += 1
        free = f"{name} ({n})"
    taken.add(free)
    return free

"""FeatureMap: which raw column each engineered column comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pellucid.tabular.errors import SchemaError


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Raw columns, engineered columns, and the one raw column behind each engineered one.

    Attributes
    ----------
    raw_names : tuple of str
        Every column of the schema, in order; a column that is not used owns no engineered one.
    engineered_names : tuple of str, all different
    raw_of : ndarray of int, (n_engineered,)
        Position in ``raw_names`` of each engineered column's source.

    Examples
    --------
    >>> owned = {"age": ["age"], "job": ["job=a", "job=b"]}
    >>> features = FeatureMap.build(["age", "id", "job"], owned)
    >>> features.players("raw")
    array([0, 2, 2])
    >>> features.engineered_of("job"), features.engineered_of("id")
    (('job=a', 'job=b'), ())
    """

    raw_names: tuple[str, ...]
    engineered_names: tuple[str, ...]
    raw_of: np.ndarray

    @classmethod
    def build(cls, raw_names: Sequence[str], engineered: Mapping[str, Sequence[str]]) -> FeatureMap:
        """Make a map from the engineered names that each raw column owns, raw columns in order."""
        owned = [(i, name) for i, raw in enumerate(raw_names) for name in engineered.get(raw, ())]
        return cls(
            tuple(raw_names),
            tuple(name for _, name in owned),
            np.array([i for i, _ in owned], dtype=np.int64),
        )

    def players(self, level: Literal["raw", "engineered"]) -> np.ndarray:
        """The player that each engineered column belongs to, int (n_engineered,).

        Over raw features columns of one raw column play together; over engineered ones each
        plays alone.
        """
        return self.raw_of.copy() if level == "raw" else np.arange(len(self.raw_of))

    def names(self, level: Literal["raw", "engineered"]) -> tuple[str, ...]:
        """Feature names at a level."""
        return self.raw_names if level == "raw" else self.engineered_names

    def engineered_of(self, raw_name: str) -> tuple[str, ...]:
        """Engineered columns made of a raw one; empty when the model does not see it.

        Raises
        ------
        SchemaError
            If there is no such raw column.
        """
        if raw_name not in self.raw_names:
            raise SchemaError(
                f"there is no raw column {raw_name!r}; there are {', '.join(self.raw_names)}"
            )
        owner = self.raw_names.index(raw_name)
        return tuple(self.engineered_names[i] for i in np.flatnonzero(self.raw_of == owner))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "raw_names": list(self.raw_names),
            "engineered_names": list(self.engineered_names),
            "raw_of": self.raw_of.tolist(),
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> FeatureMap:
        """Rebuild a map from what `to_dict` gave, or from its JSON."""
        return cls(
            tuple(facts["raw_names"]),
            tuple(facts["engineered_names"]),
            np.array(facts["raw_of"], dtype=np.int64),
        )

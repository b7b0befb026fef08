"""FeatureMap: which raw column each engineered column comes from, and what form it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from pellucid.tabular.errors import SchemaError

Form = Literal["number", "part", "share", "word", "indicator", "missing", "code"]
"""What an engineered column holds, so that a family can choose the columns it understands.

- number: an amount: a number, days since a date, the number of words in a text.
- part: a calendar part, a whole number in a short range.
- share: how frequent a row's level is, between 0 and 1.
- word: the weight of a word or a phrase in a text, between 0 and 1.
- indicator: 1 or 0: a row's level is this one, or a truth value.
- missing: 1 or 0: the raw column has no value.
- code: a row's level as its position among the training levels; an order without meaning.
"""

View = Literal["indicators", "codes"]
"""Which engineered columns a family sees.

- indicators: all but codes, for families that read every column as an amount. A code of which the
  raw column has nothing else stays, as the rank of its level's frequency.
- codes: codes in place of the indicators of the same raw column, and no missing marks, for trees
  that read categories and take NaN.

Every raw column that the model uses has a column in either.
"""


@dataclass(frozen=True)
class Feature:
    """One engineered column.

    name : as a person would read it.
    form : what it holds.
    n_levels : for a code, how many there are: training rows hold 0 to ``n_levels - 1``. A level
        that they did not have shares the last code where rare levels do, else it is ``n_levels``;
        a missing one is NaN. 0 for other forms.
    """

    name: str
    form: Form = "number"
    n_levels: int = 0


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
    forms : tuple of Form, (n_engineered,)
        What each engineered column holds.
    n_levels : tuple of int, (n_engineered,)
        How many levels each code has; 0 for columns of other forms.

    Examples
    --------
    >>> job = [Feature("job", "code", 2), *(Feature(f"job={k}", "indicator") for k in "ab")]
    >>> features = FeatureMap.build(["age", "id", "job"], {"age": [Feature("age")], "job": job})
    >>> features.players("raw")
    array([0, 2, 2, 2])
    >>> features.engineered_of("job"), features.engineered_of("id")
    (('job', 'job=a', 'job=b'), ())
    >>> features.columns_for("codes"), features.codes_in("codes")
    (array([0, 1]), {1: 2})
    """

    raw_names: tuple[str, ...]
    engineered_names: tuple[str, ...]
    raw_of: np.ndarray
    forms: tuple[Form, ...]
    n_levels: tuple[int, ...]

    @classmethod
    def build(
        cls, raw_names: Sequence[str], engineered: Mapping[str, Sequence[Feature]]
    ) -> FeatureMap:
        """Make a map from the features that each raw column owns, raw columns in order."""
        owned = [(i, each) for i, raw in enumerate(raw_names) for each in engineered.get(raw, ())]
        return cls.of(raw_names, owned)

    @classmethod
    def of(cls, raw_names: Sequence[str], owned: Sequence[tuple[int, Feature]]) -> FeatureMap:
        """Make a map from features in order, each with the position of its raw column."""
        return cls(
            tuple(raw_names),
            tuple(feature.name for _, feature in owned),
            np.array([i for i, _ in owned], dtype=np.int64),
            tuple(feature.form for _, feature in owned),
            tuple(feature.n_levels for _, feature in owned),
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

    def columns_for(self, view: View) -> np.ndarray:
        """Positions of the engineered columns that a view holds, ascending, int (n_in_view,).

        Raises
        ------
        SchemaError
            If there is no such view.
        """
        forms = np.array(self.forms, dtype=str)
        is_code = forms == "code"
        if view == "indicators":
            alone = is_code & ~np.isin(self.raw_of, self.raw_of[~is_code])
            return np.flatnonzero(~is_code | alone)
        if view == "codes":
            coded = np.isin(self.raw_of, self.raw_of[is_code])
            return np.flatnonzero((forms != "missing") & ~(coded & (forms == "indicator")))
        raise SchemaError(f"unknown view {view!r}; expected one of {', '.join(get_args(View))}")

    def codes_in(self, view: View) -> dict[int, int]:
        """Where a view holds codes: position among its columns -> number of levels."""
        columns = enumerate(self.columns_for(view).tolist())
        return {i: self.n_levels[at] for i, at in columns if self.forms[at] == "code"}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "raw_names": list(self.raw_names),
            "engineered_names": list(self.engineered_names),
            "raw_of": self.raw_of.tolist(),
            "forms": list(self.forms),
            "n_levels": list(self.n_levels),
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> FeatureMap:
        """Rebuild a map from what `to_dict` gave, or from its JSON."""
        return cls(
            tuple(facts["raw_names"]),
            tuple(facts["engineered_names"]),
            np.array(facts["raw_of"], dtype=np.int64),
            tuple(facts["forms"]),
            tuple(facts["n_levels"]),
        )

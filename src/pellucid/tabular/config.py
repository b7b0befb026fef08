"""FeaturizationConfig: what a user decides about how raw columns become engineered ones."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import Any, Literal, get_args

import pandas as pd

from pellucid.tabular.columns import KINDS, Column, Kind, Schema
from pellucid.tabular.errors import FeaturizationError
from pellucid.tabular.infer import did_you_mean, infer_schema

Imputer = Literal["mean", "median", "mode", "zero"]
Transformer = Literal["onehot", "code", "frequency", "text", "datetime", "missing_mark"]

IMPUTERS: tuple[str, ...] = get_args(Imputer)
TRANSFORMERS: tuple[str, ...] = get_args(Transformer)
_OF_KIND: dict[Kind, tuple[Transformer, ...]] = {
    "categorical": ("onehot", "code", "frequency"),
    "text": ("text",),
    "datetime": ("datetime",),
}


@dataclass(frozen=True)
class FeaturizationConfig:
    """How raw columns become engineered ones, where the defaults are not wanted.

    Attributes
    ----------
    column_kinds : mapping of column name to kind
        What columns hold, where it is not what their values suggest: "numeric", "boolean",
        "categorical", "datetime", "text", "identifier" or "constant".
    drop_columns : tuple of column names
        Columns that the model must not see.
    imputers : mapping of column name to "mean", "median", "mode", "zero" or a number
        What missing values of a numeric column become. Without, they stay missing: trees send
        them their own way, linear models use the mean.
    blocked : tuple of transformer names
        What is not made: "onehot" (a column a level), "code" (a level's code), "frequency" (how
        frequent a level is), "text" (weights of words), "datetime" (calendar parts and days),
        "missing_mark" (columns that mark missing values). A column of which nothing is left is
        not used.
    max_words : int, optional
        Words of a text with a column of their own; without, up to 1,000 by the number of rows.
    max_levels : int, optional
        Levels up to which a category gets a column a level, 40 without; one with more levels gets
        its frequency, and a column for each of at most 20 levels.

    Raises
    ------
    FeaturizationError
        For an unknown kind, imputer or transformer, or a number that makes no sense.

    Examples
    --------
    >>> config = FeaturizationConfig(imputers={"age": "median"}, blocked=["text"])
    >>> frame = pd.DataFrame({"age": [31, None, 52, 40], "story": ["a b c", "d e f", "g h", "i"]})
    >>> config.schema(frame).kinds
    {'age': 'numeric', 'story': 'categorical'}
    >>> FeaturizationConfig.from_dict(config.to_dict()) == config
    True
    >>> FeaturizationConfig(blocked=["one-hot"])
    Traceback (most recent call last):
    pellucid.tabular.errors.FeaturizationError: blocked has 'one-hot'; did you mean 'onehot'?
    """

    column_kinds: Mapping[str, str] = field(default_factory=dict)
    drop_columns: Sequence[str] = ()
    imputers: Mapping[str, str | float] = field(default_factory=dict)
    blocked: Sequence[str] = ()
    max_words: int | None = None
    max_levels: int | None = None

    def __post_init__(self) -> None:
        own = object.__setattr__  # frozen for everyone else
        own(self, "column_kinds", _mapping("column_kinds", self.column_kinds))
        own(self, "drop_columns", _names("drop_columns", self.drop_columns))
        own(self, "imputers", _mapping("imputers", self.imputers))
        own(self, "blocked", _names("blocked", self.blocked))
        for name in ("max_words", "max_levels"):
            own(self, name, _count(name, getattr(self, name)))
        for column, kind in self.column_kinds.items():
            _check(f"column_kinds of column {column!r}", kind, KINDS)
        for name in self.blocked:
            _check("blocked", name, TRANSFORMERS)
        imputers = {name: _imputer(name, given) for name, given in self.imputers.items()}
        own(self, "imputers", imputers)

    @classmethod
    def of(cls, choice: Literal["auto", "off"] | FeaturizationConfig) -> FeaturizationConfig:
        """The config behind what an estimator's ``featurization`` may be.

        "auto" is the default config. "off" makes no columns but one for one: numbers and truth
        values as they are, categories as codes; texts and dates are not used. Columns that tell
        nothing, such as constants, are left out in either case.

        Examples
        --------
        >>> FeaturizationConfig.of("off").blocked
        ('onehot', 'frequency', 'text', 'datetime', 'missing_mark')
        """
        if isinstance(choice, cls):
            return choice
        _check("featurization", choice, ("auto", "off"), "a FeaturizationConfig")
        return cls(blocked=[n for n in TRANSFORMERS if n != "code"] if choice == "off" else ())

    def allows(self, transformer: Transformer) -> bool:
        """Whether a transformer may be used."""
        return transformer not in self.blocked

    def schema(self, frame: pd.DataFrame) -> Schema:
        """The schema of a training table, as `infer_schema` gives it, by the user's decisions.

        Raises
        ------
        SchemaError
            As `infer_schema` does.
        FeaturizationError
            For an imputer of an unknown column, or of one that is not numeric, and where no column
            is left.
        """
        schema = infer_schema(frame, overrides=self.column_kinds, drop=self.drop_columns)
        schema = Schema(tuple(self._unless_blocked(column) for column in schema.columns))
        if not any(column.used for column in schema.columns):
            raise FeaturizationError(
                f"no column is left to learn from when {', '.join(self.blocked)} are blocked; "
                f"block less"
            )
        self.check(schema)
        return schema

    def _unless_blocked(self, column: Column) -> Column:
        reason = self._blocks(column)
        return replace(column, used=False, reason=reason) if reason else column

    def _blocks(self, column: Column) -> str:
        """Why a column cannot be used; empty when it can, or is not used anyway."""
        ways = _OF_KIND.get(column.kind, ())
        if not (column.used and ways) or any(self.allows(way) for way in ways):
            return ""
        return f"{' and '.join(ways)} {'is' if len(ways) == 1 else 'are'} blocked"

    def check(self, schema: Schema) -> None:
        """Hold a schema to the config.

        Raises
        ------
        FeaturizationError
            If the config has an imputer for a column that the schema lacks or that is not numeric,
            or the schema was made without the config.
        """
        for name in self.imputers:
            if name not in schema.kinds:
                hint = did_you_mean(name, schema.names)
                raise FeaturizationError(f"imputers has column {name!r}, which is unknown{hint}")
            if schema[name].used and schema[name].kind != "numeric":
                raise FeaturizationError(
                    f"imputers has column {name!r}, which is {schema[name].kind}; only numeric "
                    f"columns are imputed: state its kind, or leave it out"
                )
        for column in schema.columns:
            told = self.column_kinds.get(column.name, column.kind)
            dropped = column.used and column.name in self.drop_columns
            if dropped or self._blocks(column) or (told != column.kind and column.used):
                raise FeaturizationError(
                    f"the schema uses column {column.name!r} as {column.kind}, which the "
                    f"featurization config does not; make the schema with config.schema(frame)"
                )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "column_kinds": dict(self.column_kinds),
            "drop_columns": list(self.drop_columns),
            "imputers": dict(self.imputers),
            "blocked": list(self.blocked),
            "max_words": self.max_words,
            "max_levels": self.max_levels,
        }

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> FeaturizationConfig:
        """Rebuild a config from what `to_dict` gave, or from its JSON; each entry may be absent.

        Raises
        ------
        FeaturizationError
            If an entry is unknown, or its value makes no sense.
        """
        known = tuple(f.name for f in fields(cls))
        for name in facts:
            _check("the featurization config", name, known)
        return cls(**facts)


def _mapping(name: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise FeaturizationError(
            f"{name} must map column names to values, but is {given!r:.60}; pass a dict"
        )
    return {str(key): value for key, value in given.items()}


def _names(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise FeaturizationError(f"{name} must be a list of names, but is {given!r:.60}")
    return tuple(dict.fromkeys(map(str, given)))


def _count(name: str, given: Any) -> int | None:
    if given is None:
        return None
    try:
        count = operator.index(given)
    except TypeError:
        count = 0
    if count < 1:
        raise FeaturizationError(f"{name} must be a whole number of at least 1, but is {given!r}")
    return count


def _check(where: str, given: Any, known: Sequence[str], or_else: str = "") -> None:
    if not isinstance(given, str) or given not in known:
        hint = did_you_mean(str(given), known)
        also = f" (or {or_else})" if or_else else ""
        raise FeaturizationError(f"{where} has {given!r}{hint}{also}")


def _imputer(column: str, given: Any) -> str | float:
    where = f"imputers of column {column!r}"
    if isinstance(given, str):
        _check(where, given, IMPUTERS, "a number")
        return given
    if isinstance(given, bool) or not isinstance(given, Real) or not math.isfinite(float(given)):
        raise FeaturizationError(
            f"{where} has {given!r}; expected a finite number, or one of {', '.join(IMPUTERS)}"
        )
    return float(given)

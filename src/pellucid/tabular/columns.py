"""Column and Schema: what each column of a table is, as facts that can be written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

from pellucid.tabular.errors import SchemaError

Kind = Literal["numeric", "boolean", "categorical", "datetime", "text", "identifier", "constant"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Column:
    """One raw column.

    Attributes
    ----------
    name : str
    kind : Kind
    n_unique : int
        Number of different values in the training rows, missing ones not counted.
    missing : int
        Number of training rows without a value.
    used : bool
        Whether the model sees it.
    reason : str
        Why it is not used; empty when it is.
    dtype : str
        The column's type in the training table.
    formats : tuple of str
        How text is read as dates ("iso" or strptime formats, tried in order) or as numbers
        ("decimal comma").
    words : tuple of str
        Words among numbers or dates that are read as missing.
    examples : tuple of str
        Some values, the most frequent and one with a number if there is any, to tell what was
        expected when something else comes.
    source : str
        The raw column that this one was made of, such as the past of a series; empty for a raw
        column.
    """

    name: str
    kind: Kind
    n_unique: int = 0
    missing: int = 0
    used: bool = True
    reason: str = ""
    dtype: str = ""
    formats: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns of the training table, in order; those that the model does not see too.

    Examples
    --------
    >>> schema = Schema((Column("age", "numeric"), Column("job", "categorical")))
    >>> schema.names, schema.kinds
    (('age', 'job'), {'age': 'numeric', 'job': 'categorical'})
    >>> Schema.from_dict(schema.to_dict()) == schema
    True
    """

    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def raw_names(self) -> tuple[str, ...]:
        """Names of the columns that are not made of others, in order."""
        return tuple(column.name for column in self.columns if not column.source)

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Column name -> kind, in order."""
        return {column.name: column.kind for column in self.columns}

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def made_of(self, sources: Mapping[str, str], *, replaced: Sequence[str] = ()) -> Schema:
        """The same columns, some of them made of others.

        Parameters
        ----------
        sources : made column -> raw column.
        replaced : raw columns that are not used but for what is made of them.
        """
        columns = [replace(each, source=sources.get(each.name, "")) for each in self.columns]
        reason = "only what is made of it is used"
        return Schema(
            tuple(
                replace(each, used=False, reason=reason)
                if each.used and each.name in replaced
                else each
                for each in columns
            )
        )

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"format": 1, "columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Schema:
        """Rebuild a schema from what `to_dict` gave, or from its JSON.

        Raises
        ------
        SchemaError
            If the facts are of another format.
        """
        if facts.get("format") != 1:
            raise SchemaError(
                f"this schema has format {facts.get('format')!r}, but only 1 is known; "
                f"read it with the version of Pellucid that wrote it"
            )
        return cls(tuple(_column(entry) for entry in facts["columns"]))


def _column(facts: Mapping[str, Any]) -> Column:
    tuples = {key: tuple(facts[key]) for key in ("formats", "words", "examples")}
    return Column(**{**facts, **tuples})

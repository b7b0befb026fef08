"""What each column of a table is: infer it, write it down, hold later tables to it."""

from __future__ import annotations

from pellucid.tabular.align import align
from pellucid.tabular.columns import KINDS, Column, Kind, Schema
from pellucid.tabular.errors import SchemaError
from pellucid.tabular.infer import infer_schema

__all__ = ["KINDS", "Column", "Kind", "Schema", "SchemaError", "align", "infer_schema"]

"""What can be wrong with a table."""

from __future__ import annotations

from pellucid.errors import PellucidError


class ReadError(PellucidError):
    """A file or an object cannot be read as a table."""


class SchemaError(PellucidError):
    """A table's columns are not what they must be."""


class FeaturizationError(PellucidError):
    """A featurization config makes no sense, or does not fit the table."""


class SeriesError(PellucidError):
    """Time series are not what they must be, or lack what a forecast needs."""

"""What can be wrong with a table."""

from __future__ import annotations

from pellucid.errors import PellucidError


class ReadError(PellucidError, ValueError):
    """A file or an object cannot be read as a table."""


class SchemaError(PellucidError, ValueError):
    """A table's columns are not what they must be."""


class FeaturizationError(PellucidError, ValueError):
    """A featurization config makes no sense, or does not fit the table."""


class SeriesError(PellucidError, ValueError):
    """Time series are not what they must be, or lack what a forecast needs."""

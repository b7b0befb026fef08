"""What can go wrong between a fitted model and its Shapley values."""

from __future__ import annotations

from pellucid.errors import PellucidError


class ShapleyError(PellucidError):
    """A model, a background, players or rows that exact Shapley values cannot be made from."""


class ReaderError(ShapleyError):
    """A model that no reader can turn into a tree ensemble; the message says which part of it."""


class AdditivityError(ShapleyError):
    """Base value and Shapley values of a row that do not add up to the model's own margin."""


class TablesFileError(ShapleyError):
    """A file of compiled tables that is damaged, or written by a version this one does not know."""

"""Model cards: what a model is, how good, by what, for whom not; in Markdown and as a page."""

from __future__ import annotations

from pellucid.store.card.card import Card, Words, make_card

__all__ = ["Card", "Words", "make_card"]

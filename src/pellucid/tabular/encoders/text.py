"""Texts as weights of their words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.tabular.encoders.base import missing_feature, missing_note
from pellucid.tabular.lineage import Feature

_MOST = 200  # words
_COMMON = 0.9  # share of texts above which a word tells nothing
_TOKEN = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True)
class TextEncoder:
    """TF-IDF weights of the words that most texts share, and the number of words.

    The weights are those of scikit-learn's ``TfidfVectorizer`` with this vocabulary: counts times
    ``log((1 + n) / (1 + df)) + 1``, each text scaled to length one.

    words : the vocabulary, in alphabetical order.
    idf : inverse document frequency of each word.
    missing : whether training rows had missing values, which then get a column of their own.
    """

    words: tuple[str, ...]
    idf: tuple[float, ...]
    missing: bool

    type: ClassVar[str] = "text"

    @classmethod
    def fit(cls, cells: Sequence[str | None]) -> TextEncoder:
        """Learn the vocabulary: words in at least 1 text of 200, at least 5, the most common."""
        texts = [text for text in cells if text is not None]
        frequency = Counter(word for text in texts for word in set(_tokens(text)))
        n = len(texts)
        fewest = max(min(5, n // 4), n // 200, 2)
        fit = [w for w, df in frequency.items() if fewest <= df <= _COMMON * n]
        words = sorted(sorted(fit, key=lambda w: (-frequency[w], w))[:_MOST])
        idf = [math.log((1 + n) / (1 + frequency[w])) + 1 for w in words]
        return cls(tuple(words), tuple(idf), n < len(cells))

    @cached_property
    def _position(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def features(self, column: str) -> tuple[Feature, ...]:
        """``review~refund`` for each word, ``review.words``, then ``review=(missing)``."""
        own = [Feature(f"{column}~{word}", "word") for word in self.words]
        length = Feature(f"{column}.words")
        return (*own, length, *missing_feature(column, self.missing))

    @property
    def action(self) -> str:
        """What is done to the column, in words."""
        return f"weights (TF-IDF) of {len(self.words)} words, and the number of words" + (
            missing_note(self.missing)
        )

    def fill(self, cells: Sequence[str | None], out: np.ndarray) -> None:
        """Write weights and lengths; a missing text has no words and an unknown length."""
        n = len(self.words)
        out[:, :n] = 0.0
        for i, text in enumerate(cells):
            if text is None:
                out[i, n] = np.nan
                continue
            for position, weight in self._weights(text):
                out[i, position] = weight
            out[i, n] = len(text.split())
        if self.missing:
            out[:, n + 1] = [text is None for text in cells]

    def _weights(self, text: str) -> list[tuple[int, float]]:
        known = (self._position.get(token) for token in _tokens(text))
        counts = Counter(position for position in known if position is not None)
        weights = [(p, count * self.idf[p]) for p, count in sorted(counts.items())]
        length = math.sqrt(math.fsum(weight * weight for _, weight in weights))
        return [(p, weight / length) for p, weight in weights]

    def to_dict(self) -> dict[str, Any]:
        """State as plain values for JSON."""
        return {"words": list(self.words), "idf": list(self.idf), "missing": self.missing}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> TextEncoder:
        """Rebuild an encoder from its state."""
        return cls(tuple(facts["words"]), tuple(facts["idf"]), facts["missing"])


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())

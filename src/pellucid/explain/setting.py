"""The setting of a question: rows before a ground, in the model's own form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.ground import BACKGROUND, GIVEN, Ground, make_ground, prepare
from pellucid.explain.lineage import Lineage
from pellucid.explain.matrices import take
from pellucid.explain.subject import Space, Subject, SubjectError
from pellucid.explain.tables import index_of


@dataclass(frozen=True, eq=False)
class Setting:
    """Rows that something is asked about, before their ground.

    Attributes
    ----------
    ground : Ground
    rows : DataFrame, array or CSR, (n_rows, n_columns)
        In the form that the subject's first step takes.
    index : Index, (n_rows,)
        The identity of the rows.
    """

    ground: Ground
    rows: Any
    index: pd.Index

    @property
    def subject(self) -> Subject:
        """The model, taken apart."""
        return self.ground.subject

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of ``rows``."""
        return self.ground.names

    @property
    def raw_names(self) -> tuple[str, ...]:
        """The columns that the user knows, of which those of ``rows`` are made."""
        origins = self.subject.origins
        return self.names if origins is None else tuple(dict.fromkeys(origins))

    @property
    def raw_of(self) -> np.ndarray:
        """Position in ``raw_names`` of what each column of ``rows`` is made of."""
        origins = self.subject.origins
        if origins is None:
            return np.arange(len(self.names))
        place = {name: i for i, name in enumerate(self.raw_names)}
        return np.array([place[name] for name in origins], dtype=np.int64)

    @property
    def seed(self) -> int:
        """What all that is drawn at random is drawn with."""
        return self.ground.seed

    @property
    def n_rows(self) -> int:
        """Number of rows asked about."""
        return int(self.rows.shape[0])

    @cached_property
    def _reached(self) -> dict[int, Any]:
        return {0: self.rows}

    def rows_at(self, depth: int) -> Any:
        """The rows after so many steps."""
        if depth not in self._reached:
            before = self.rows_at(depth - 1)
            self._reached[depth] = self.subject.at(depth, before, start=depth - 1)
        return self._reached[depth]

    @cached_property
    def _asked(self) -> dict[Space, np.ndarray]:
        return {}

    def answers(self, space: Space) -> np.ndarray:
        """What the core answers on the rows, (n_rows, n_outputs); asked once."""
        if space not in self._asked:
            depth = self.subject.depth
            self._asked[space] = self.subject.ask(space, depth=depth)(self.rows_at(depth))
        return self._asked[space]

    @cached_property
    def response(self) -> np.ndarray | None:
        """What the whole model says of the rows, (n_rows, n_outputs), if it can say anything."""
        if self.subject.whole is not None:
            return self.subject.whole(self.rows)
        return self.answers("response") if "response" in self.subject.core.asks else None

    def background_at(self, depth: int) -> Any:
        """The background after so many steps."""
        return self.ground.at(depth)

    @property
    def lineages(self) -> tuple[Lineage, ...]:
        """From raw columns to those after 0, 1, ... steps."""
        return self.ground.lineages(self.rows)

    @property
    def engineered_names(self) -> tuple[str, ...]:
        """Names of the columns that the core sees."""
        return self.lineages[-1].outputs


def make_setting(model: Any, X: Any, *, background: Any = None, seed: int = 0) -> Setting:
    """Put a question: rows and background in the model's own form.

    Parameters
    ----------
    model : whatever `pellucid.explain.adapters.as_subject` takes, or a Ground
    X : table, (n_rows, n_columns)
    background : table, (n_background, n_columns), optional
        Rows that stand for "absent". The model's own where it has some, else up to a hundred of
        the rows, drawn with the seed.
    seed : int

    Raises
    ------
    SubjectError
        Rows that do not fit the model, or a background without rows.
    """
    if isinstance(model, Ground):
        if background is not None:
            raise SubjectError("what is prepared has its background; leave background= out")
        return _placed(model, model.subject.prepare(X), X)
    subject = as_subject(model, X)
    rows = subject.prepare(X)
    if background is not None:
        ground = make_ground(subject, subject.prepare(background), GIVEN, seed)
    elif subject.own_background is not None:
        ground = prepare(subject, random_state=seed)
    else:
        ground = make_ground(subject, *_drawn(rows, int(rows.shape[0]), seed), seed)
    return _placed(ground, rows, X)


def _placed(ground: Ground, rows: Any, X: Any) -> Setting:
    if rows.shape[0] == 0:
        raise SubjectError("X has no rows; give at least one to explain")
    return Setting(ground, rows, index_of(X, int(rows.shape[0])))


def _drawn(rows: Any, n_rows: int, seed: int) -> tuple[Any, str]:
    """Some of the rows as their own background, and what to call that."""
    if n_rows < 2:
        raise SubjectError(
            f"X has {n_rows} rows, too few to take a background from; give background=, such as "
            f"some of the training rows"
        )
    chosen = np.arange(n_rows)
    if n_rows > BACKGROUND:
        chosen = np.sort(np.random.default_rng(seed).choice(n_rows, BACKGROUND, replace=False))
    return take(rows, chosen), f"drawn from the {n_rows} explained rows"

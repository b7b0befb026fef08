"""The setting of a question: a subject, the rows asked about, and the background they stand before.

All that explains or varies rows starts from here: rows in the model's own form, names, and what is
known of how engineered columns come from raw ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.adapters import as_subject
from pellucid.explain.lineage import Lineage, identity
from pellucid.explain.matrices import take
from pellucid.explain.subject import Subject, SubjectError
from pellucid.explain.tables import index_of, names_of

BACKGROUND = 100  # rows that stand for "absent" when the caller names none
_TRACED = 64  # rows that are carried along to trace lineage


@dataclass(frozen=True, eq=False)
class Setting:
    """A subject, and rows before their background.

    Attributes
    ----------
    subject : Subject
    rows : DataFrame, array or CSR, (n_rows, n_columns)
        In the form that the subject's first step takes.
    background : the same, (n_background, n_columns), or None
        None when the model brings its own, which is then known at full depth only.
    names : tuple of str, (n_columns,)
    index : Index, (n_rows,)
        The identity of the rows.
    background_from : str
        Where the background comes from, in words.
    seed : int
    """

    subject: Subject
    rows: Any
    background: Any
    names: tuple[str, ...]
    index: pd.Index
    background_from: str
    seed: int

    @property
    def n_rows(self) -> int:
        """Number of rows asked about."""
        return int(self.rows.shape[0])

    @cached_property
    def _reached(self) -> dict[tuple[str, int], Any]:
        return {("rows", 0): self.rows, ("background", 0): self.background}

    def _at(self, which: str, depth: int) -> Any:
        kept = self._reached
        if (which, depth) not in kept:
            before = self._at(which, depth - 1)
            kept[which, depth] = self.subject.at(depth, before, start=depth - 1)
        return kept[which, depth]

    def rows_at(self, depth: int) -> Any:
        """The rows after so many steps."""
        return self._at("rows", depth)

    def background_at(self, depth: int) -> Any:
        """The background after so many steps.

        Raises
        ------
        SubjectError
            If the background is known at full depth only.
        """
        if self.background is None:
            if depth == self.subject.depth:
                return self.subject.own_background
            raise SubjectError(
                f"{self.subject.label} keeps its background as engineered columns; give raw rows "
                f"with background="
            )
        return self._at("background", depth)

    @property
    def n_background(self) -> int:
        """Number of background rows."""
        return int(self.background_at(self.subject.depth).shape[0])

    @cached_property
    def lineages(self) -> tuple[Lineage, ...]:
        """From raw columns to those after 0, 1, ... steps."""
        found = [identity(self.names)]
        source = self.rows if self.background is None else self.background
        rows = take(source, np.arange(min(_TRACED, source.shape[0])))
        for step in self.subject.steps:
            found.append(found[-1].then(step.lineage(rows, found[-1].outputs)))
            rows = step.transform(rows)
        return tuple(found)

    @property
    def engineered_names(self) -> tuple[str, ...]:
        """Names of the columns that the core sees."""
        return self.lineages[-1].outputs


def make_setting(model: Any, X: Any, *, background: Any = None, seed: int = 0) -> Setting:
    """Put a question: rows and background in the model's own form.

    Parameters
    ----------
    model : whatever `pellucid.explain.adapters.as_subject` takes
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
    subject = as_subject(model, X)
    rows = subject.prepare(X)
    n_rows = int(rows.shape[0])
    if background is not None:
        absent = subject.prepare(background)
        origin = "given"
        if absent.shape[0] == 0:
            raise SubjectError("background has no rows; give at least one to compare with")
    elif subject.own_background is not None:
        absent, origin = None, "training rows that the model keeps"
    else:
        if n_rows < 2:
            raise SubjectError(
                f"X has {n_rows} rows, too few to take a background from; give background=, such "
                f"as some of the training rows"
            )
        chosen = np.arange(n_rows)
        if n_rows > BACKGROUND:
            chosen = np.sort(np.random.default_rng(seed).choice(n_rows, BACKGROUND, replace=False))
        absent, origin = take(rows, chosen), f"drawn from the {n_rows} explained rows"
    first = subject.steps[0].part if subject.steps else subject.core.model
    return Setting(
        subject=subject,
        rows=rows,
        background=absent,
        names=names_of(rows, subject.model, first),
        index=index_of(X, n_rows),
        background_from=origin,
        seed=seed,
    )

"""The ground of questions: a subject, and the background that rows stand before.

What depends on these two alone is made once and kept: lineage, the depth at which players come
apart, compiled tables. `prepare` makes a ground to ask many times, as a service does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.explain.adapters import as_subject
from pellucid.explain.certificate import KEPT_BACKGROUND, digest_of
from pellucid.explain.lineage import Lineage, identity
from pellucid.explain.matrices import take
from pellucid.explain.subject import Subject, SubjectError
from pellucid.explain.tables import names_of

GIVEN = "given"  # by the caller
BACKGROUND = 100  # rows that stand for "absent" when the caller names none
_TRACED = 64  # rows that are carried along to trace lineage


@dataclass(frozen=True, eq=False)
class Ground:
    """A subject and its background.

    Attributes
    ----------
    subject : Subject
    background : DataFrame, array or CSR, (n_background, n_columns), or None
        In the form that the subject's first step takes. None when the model brings its own, which
        is known at full depth only.
    names : tuple of str, (n_columns,)
    background_from : str
        Where the background comes from, in words.
    seed : int
    """

    subject: Subject
    background: Any
    names: tuple[str, ...]
    background_from: str
    seed: int

    def at(self, depth: int) -> Any:
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
        if depth not in self._reached:
            self._reached[depth] = self.subject.at(depth, self.at(depth - 1), start=depth - 1)
        return self._reached[depth]

    @cached_property
    def _reached(self) -> dict[int, Any]:
        return {0: self.background}

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """What others have made of this ground, by a key of theirs."""
        return {}

    @property
    def n_rows(self) -> int:
        """Number of background rows."""
        return int(self.at(self.subject.depth).shape[0])

    @cached_property
    def digest(self) -> str:
        """A digest of the background rows."""
        rows = self.background if self.background is not None else self.at(self.subject.depth)
        return digest_of(rows)

    def lineages(self, rows: Any) -> tuple[Lineage, ...]:
        """From raw columns to those after 0, 1, ... steps; told by rows where there is no other."""
        if "lineages" not in self.kept:
            source = rows if self.background is None else self.background
            some = take(source, np.arange(min(_TRACED, source.shape[0])))
            found = [identity(self.names)]
            for depth, step in enumerate(self.subject.steps):
                reached = self.subject.at(depth + 1, some, start=depth)
                found.append(found[-1].then(step.lineage(some, found[-1].outputs)))
                some = reached
            self.kept["lineages"] = tuple(found)
        lineages: tuple[Lineage, ...] = self.kept["lineages"]
        return lineages


def prepare(model: Any, *, background: Any = None, random_state: int = 0) -> Ground:
    """Make a model ready to be asked many times against one background.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes
    background : table, (n_background, n_columns)
        Rows that stand for "absent". May be left out where the model keeps some.
    random_state : int

    Returns
    -------
    Ground
        To be given to `pellucid.explain` in place of the model.

    Raises
    ------
    SubjectError
        A background without rows, or none at all.

    Examples
    --------
    >>> import pellucid
    >>> from sklearn.linear_model import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> ready = prepare(model, background=np.array([[0.0], [1.0]]))
    >>> pellucid.explain(ready, np.array([[2.0]])).values.round(6)
    array([[3.]])
    """
    subject = as_subject(model, background)
    if background is None:
        if subject.own_background is None:
            raise SubjectError(
                f"{subject.label} keeps no background; give some rows with background=, such as "
                f"a hundred of the training rows"
            )
        names = subject.columns or ()
        return Ground(subject, None, names, KEPT_BACKGROUND, random_state)
    return make_ground(subject, subject.prepare(background), GIVEN, random_state)


def make_ground(subject: Subject, background: Any, origin: str, seed: int) -> Ground:
    """A ground of prepared background rows."""
    if background.shape[0] == 0:
        raise SubjectError("background has no rows; give at least one to compare with")
    first = subject.steps[0].part if subject.steps else subject.core.model
    names = names_of(background, subject.model, first)
    return Ground(subject, background, names, origin, seed)

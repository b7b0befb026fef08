"""The Subject: what can be asked of a model, in one form for every kind of model.

A model is steps that make columns, and a core that answers on the columns they end with. What
explains, what varies inputs and what compares models asks a Subject, and knows no library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pellucid.errors import PellucidError
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.lineage import Lineage
from pellucid.models.family import Shapley
from pellucid.shapley.trees import TreeEnsemble

Space = Literal["margin", "probability", "response"]
"""In what a model's answer, and so its importances, are measured.

- margin: the additive output before the link: log-odds, log-rates, a regressor's value.
- probability: of each class; of two classes, of the second.
- response: what `predict` is for: a regressor's value after its link, a classifier's probabilities.
"""
Ask = Callable[[Any], np.ndarray]
"""Rows to answers: float64 (n_rows, n_outputs), one output for two classes."""


class SubjectError(ExplanationError):
    """A model, or rows for it, that nothing can be asked of."""


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear margin. coef : (n_outputs, n_columns); intercept : (n_outputs,)."""

    coef: np.ndarray
    intercept: np.ndarray


@dataclass(frozen=True, eq=False)
class Core:
    """The last part of a model, asked on the rows that it takes itself.

    Attributes
    ----------
    label : str
        What to call it.
    model : the fitted estimator or function.
    asks : mapping of Space to Ask
        What it answers. A core without a margin has no "margin".
    link : callable, optional
        From margins to responses, both (n_rows, n_outputs), where that is known.
    linear : Linear, optional
        The margin, when it is linear in the columns.
    encode : callable, optional
        From rows to the numbers that its trees see, where these are not the rows themselves.
    trees : callable, optional
        Gives its trees on what ``encode`` gives, where the model itself is not on these.
    absent : float
        What a cell that a CSR matrix does not store means to it.
    shapley : callable, optional
        ``shapley(background=, players=)`` compiles exact values, for cores that do so themselves.
    """

    label: str
    model: Any
    asks: Mapping[Space, Ask]
    link: Ask | None = None
    linear: Linear | None = None
    encode: Ask | None = None
    trees: Callable[[], TreeEnsemble] | None = None
    absent: float = 0.0
    shapley: Callable[..., Shapley] | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """A part that makes columns of columns.

    transform : rows to rows.
    lineage : from some rows, and the names of their columns, to which output is made of which.
    part : the fitted transformer.
    """

    name: str
    transform: Callable[[Any], Any]
    lineage: Callable[[Any, tuple[str, ...]], Lineage]
    part: Any = None


@dataclass(frozen=True, eq=False)
class Subject:
    """A fitted model, taken apart as far as can be.

    Attributes
    ----------
    label : str
        What to call it.
    model : the model as it was given.
    core : Core
    prepare : callable
        From any table to rows in the form that the first step takes, columns checked.
    classes : tuple or None
        Class labels in the order of the outputs.
    steps : tuple of Step
    whole : callable, optional
        The model's own response on prepared rows, by its own hand.
    own_background : rows at full depth that the model brings, or None
    columns : names of prepared rows' columns, where they are known without rows, or None
    origins : the raw column behind each of these, where ``prepare`` makes several of one, or None
    """

    label: str
    model: Any
    core: Core
    prepare: Callable[[Any], Any]
    classes: tuple[Any, ...] | None = None
    steps: tuple[Step, ...] = ()
    whole: Ask | None = None
    own_background: np.ndarray | None = None
    columns: tuple[str, ...] | None = None
    origins: tuple[str, ...] | None = None

    @property
    def depth(self) -> int:
        """Number of steps before the core."""
        return len(self.steps)

    @property
    def is_classifier(self) -> bool:
        """Whether its answers are of classes."""
        return self.classes is not None

    def at(self, depth: int, rows: Any, *, start: int = 0) -> Any:
        """Rows after so many steps, from rows after ``start`` steps."""
        for step in self.steps[start:depth]:
            try:
                rows = step.transform(rows)
            except PellucidError:
                raise
            except Exception as error:  # each library has errors of its own
                raise SubjectError(
                    f"step {step.name!r} of {self.label} does not take these rows: {error}"
                ) from error
        return rows

    def ask(self, space: Space, *, depth: int = 0) -> Ask:
        """The model's answer as a function of rows after ``depth`` steps.

        Raises
        ------
        SubjectError
            If the model has no answer in that space.
        """
        if space not in ("margin", "probability", "response"):
            raise SubjectError(
                f"unknown space {space!r}; expected 'margin', 'probability' or 'response'"
            )
        if space not in self.core.asks:
            has = ", ".join(repr(each) for each in self.core.asks)
            raise SubjectError(
                f"{self.label} gives no {space}; ask for space={has}, or wrap the numbers that you "
                f"mean in a function of the rows"
            )
        answer = self.core.asks[space]

        def ask(rows: Any) -> np.ndarray:
            reached = self.at(self.depth, rows, start=depth)
            try:
                return answer(reached)
            except PellucidError:
                raise
            except Exception as error:
                raise SubjectError(f"{self.label} does not take these rows: {error}") from error

        return ask

    def best_space(self) -> Space:
        """The margin where there is one, as it is where models add up; else the response."""
        return "margin" if "margin" in self.core.asks else "response"

    def labels(self, responses: np.ndarray) -> list[Any]:
        """What the model says of responses: class labels, or values of its first output."""
        if self.classes is None:
            return np.asarray(responses[:, 0]).tolist()
        if len(self.classes) == 1:
            return [self.classes[0]] * len(responses)
        if responses.shape[1] == 1:
            return [self.classes[int(p > 0.5)] for p in responses[:, 0]]
        return [self.classes[int(k)] for k in responses.argmax(axis=1)]

    def probabilities(self, responses: np.ndarray) -> np.ndarray:
        """Responses of a classifier with a column for each class, (n_rows, n_classes)."""
        if responses.shape[1] == len(self.classes or ()):
            return responses
        return np.column_stack([1.0 - responses[:, 0], responses[:, 0]])


def same(margins: np.ndarray) -> np.ndarray:
    """The identity link: what adds up is the response itself."""
    return margins


def as_outputs(answer: Any, *, second: bool = False) -> np.ndarray:
    """An answer as float64 (n_rows, n_outputs); of two columns the second, if ``second``."""
    array = np.asarray(answer, dtype=np.float64)
    array = array[:, None] if array.ndim == 1 else array
    return array[:, 1:] if second and array.shape[1] == 2 else array

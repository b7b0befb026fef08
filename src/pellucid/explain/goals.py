"""The outcome that a counterfactual is wanted for, and how near a response is to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.asking import AskError, class_at
from pellucid.explain.subject import Subject


@dataclass(frozen=True, eq=False)
class Goal:
    """An outcome.

    subject : who is asked; at : position of the class that is wanted, or of the one to leave;
    leave : whether any other class will do; low, high : the range wanted of a value.
    """

    subject: Subject
    at: int | None = None
    leave: bool = False
    low: float = -np.inf
    high: float = np.inf

    def judge(self, responses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether responses (n_rows, n_outputs) reach it, bool (n_rows,), and how near they are.

        Nearness is the lead of the wanted class in probability, or how far a value is from the
        range, with a minus.
        """
        if self.at is None:
            values = responses[:, 0]
            outside = np.maximum(self.low - values, values - self.high)
            return outside <= 0, -np.maximum(outside, 0.0)
        chances = self.subject.probabilities(responses)
        others = np.delete(chances, self.at, axis=1).max(axis=1)
        lead = chances[:, self.at] - others
        classes = self.subject.classes or ()
        same = np.array([label == classes[self.at] for label in self.subject.labels(responses)])
        return (~same, -lead) if self.leave else (same, lead)

    def margins_towards(self, values: np.ndarray) -> np.ndarray:
        """Importances (n_rows, n_features, n_outputs) as pushes towards it, (n_rows, n_features).

        Of a range, towards its nearer side is not known before; the sign is set by the caller.
        """
        if self.at is None:
            return values[:, :, 0]
        if values.shape[2] == 1:
            pushes = values[:, :, 0] if self.at == 1 else -values[:, :, 0]
        else:
            pushes = values[:, :, self.at] - np.delete(values, self.at, axis=2).mean(axis=2)
        return -pushes if self.leave else pushes

    def __str__(self) -> str:
        if self.at is None:
            return f"a value from {self.low:g} to {self.high:g}"
        label = (self.subject.classes or ())[self.at]
        return f"anything but {label!r}" if self.leave else f"{label!r}"


def make_goal(subject: Subject, response: np.ndarray, wanted: Any) -> Goal:
    """The goal that a caller means, for a row with this response (1, n_outputs).

    Raises
    ------
    AskError
        An unknown class, no range for a value, or an outcome that the row has already.
    """
    if subject.classes is None:
        goal = _range(subject, wanted)
    elif wanted is None:
        own = subject.labels(response)[0]
        return Goal(subject, at=class_at(subject.classes, own), leave=True)
    else:
        goal = Goal(subject, at=class_at(subject.classes, wanted))
    if goal.judge(response)[0][0]:
        raise AskError(
            f"the row has the outcome already: {subject.label} predicts "
            f"{subject.labels(response)[0]!r}, wanted is {goal}"
        )
    return goal


def _range(subject: Subject, wanted: Any) -> Goal:
    if not isinstance(wanted, (tuple, list)) or len(wanted) != 2:
        raise AskError(
            f"{subject.label} predicts values; wanted must be a range such as (100, None), not "
            f"{wanted!r}"
        )
    low = -np.inf if wanted[0] is None else float(wanted[0])
    high = np.inf if wanted[1] is None else float(wanted[1])
    if low > high:
        raise AskError(f"wanted is {wanted!r}: the lower end is above the upper one")
    return Goal(subject, low=low, high=high)

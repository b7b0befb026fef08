"""Any object with scikit-learn's methods, or a plain function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pellucid.explain.subject import Ask, Core, Space, SubjectError, as_outputs


def read(model: Any) -> Core:
    """What the methods of a model answer."""
    name = type(model).__name__
    if hasattr(model, "predict_proba"):
        asks: dict[Space, Ask] = dict.fromkeys(
            ("probability", "response"), of_method(model.predict_proba, second=True)
        )
        return Core(name, model, asks)
    if hasattr(model, "predict"):
        if hasattr(model, "classes_"):
            raise SubjectError(
                f"{name} gives labels and no probabilities; explain a function of the rows that "
                f"gives numbers instead"
            )
        return Core(name, model, {"response": of_method(model.predict)})
    if callable(model):
        return of_function(model)
    raise SubjectError(
        f"{name} is no model: it has no predict, and is no function; pass a fitted model, or a "
        f"function of rows that gives numbers"
    )


def of_function(function: Callable[[Any], Any]) -> Core:
    """A function's numbers, which are taken as they are."""
    label = getattr(function, "__name__", type(function).__name__)
    label = "a function" if label == "<lambda>" else label
    return Core(label, function, {"response": of_method(function)})


def of_method(method: Callable[[Any], Any], *, second: bool = False) -> Ask:
    """A method of a model as an Ask; of two classes the second, if ``second``."""

    def ask(rows: Any) -> np.ndarray:
        given = method(rows)
        if isinstance(given, list) and len(given) and np.ndim(given[0]) == 2:
            raise SubjectError(
                f"the model answers {len(given)} targets at once; explain a function that gives "
                f"one of them"
            )
        try:
            return as_outputs(given, second=second)
        except (TypeError, ValueError) as error:
            raise SubjectError(
                f"the model answers {np.asarray(given).dtype} values, not numbers; explain a "
                f"function of the rows that gives numbers, such as probabilities"
            ) from error

    return ask

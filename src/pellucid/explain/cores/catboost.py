"""CatBoost: classifiers, regressors and the plain model."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.explain.subject import Ask, Core, SubjectError, as_outputs, same
from pellucid.models.problem import sigmoid, softmax


def read(model: Any) -> Core:
    """Margins are the raw values of the formula."""
    name = type(model).__name__
    if not hasattr(model, "is_fitted") or not model.is_fitted():
        raise SubjectError(f"{name} is not fitted; call fit before explaining it")
    loss = (
        str(model.get_all_params().get("loss_function", ""))
        if hasattr(model, "get_all_params")
        else ""
    )

    def of(kind: str, *, second: bool = False) -> Ask:
        def ask(rows: Any) -> np.ndarray:
            return as_outputs(model.predict(rows, prediction_type=kind), second=second)

        return ask

    asks: dict[Any, Ask] = {"margin": of("RawFormulaVal")}
    is_classifier = len(getattr(model, "classes_", ())) > 1
    if is_classifier:
        asks["probability"] = asks["response"] = of("Probability", second=True)
    else:
        asks["response"] = of("Exponent" if loss in _LOG else "RawFormulaVal")
    return Core(name, model, asks, link=_link(loss, is_classifier))


_LOG = ("Poisson", "Tweedie")


def _link(loss: str, is_classifier: bool) -> Ask | None:
    if loss in ("Logloss", "CrossEntropy"):
        return sigmoid
    if loss == "MultiClass":
        return softmax
    if loss.partition(":")[0] in _LOG:
        return np.exp
    return None if is_classifier else same

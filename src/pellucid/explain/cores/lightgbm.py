"""LightGBM: boosters and scikit-learn wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.matrices import dense
from pellucid.explain.subject import Ask, Core, SubjectError, as_outputs, same
from pellucid.models.problem import softmax


def read(model: Any) -> Core:
    """Margins are raw scores; of rf boosting their mean, which raw_score forgets to divide."""
    import lightgbm

    name = type(model).__name__
    if isinstance(model, lightgbm.Booster):
        booster = model
    elif isinstance(model, lightgbm.LGBMModel):
        try:
            booster = model.booster_
        except Exception as error:
            raise SubjectError(f"{name} is not fitted; call fit before explaining it") from error
    else:
        raise SubjectError(
            f"LightGBM's {name} is no model; pass a Booster or a fitted LGBM estimator"
        )
    head = booster.model_to_string(num_iteration=1).partition("\nTree=")[0].splitlines()
    objective = next((x[10:].split() for x in head if x.startswith("objective=")), [""])
    used = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    divisor = float(max(1, used)) if "average_output" in head else 1.0

    def margin(rows: Any) -> np.ndarray:
        return as_outputs(booster.predict(rows, raw_score=True)) / divisor

    def response(rows: Any) -> np.ndarray:
        return as_outputs(booster.predict(rows))

    classes = objective[0] in ("binary", "multiclass", "multiclassova", "cross_entropy")
    asks: dict[Any, Ask] = {"margin": margin, "response": response}
    if classes:
        asks["probability"] = response
    return Core(
        name,
        model,
        asks,
        link=_link(objective),
        encode=lambda rows: _encode(rows, booster.pandas_categorical),
    )


def _link(objective: list[str]) -> Ask | None:
    name = objective[0]
    settings = dict(part.split(":") for part in objective[1:] if ":" in part)
    if name in ("binary", "cross_entropy"):
        slope = float(settings.get("sigmoid", 1.0))
        return lambda margins: 1.0 / (1.0 + np.exp(-slope * margins))
    if name == "multiclass":
        return softmax
    if name in ("poisson", "gamma", "tweedie"):
        return np.exp
    if name == "regression" and "sqrt" not in objective:
        return same
    return None


def _encode(rows: Any, categories: list[list[Any]] | None) -> np.ndarray:
    """Category columns as the codes of the fit; what it had not is missing."""
    if not isinstance(rows, pd.DataFrame) or not categories:
        return dense(rows)
    out = np.empty(rows.shape)
    levels = iter(categories)
    for i in range(rows.shape[1]):
        column = rows.iloc[:, i]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = pd.Categorical(column, categories=next(levels)).codes.astype(np.float64)
            out[:, i] = np.where(codes < 0, np.nan, codes)
        else:
            out[:, i] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return out

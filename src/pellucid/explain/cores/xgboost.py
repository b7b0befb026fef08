"""XGBoost: boosters and scikit-learn wrappers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.matrices import dense
from pellucid.explain.subject import Ask, Core, SubjectError, as_outputs, same
from pellucid.models.problem import softmax

_LOGISTIC = ("binary:logistic", "reg:logistic")
_LOG = ("count:poisson", "reg:gamma", "reg:tweedie")


def read(model: Any) -> Core:
    """Margins are those before the link; a cell that a CSR matrix does not store is missing."""
    import xgboost

    name = type(model).__name__
    if isinstance(model, xgboost.Booster):
        booster, rounds = model, (0, 0)
    else:
        try:
            booster = model.get_booster()
        except Exception as error:
            raise SubjectError(f"{name} is not fitted; call fit before explaining it") from error
        best = getattr(model, "best_iteration", None) if _stopped_early(model) else None
        rounds = (0, 0) if best is None else (0, int(best) + 1)
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]

    def predict(rows: Any, output_margin: bool) -> np.ndarray:
        is_frame = isinstance(rows, pd.DataFrame)
        matrix = xgboost.DMatrix(
            rows,
            feature_names=None if is_frame else booster.feature_names,
            feature_types=None if is_frame else booster.feature_types,
            enable_categorical=True,
        )
        return as_outputs(
            booster.predict(matrix, output_margin=output_margin, iteration_range=rounds)
        )

    def margin(rows: Any) -> np.ndarray:
        return predict(rows, True)

    def response(rows: Any) -> np.ndarray:
        return predict(rows, objective != "binary:logitraw")

    asks: dict[Any, Ask] = {"margin": margin}
    if objective not in ("multi:softmax", "binary:hinge", "binary:logitraw"):
        asks["response"] = lambda rows: predict(rows, False)
    if objective in ("binary:logistic", "multi:softprob"):
        asks["probability"] = asks["response"]
    elif objective == "multi:softmax":  # gives labels; its probabilities are known all the same
        asks["probability"] = asks["response"] = lambda rows: softmax(predict(rows, True))
    return Core(name, model, asks, link=_link(objective), encode=_encode, absent=np.nan)


def _stopped_early(model: Any) -> bool:
    try:
        return model.best_iteration is not None
    except AttributeError:
        return False


def _link(objective: str) -> Ask | None:
    if objective in _LOGISTIC:
        return lambda margins: 1.0 / (1.0 + np.exp(-margins))
    if objective in ("multi:softprob", "multi:softmax"):
        return softmax
    if objective in _LOG:
        return np.exp
    if objective in ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"):
        return same
    return None


def _encode(rows: Any) -> np.ndarray:
    """Category columns as their codes; missing ones, and cells not stored, as NaN."""
    if not isinstance(rows, pd.DataFrame):
        return dense(rows, absent=np.nan)
    coded = rows.copy()
    for i in range(rows.shape[1]):
        if isinstance(rows.dtypes.iloc[i], pd.CategoricalDtype):
            codes = rows.iloc[:, i].cat.codes.to_numpy(np.float64)
            coded.isetitem(i, np.where(codes < 0, np.nan, codes))
    return dense(coded)

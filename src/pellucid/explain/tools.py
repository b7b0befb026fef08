"""Models of other AutoML tools, and MLflow's, asked through their public methods.

FLAML's model is taken apart; what AutoGluon and mljar ship are ensembles of many kinds, which are
asked as they are. None of these packages is imported here: a model brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from pellucid.explain.cores import read_core
from pellucid.explain.cores.anything import of_method
from pellucid.explain.lineage import Lineage, of_pairs
from pellucid.explain.matrices import width
from pellucid.explain.probing import probe
from pellucid.explain.subject import Ask, Core, Space, Step, Subject, SubjectError
from pellucid.explain.tables import named_reader
from pellucid.tabular.frames import to_frame

_CHANCE = "prediction_"  # how mljar names its columns of probabilities


def read_tool(model: Any, X: Any) -> Subject | None:
    """The Subject of another tool's model, or None: it is none that is known here."""
    for base in type(model).__mro__:
        reader = _READERS.get((base.__module__.partition(".")[0], base.__name__))
        if reader is not None:
            return reader(model, X)
    return None


def _flaml(model: Any, X: Any) -> Subject:
    best = model.model
    if best is None:
        raise SubjectError("FLAML's AutoML is not fitted, or found nothing; fit it with more time")
    label = "FLAML's AutoML"
    fitted = getattr(best, "estimator", None) or getattr(best, "_model", None) or best
    core = read_core(fitted)
    classes = _labels(getattr(model, "classes_", None)) if "probability" in core.asks else None
    method = model.predict if classes is None else model.predict_proba
    steps = (
        _opaque("preprocess", model.preprocess),
        _opaque("estimator", getattr(best, "_preprocess", _same)),
    )
    return Subject(
        label=f"{core.label} of {label}",
        model=model,
        core=core,
        # what its own attributes call the columns is what is left of them after its transformer
        prepare=named_reader(list(X.columns), label) if isinstance(X, pd.DataFrame) else _tables,
        classes=classes,
        steps=steps,
        whole=of_method(method, second=classes is not None),
    )


def _autogluon(model: Any, X: Any) -> Subject:
    label = "AutoGluon's TabularPredictor"
    names = list(model.original_features)  # raises by itself when it is not fitted
    if model.problem_type == "quantile":
        raise SubjectError(f"{label} predicts quantiles; explain a function that gives one of them")
    classes = model.class_labels if model.problem_type in ("binary", "multiclass") else None
    method = model.predict if classes is None else model.predict_proba
    return _as_it_is(model, label, method, names, classes)


def _mljar(model: Any, X: Any) -> Subject:
    label = "mljar's AutoML"
    facts = getattr(model, "_data_info", None)
    if not facts:
        raise SubjectError(f"{label} is not fitted, or not loaded; call fit, or predict once")
    task = str(getattr(model, "_ml_task", "") or model._get_ml_task())
    if task == "regression":
        return _as_it_is(model, label, model.predict, facts["columns"], None)
    asked = model.predict_all(to_frame(X).head(1))  # a column for each class, by name
    classes = [name[len(_CHANCE) :] for name in asked.columns if name.startswith(_CHANCE)]
    return _as_it_is(model, label, model.predict_proba, facts["columns"], classes)


def _mlflow(model: Any, X: Any) -> Subject:
    label = "an MLflow model"
    inputs = model.metadata.get_input_schema() if model.metadata is not None else None
    names = inputs.input_names() if inputs is not None and inputs.has_input_names() else None
    prepare = _tables if names is None else named_reader(list(names), label)
    return Subject(
        label=label,
        model=model,
        core=Core(label, model, {"response": of_method(_unframed(model.predict))}),
        prepare=prepare,
    )


def _as_it_is(
    model: Any, label: str, method: Callable[[Any], Any], names: Sequence[Any], classes: Any
) -> Subject:
    ask = of_method(_unframed(method), second=classes is not None)
    asks: dict[Space, Ask] = {"response": ask}
    if classes is not None:
        asks["probability"] = ask
    return Subject(
        label=label,
        model=model,
        core=Core(label, model, asks),
        prepare=named_reader(list(names), label),
        classes=_labels(classes),
        whole=ask,
    )


def _unframed(method: Callable[[Any], Any]) -> Callable[[Any], np.ndarray]:
    return lambda rows: np.asarray(method(rows))


def _labels(classes: Any) -> tuple[Any, ...] | None:
    return None if classes is None else tuple(np.asarray(classes).tolist())


def _opaque(name: str, transform: Callable[[Any], Any]) -> Step:
    return Step(name, transform, partial(_probed, transform))


def _probed(transform: Callable[[Any], Any], rows: Any, names: tuple[str, ...]) -> Lineage:
    made = transform(rows)
    outputs = (
        tuple(map(str, made.columns))
        if isinstance(made, pd.DataFrame)
        else names
        if width(made) == len(names)
        else tuple(f"x{i}" for i in range(width(made)))
    )
    found = of_pairs(names, outputs, probe(transform, rows))
    return Lineage(found.inputs, found.outputs, found.parents, probed=True)


def _same(rows: Any) -> Any:
    return rows


def _tables(X: Any) -> Any:
    return X


_READERS: dict[tuple[str, str], Callable[[Any, Any], Subject]] = {
    ("flaml", "AutoML"): _flaml,
    ("autogluon", "TabularPredictor"): _autogluon,
    ("supervised", "AutoML"): _mljar,
    ("mlflow", "PyFuncModel"): _mlflow,
}

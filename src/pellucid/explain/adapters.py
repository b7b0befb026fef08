"""From what people have to a Subject: our models, pipelines, searches, boosters, functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd

from pellucid.explain.cores import read_core
from pellucid.explain.cores.anything import of_method
from pellucid.explain.explanation import Level
from pellucid.explain.lineage import Lineage, identity, of_owners
from pellucid.explain.matrices import known
from pellucid.explain.pipelines import trace
from pellucid.explain.predictor import Predictor
from pellucid.explain.subject import Ask, Core, Space, Step, Subject, SubjectError
from pellucid.explain.tables import are_texts, checked_reader, knows_names, text_reader
from pellucid.explain.tools import read_tool
from pellucid.models.family import Shapley

_SEARCHES = (
    "GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV",
    "OptunaSearchCV", "FixedThresholdClassifier", "TunedThresholdClassifierCV",
)  # fmt: skip
_DRESSED = ("pellucid.azureml.fitted", "pellucid.azureml.forecasting")
_SEARCHED = ("best_estimator_", "estimator_")


def as_subject(model: Any, X: Any = None) -> Subject:
    """Take a model apart.

    Parameters
    ----------
    model : fitted model or function
        One of ours (estimator, run or predictor), a scikit-learn pipeline, search or estimator,
        a LightGBM, XGBoost or CatBoost model, a predictor of FLAML, AutoGluon or mljar, an MLflow
        pyfunc, or a function from rows to numbers.
    X : table, optional
        Rows that the model is asked on. A function is given rows of the same form.

    Raises
    ------
    SubjectError
        A model that is not fitted, or is none.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.0]})
    >>> subject = as_subject(make_pipeline(StandardScaler(), LinearRegression()).fit(X, [1, 2, 3]))
    >>> subject.label, subject.depth, subject.best_space()
    ('LinearRegression in a Pipeline', 1, 'margin')
    """
    if isinstance(model, Subject):
        return model
    own = predictor_of(model)
    if own is not None:
        return of_predictor(own)
    tool = read_tool(model, X)
    if tool is not None:
        return tool
    steps, core, whole = _unwrap(model)
    last = core.model
    classes = getattr(model, "classes_", getattr(last, "classes_", None))
    if classes is None and "probability" in core.asks:
        classes = _numbered(core)
    label = core.label if last is model else f"{core.label} in a {type(model).__name__}"
    first = steps[0].part if steps else last
    read = checked_reader(model, first, X, label=label)
    if are_texts(X) and not knows_names(model, first):  # one column, without a table
        steps = (Step("column", _only_column, _itself), *steps)
        read, whole = text_reader(label), _of_column(whole)
    return Subject(
        label=label,
        model=model,
        core=core,
        prepare=read,
        classes=_labels(classes),
        steps=steps,
        whole=whole if steps else core.asks.get("response"),
    )


def _labels(classes: Any) -> tuple[Any, ...] | None:
    labels = () if classes is None else tuple(np.asarray(classes).tolist())
    return labels or None  # CatBoost's regressors have classes, none of them


def _only_column(frame: pd.DataFrame) -> pd.Series:
    return frame.iloc[:, 0]


def _of_column(whole: Ask | None) -> Ask | None:
    return None if whole is None else lambda frame: whole(_only_column(frame))


def _itself(_: Any, names: tuple[str, ...]) -> Lineage:
    return identity(names)


def predictor_of(model: Any) -> Predictor | None:
    """The predictor in one of our estimators, runs or models under old names."""
    if isinstance(model, Predictor):
        return model
    home = type(model).__module__
    if home.startswith("pellucid.automl"):
        if not hasattr(model, "predictor_"):
            raise SubjectError(
                f"{type(model).__name__} is not fitted; call fit before explaining it"
            )
        found: Predictor = model.predictor_
        return found
    if home == "pellucid.store.run":
        stored: Predictor = model.model()
        return stored
    if home in _DRESSED:  # as a pipeline, which it is not
        dressed: Predictor = model.predictor
        return dressed
    return None


def of_predictor(predictor: Predictor) -> Subject:
    """One of our own models."""
    problem, ensemble = predictor.problem, predictor.ensemble
    features = predictor.feature_map

    def response(matrix: np.ndarray) -> np.ndarray:
        return link(ensemble.margins(matrix))

    def link(margins: np.ndarray) -> np.ndarray:
        found = problem.response(margins)
        if not problem.is_classification:
            return found[:, None]
        return found[:, 1:] if problem.task == "binary" else found

    asks: dict[Space, Ask] = {"margin": ensemble.margins, "response": response}
    if problem.is_classification:
        asks["probability"] = response

    def tables(*, background: np.ndarray, players: np.ndarray) -> Shapley:
        if np.array_equal(background, predictor.background, equal_nan=True):
            for level in get_args(Level):
                if np.array_equal(players, features.players(level)):
                    return predictor.shapley(level)  # compiled once, then kept
        return ensemble.shapley(background=background, players=players)

    schema, featurizer = predictor.schema, predictor.featurizer
    place = {name: i for i, name in enumerate(schema.names)}
    owner = [
        place[name]
        for name, encoders in featurizer.encoders.items()
        for encoder in encoders
        for _ in encoder.features(name)
    ]

    def lineage(_: Any, names: tuple[str, ...]) -> Lineage:
        return of_owners(names, features.engineered_names, owner)

    return Subject(
        label="Pellucid's ensemble",
        model=predictor,
        core=Core("ensemble", ensemble, asks, link=link, shapley=tables),
        prepare=predictor.frame,
        classes=None if predictor.classes is None else tuple(predictor.classes.tolist()),
        steps=(Step("featurizer", featurizer.transform, lineage, featurizer),),
        whole=lambda frame: response(featurizer.transform(frame)),
        own_background=predictor.background,
        columns=tuple(schema.names),
        origins=tuple(column.source or column.name for column in schema.columns),
    )


def _unwrap(model: Any) -> tuple[tuple[Step, ...], Core, Ask | None]:
    """Steps, the core behind them, and the whole model's own response where it has steps."""
    if isinstance(model, type):
        raise SubjectError(f"{model.__name__} is a class; pass a fitted object of it")
    name = type(model).__name__
    if hasattr(model, "steps") and isinstance(model.steps, list):
        _check_pipeline(model)
        steps, core, _ = _unwrap(model.steps[-1][1])
        before = tuple(
            _step(name, part)
            for name, part in model.steps[:-1]
            if not _is_nothing(part) and hasattr(part, "transform")
        )
        return before + steps, core, _whole(model)
    if name in _SEARCHES:
        inner = next((getattr(model, at) for at in _SEARCHED if hasattr(model, at)), None)
        if inner is None:
            raise SubjectError(f"{name} is not fitted, or was fitted with refit=False; fit it")
        return _unwrap(inner)
    if name == "TransformedTargetRegressor":
        if not hasattr(model, "regressor_"):
            raise SubjectError(f"{name} is not fitted; call fit before explaining it")
        steps, core, _ = _unwrap(model.regressor_)
        return steps, _mapped_back(core, model.transformer_), of_method(model.predict)
    return (), read_core(model), None


def _mapped_back(core: Core, transformer: Any) -> Core:
    """A core whose response goes back through the transformer of the target."""

    def back(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.asarray(transformer.inverse_transform(values.reshape(-1, 1)))
        return found.reshape(values.shape)

    def response(rows: Any) -> np.ndarray:
        return back(inner(rows))

    inner = core.asks["response"]
    return replace(core, asks={**core.asks, "response": response}, link=back)


def _whole(pipeline: Any) -> Ask | None:
    for method in ("predict_proba", "predict"):
        if hasattr(pipeline, method) and (
            method == "predict_proba" or not hasattr(pipeline, "classes_")
        ):
            return of_method(getattr(pipeline, method), second=method == "predict_proba")
    return None


def _check_pipeline(pipeline: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    name = type(pipeline).__name__
    if _is_nothing(pipeline.steps[-1][1]) or not hasattr(pipeline.steps[-1][1], "predict"):
        raise SubjectError(
            f"the {name} ends with {pipeline.steps[-1][0]!r}, which predicts nothing; pass one "
            f"that ends with an estimator"
        )
    try:
        for _, part in pipeline.steps:
            if not _is_nothing(part) and hasattr(part, "fit"):
                check_is_fitted(part)
    except NotFittedError as error:
        raise SubjectError(f"the {name} is not fitted; call fit before explaining it") from error


def _is_nothing(part: Any) -> bool:
    return part is None or (isinstance(part, str) and part == "passthrough")


def _step(name: str, part: Any) -> Step:
    lineage: Callable[[Any, tuple[str, ...]], Lineage] = partial(trace, part)
    return Step(name, lambda rows: known(part.transform(rows)), lineage, part)


def _numbered(core: Core) -> Any:
    """Classes of a booster without labels: their numbers."""
    model = core.model
    n = getattr(model, "num_model_per_iteration", None)
    if n is not None:
        count = int(n())
        return np.arange(2 if count == 1 else count)
    if hasattr(model, "save_config"):
        import json

        count = int(json.loads(model.save_config())["learner"]["learner_model_param"]["num_class"])
        return np.arange(max(2, count))
    return None

"""scikit-learn: what adds up in an estimator, and the link behind it.

The margin of trees and forests is what they average: a probability, or a value. That of linear
models and of boosting is the decision function; of naive Bayes the joint log likelihood. Estimators
whose answer is no sum of anything, such as neighbours or neural networks, have no margin.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.explain.cores.anything import of_method
from pellucid.explain.cores.anything import read as read_methods
from pellucid.explain.subject import Ask, Core, Linear, Space, SubjectError, same
from pellucid.models.problem import sigmoid, softmax
from pellucid.shapley.readers.sklearn import read_encoded


def read(model: Any) -> Core:
    """What a fitted estimator answers."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    name = type(model).__name__
    if isinstance(model, type):
        raise SubjectError(f"{model.__name__} is a class; pass a fitted object of it")
    try:
        check_is_fitted(model)
    except (NotFittedError, TypeError) as error:
        raise SubjectError(f"{name} is not fitted; call fit before explaining it") from error
    if hasattr(model, "classes_") and isinstance(model.classes_, list):
        raise SubjectError(
            f"{name} answers {len(model.classes_)} targets at once; explain one for each target"
        )
    core = _classifier(model, name) if hasattr(model, "classes_") else _regressor(model, name)
    if getattr(model, "_preprocessor", None) is not None and hasattr(model, "_predictors"):
        return _on_categories(core)
    return core


def _on_categories(core: Core) -> Core:
    """Histogram gradient boosting with categories, on the numbers that its own encoder makes."""
    model = core.model
    is_category = np.asarray(model.is_categorical_, dtype=bool)
    order = np.concatenate([np.flatnonzero(is_category), np.flatnonzero(~is_category)])

    def encode(rows: Any) -> np.ndarray:
        out = np.empty(rows.shape)
        out[:, order] = model._preprocessor.transform(rows)  # categories come first
        return out

    return replace(core, encode=encode, trees=lambda: read_encoded(model))


def _classifier(model: Any, name: str) -> Core:
    n_classes = len(model.classes_)
    asks: dict[Space, Ask] = {}
    link: Ask | None = None
    if _is_averaged(model):
        asks["margin"], link = of_method(model.predict_proba, second=True), same
    elif hasattr(model, "decision_function"):
        asks["margin"] = of_method(model.decision_function)
        link = _decision_link(model, n_classes)
    elif hasattr(model, "predict_joint_log_proba"):
        asks["margin"] = _difference(of_method(model.predict_joint_log_proba))
        link = sigmoid if n_classes == 2 else softmax
    if "margin" in asks and not _one_each(model, n_classes):
        del asks["margin"]  # one for each pair of classes
        link = None
    if hasattr(model, "predict_proba"):
        asks["probability"] = asks["response"] = of_method(model.predict_proba, second=True)
    if not asks:
        return read_methods(model)
    return Core(name, model, asks, link=link, linear=_linear(model, n_classes))


def _regressor(model: Any, name: str) -> Core:
    if hasattr(model, "decision_function"):  # how unusual rows are: what it predicts are labels
        return Core(name, model, {"response": of_method(model.decision_function)})
    if not hasattr(model, "predict"):
        return read_methods(model)
    if hasattr(model, "fit_predict") and hasattr(model, "labels_"):
        raise SubjectError(
            f"{name} gives labels of clusters, which are no numbers to explain; explain a function "
            f"that gives numbers, such as the distance to a cluster"
        )
    response = of_method(model.predict)
    linear = _linear(model, 0)
    if linear is not None and hasattr(model, "_get_loss"):  # generalised linear models
        if "Log" not in type(model._base_loss.link).__name__:
            return Core(name, model, {"margin": response, "response": response}, same, linear)
        return Core(name, model, {"margin": _log(response), "response": response}, np.exp, linear)
    if hasattr(model, "_raw_predict") and getattr(model, "loss", "") in ("poisson", "gamma"):
        return Core(name, model, {"margin": _log(response), "response": response}, np.exp)
    return Core(name, model, {"margin": response, "response": response}, same, linear)


def _is_averaged(model: Any) -> bool:
    from sklearn.ensemble import _forest
    from sklearn.tree import DecisionTreeClassifier

    return isinstance(model, (DecisionTreeClassifier, _forest.ForestClassifier))


def _one_each(model: Any, n_classes: int) -> bool:
    """Whether margins are one for each class, not one for each pair."""
    return not (
        n_classes > 2 and getattr(model, "decision_function_shape", "ovr") != "ovr"
    ) or not hasattr(model, "support_vectors_")


def _decision_link(model: Any, n_classes: int) -> Ask | None:
    name = type(model).__name__
    if name in ("GradientBoostingClassifier", "HistGradientBoostingClassifier"):
        if getattr(model, "loss", "") == "exponential":
            return lambda margins: sigmoid(2.0 * margins)
        return sigmoid if n_classes == 2 else softmax
    if name in ("LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis"):
        several = softmax if getattr(model, "solver", "") != "liblinear" else None
        return sigmoid if n_classes == 2 else several
    if name == "SGDClassifier" and model.loss == "log_loss" and n_classes == 2:
        return sigmoid
    return None


def _linear(model: Any, n_classes: int) -> Linear | None:
    """Coefficients of the margin, for estimators that have them."""
    name = type(model).__name__
    if name in ("MultinomialNB", "ComplementNB", "BernoulliNB"):
        return _bayes(model, name, n_classes)
    coef = getattr(model, "coef_", None)
    if coef is None or not hasattr(model, "intercept_"):
        return None
    coef = np.atleast_2d(np.asarray(_dense(coef), dtype=np.float64))
    if name in ("PLSRegression", "PLSCanonical", "CCA"):
        return None
    intercept = np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64))
    return Linear(coef, np.broadcast_to(intercept, (len(coef),)).copy())


def _bayes(model: Any, name: str, n_classes: int) -> Linear | None:
    if name == "ComplementNB" and n_classes == 1:
        return None
    coef = np.asarray(model.feature_log_prob_, dtype=np.float64)
    prior = np.asarray(model.class_log_prior_, dtype=np.float64)
    if name == "ComplementNB":
        prior = np.zeros(n_classes)
    if name == "BernoulliNB":
        if model.binarize is not None:
            return None
        other = np.log1p(-np.exp(coef))
        prior, coef = prior + other.sum(axis=1), coef - other
    if n_classes == 2:
        coef, prior = coef[1:] - coef[:1], prior[1:] - prior[:1]
    return Linear(coef, prior)


def _dense(coef: Any) -> Any:
    return coef.toarray() if hasattr(coef, "toarray") else coef


def _difference(ask: Ask) -> Ask:
    def of_two(rows: Any) -> np.ndarray:
        joint = ask(rows)
        return joint[:, 1:] - joint[:, :1] if joint.shape[1] == 2 else joint

    return of_two


def _log(ask: Ask) -> Ask:
    return lambda rows: np.log(ask(rows))

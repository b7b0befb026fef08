"""scikit-learn: trees, forests, gradient boosting and histogram gradient boosting.

The margin is what the estimator adds up itself: `predict` of regressors, with one output for each
target; `predict_proba` of trees and forests that classify, with one output for each class, two
classes included; and the raw score before the link of both kinds of gradient boosting.

The classic trees round rows to float32 and compare with float64 thresholds. Histogram gradient
boosting compares in float64, moves its categorical columns to the front and encodes their values;
the columns and values of the ensemble are those that `predict` is given. A value that the encoder
has not seen is missing to it. A code is truncated here (see `trees`), so a fraction between two
categories counts as the lower of them, where the encoder calls it unknown.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.trees import (
    CATEGORICAL,
    MISSING_LEFT,
    UNKNOWN_LEFT,
    TreeArrays,
    TreeEnsemble,
    join_trees,
)

_LARGEST_CODE = 2**16 - 1  # each categorical split holds a bit for every code up to the largest
_NO_WORDS = np.zeros(0, dtype=np.uint32)


def read(model: Any) -> TreeEnsemble:
    """Read the trees of a fitted scikit-learn estimator.

    Raises
    ------
    ReaderError
        An estimator that is not fitted, is no tree model, or is not a sum of trees.
    """
    from sklearn import ensemble, tree
    from sklearn.ensemble import _forest
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    histograms = (
        ensemble.HistGradientBoostingClassifier,
        ensemble.HistGradientBoostingRegressor,
    )
    boosting = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
    trees = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor)
    forests = (_forest.ForestClassifier, _forest.ForestRegressor)
    if not isinstance(model, histograms + boosting + trees + forests):
        raise ReaderError(_refusal(model))
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise ReaderError(
            f"{type(model).__name__} holds no trees; fit it before compiling"
        ) from error
    if isinstance(model, histograms):
        return _histogram_boosting(model)
    if isinstance(model, boosting):
        return _gradient_boosting(model)
    return _average(model, model.estimators_ if isinstance(model, forests) else [model])


def read_encoded(model: Any) -> TreeEnsemble:
    """Read histogram gradient boosting as trees on its encoded categories.

    A category is its position in the list that the model's own encoder has for the column; any
    other value is NaN. So columns of words can be read, by those who encode rows themselves.
    """
    encoder = model._preprocessor.named_transformers_["encoder"]
    known = [sum(each == each for each in categories) for categories in encoder.categories_]
    return _histogram_boosting(model, [np.arange(count, dtype=np.int64) for count in known])


def margins(model: Any, rows: np.ndarray) -> np.ndarray | None:
    """What scikit-learn adds up itself, (n_rows, n_outputs); None for rows that it refuses."""
    names = ["decision_function", "predict_proba", "predict"]
    if hasattr(model, "_baseline_prediction"):  # histograms, which `predict` puts through a link
        names = ["_raw_predict"]
    predict = next(getattr(model, name) for name in names if hasattr(model, name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that the columns have no names
            found = predict(rows)
    except ValueError:
        return None
    return np.asarray(found).reshape(len(rows), -1)


def _refusal(model: Any) -> str:
    name = type(model).__name__
    if hasattr(model, "steps"):
        return (
            f"{name} is a pipeline; compile its last step, on the columns that the steps before "
            "it give, with `players` to group those columns"
        )
    if hasattr(model, "best_estimator_"):
        return f"{name} is a search; compile its best_estimator_"
    if hasattr(model, "coef_"):
        return f"{name} is a linear model; use shapley.linear with its coef_ and intercept_"
    return (
        f"no reader for scikit-learn's {name}; expected a decision tree, a random forest, extra "
        "trees, gradient boosting or histogram gradient boosting, whose margin is a sum of trees"
    )


def _names(model: Any) -> tuple[str, ...] | None:
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else tuple(str(name) for name in names)


def _average(model: Any, members: list[Any]) -> TreeEnsemble:
    """Join the trees of a forest, or the one tree, whose leaves hold vectors."""
    is_classifier = hasattr(model, "classes_")
    if is_classifier and model.n_outputs_ > 1:
        raise ReaderError(
            f"{type(model).__name__} classifies {model.n_outputs_} targets at once; fit one "
            "model for each target, and compile each"
        )
    # a classifier has one target with a value for each class, a regressor one value a target
    n_outputs = int(model.n_classes_) if is_classifier else int(model.n_outputs_)
    return join_trees(
        [_tree(member.tree_) for member in members],
        n_columns=int(model.n_features_in_),
        n_outputs=n_outputs,
        float32=True,
        divisor=len(members),
        columns=_names(model),
        library="scikit-learn",
    )


def _tree(tree: Any, *, scale: float = 1.0, output: int = 0) -> TreeArrays:
    """Read a `sklearn.tree._tree.Tree`, whose nodes are in depth-first or best-first order."""
    nodes = tree.__getstate__()["nodes"]
    leaf = nodes["left_child"] < 0
    value = tree.value.reshape(len(nodes), -1) * scale
    return TreeArrays(
        feature=np.where(leaf, -1, nodes["feature"]),
        threshold=np.where(leaf, 0.0, nodes["threshold"]),
        flags=np.where(leaf, 0, (nodes["missing_go_to_left"] != 0) * MISSING_LEFT),
        left=nodes["left_child"],
        right=nodes["right_child"],
        cover=nodes["weighted_n_node_samples"],
        value=np.where(leaf[:, None], value, 0.0),
        output=output,
    )


def _gradient_boosting(model: Any) -> TreeEnsemble:
    start = model.init_
    strategy = getattr(start, "strategy", None)
    is_constant = start == "zero" or (
        type(start).__name__ in ("DummyClassifier", "DummyRegressor")
        and strategy not in ("stratified", "uniform")  # these draw at random
    )
    if not is_constant:
        raise ReaderError(
            f"{type(model).__name__} starts from init={start!r}, whose predictions are not "
            "constant and not part of its trees; fit with init=None or init='zero'"
        )
    return join_trees(
        [
            _tree(member.tree_, scale=model.learning_rate, output=output)
            for stage in model.estimators_
            for output, member in enumerate(stage)
        ],
        n_columns=int(model.n_features_in_),
        n_outputs=model.estimators_.shape[1],
        float32=True,
        # what predict starts from, by the estimator's own hand: it goes through the loss's link
        intercept=model._raw_predict_init(np.zeros((1, model.n_features_in_)))[0],
        columns=_names(model),
        library="scikit-learn",
    )


def _histogram_boosting(model: Any, codes: list[np.ndarray] | None = None) -> TreeEnsemble:
    categorical = model.is_categorical_
    if categorical is None:
        categorical = np.zeros(model.n_features_in_, dtype=bool)
    # the trees see the categorical columns first
    column_of = np.concatenate([np.flatnonzero(categorical), np.flatnonzero(~categorical)])
    if codes is None:
        codes = _codes(model, np.flatnonzero(categorical)) if categorical.any() else []
    return join_trees(
        [
            _histogram_tree(tree, column_of, codes, output)
            for iteration in model._predictors
            for output, tree in enumerate(iteration)
        ],
        n_columns=int(model.n_features_in_),
        n_outputs=int(model.n_trees_per_iteration_),
        float32=False,
        intercept=np.ravel(model._baseline_prediction),
        columns=_names(model),
        library="scikit-learn",
    )


def _codes(model: Any, columns: np.ndarray) -> list[np.ndarray]:
    """Give the values of each categorical column in the order of their encoded numbers."""
    names, found = _names(model), []
    encoder = model._preprocessor.named_transformers_["encoder"]
    for column, categories in zip(columns, encoder.categories_):
        what = f"column {names[column] if names else column} of {type(model).__name__}"
        try:
            values = np.asarray(categories, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ReaderError(
                f"{what} has categories that are not numbers, such as {categories[0]!r}; "
                f"expected integers from 0 to {_LARGEST_CODE}: encode them before fitting"
            ) from error
        values = values[~np.isnan(values)]  # a missing value is no category, and comes last
        if ((values != np.floor(values)) | (values < 0) | (values > _LARGEST_CODE)).any():
            raise ReaderError(
                f"{what} has categories from {values.min():g} to {values.max():g}; expected "
                f"integers from 0 to {_LARGEST_CODE}: renumber them before fitting"
            )
        found.append(values.astype(np.int64))
    return found


def _histogram_tree(
    tree: Any, column_of: np.ndarray, codes: list[np.ndarray], output: int
) -> TreeArrays:
    nodes = tree.nodes
    leaf = nodes["is_leaf"] != 0
    categorical = (nodes["is_categorical"] != 0) & ~leaf
    missing_left = (nodes["missing_go_to_left"] != 0) & ~leaf
    bits = [_NO_WORDS] * len(nodes)
    for at in np.flatnonzero(categorical):
        node = nodes[at]
        bits[at] = _words(
            tree.raw_left_cat_bitsets[node["bitset_idx"]],
            codes[node["feature_idx"]],
            unknown_left=bool(missing_left[at]),
        )
    return TreeArrays(
        feature=np.where(leaf, -1, column_of[np.where(leaf, 0, nodes["feature_idx"])]),
        threshold=np.where(leaf | categorical, 0.0, nodes["num_threshold"]),
        flags=categorical * CATEGORICAL
        + missing_left * MISSING_LEFT
        + (categorical & missing_left) * UNKNOWN_LEFT,
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        cover=nodes["count"],
        value=np.where(leaf, nodes["value"], 0.0),
        output=output,
        cat_bits=bits,
    )


def _words(encoded: np.ndarray, codes: np.ndarray, *, unknown_left: bool) -> np.ndarray:
    """Translate a set of encoded numbers into one of the column's own codes."""
    goes_left = np.full(32 * (codes.max(initial=0) // 32 + 1), unknown_left)
    number = np.arange(len(codes))
    goes_left[codes] = (encoded[number >> 5] >> (number & 31).astype(np.uint32)) & 1 != 0
    return np.packbits(goes_left, bitorder="little").view("<u4")

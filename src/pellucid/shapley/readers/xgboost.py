"""XGBoost: the model's own JSON, whose floats are the shortest text of each float32.

Conventions are those of XGBoost 2 and 3: rows are rounded to float32 and go left when
``x < split``; a category of the node's set goes right, and every other, unseen and negative ones
included, left; NaN takes the node's default. Leaves are float32 and XGBoost sums them in float32,
this package in float64, so margins agree to float32 rounding. Scikit-learn wrappers are cut at the
best iteration, as their `predict` does; a `Booster` is read whole, as `Booster.predict` does.

Categorical columns are codes: of a data frame, the positions in its categories at the fit. XGBoost
sends a code between -1 and 0 left as invalid; truncated (see `trees`) it is category 0 here.
"""

from __future__ import annotations

import json
from dataclasses import replace
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

# XGBoost sums leaves in float32, where those of both signs cancel; a wrong link is far off
_FLOAT32_SUM = 1e-4
_EDGE = np.float32(1e-6)  # XGBoost keeps probabilities this far from 0 and 1


def read(model: Any) -> TreeEnsemble:
    """Read the trees of an `xgboost.Booster` or of a fitted scikit-learn wrapper.

    Raises
    ------
    ReaderError
        The model is not fitted, is linear, reads another value than NaN as missing, or starts
        from a base score that this reader does not understand.
    """
    import xgboost

    booster = model if isinstance(model, xgboost.Booster) else _booster(model)
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = _trees(learner)
    return replace(trees, intercept=_intercept(booster, trees, learner))


def margins(model: Any, rows: np.ndarray) -> np.ndarray | None:
    """XGBoost's own margins, (n_rows, n_outputs); None for rows that it refuses."""
    import xgboost

    booster = model if isinstance(model, xgboost.Booster) else _booster(model)
    try:
        found = booster.inplace_predict(rows, predict_type="margin", validate_features=False)
    except xgboost.core.XGBoostError:
        return None
    return np.asarray(found).reshape(len(rows), -1)


def _trees(learner: dict[str, Any]) -> TreeEnsemble:
    """Read the trees from the "learner" part of XGBoost's JSON; the intercept stays zero.

    Raises
    ------
    ReaderError
        The model has no trees because it is linear, or trees without cover.
    """
    booster, weights = learner["gradient_booster"], None
    if booster["name"] == "gblinear":
        raise ReaderError(
            "the XGBoost model is linear (booster='gblinear'); use shapley.linear with its "
            "coefficients and intercept"
        )
    if booster["name"] == "dart":
        booster, weights = booster["gbtree"], booster["weight_drop"]
    trees, outputs = booster["model"]["trees"], booster["model"]["tree_info"]
    facts = learner["learner_model_param"]
    n_outputs = max(int(facts["num_class"]), int(facts.get("num_target", 1)), 1)
    return join_trees(
        [
            _tree(tree, output=outputs[i], weight=1.0 if weights is None else weights[i])
            for i, tree in enumerate(trees)
        ],
        n_columns=int(facts["num_feature"]),
        n_outputs=n_outputs,
        float32=True,
        float32_sums=True,
        columns=tuple(learner["feature_names"]) or None,
        library="XGBoost",
    )


def _booster(model: Any) -> Any:
    from sklearn.exceptions import NotFittedError

    name = type(model).__name__
    try:
        booster = model.get_booster()
    except NotFittedError as error:
        raise ReaderError(f"{name} holds no booster; fit it before compiling") from error
    except AttributeError as error:
        raise ReaderError(
            f"no reader for XGBoost's {name}; expected a Booster or a scikit-learn wrapper of one"
        ) from error
    missing = getattr(model, "missing", np.nan)
    if missing is not None and not np.isnan(missing):
        raise ReaderError(
            f"{name} reads {missing!r} as missing (missing={missing!r}); expected NaN: put NaN in "
            "place of it in the rows, and fit without that option"
        )
    best = booster.attr("best_iteration")
    return booster if best is None else booster[: int(best) + 1]


def _tree(tree: dict[str, Any], *, output: int, weight: float) -> TreeArrays:
    # gaps remain where nodes were pruned, and their places may be used again: walk from the root
    order, left, right = _breadth_first(np.array(tree["left_children"]), tree["right_children"])
    leaf = left < 0
    split = np.array(tree["split_conditions"], dtype=np.float32)[order]
    below = np.nextafter(split, np.float32(-np.inf))
    categorical = (np.array(tree["split_type"])[order] == 1) & ~leaf
    missing_left = (np.array(tree["default_left"])[order] == 1) & ~leaf
    width = int(tree["tree_param"]["size_leaf_vector"])
    value = np.zeros((len(order), max(width, 1)), dtype=np.float32)
    if width > 1:
        if "leaf_weights" not in tree:
            raise ReaderError(
                "XGBoost before 3.1 saves leaves that hold a vector without their cover; fit with "
                "a later version, or with multi_strategy='one_output_per_tree'"
            )
        # a leaf's right child is the position of its vector
        vectors = np.array(tree["leaf_weights"], dtype=np.float32).reshape(-1, width)
        value[leaf] = vectors[np.array(tree["right_children"])[order][leaf]]
    else:
        value[leaf, 0] = split[leaf]
    return TreeArrays(
        feature=np.where(leaf, -1, np.array(tree["split_indices"])[order]),
        threshold=np.where(leaf | categorical, 0.0, below),
        flags=categorical * (CATEGORICAL | UNKNOWN_LEFT) + missing_left * MISSING_LEFT,
        left=left,
        right=right,
        cover=np.array(tree["sum_hessian"], dtype=np.float64)[order],
        value=value.astype(np.float64) * weight,
        output=0 if width > 1 else output,
        cat_bits=_cat_bits(tree, order),
    )


def _breadth_first(
    left: np.ndarray, right_children: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the nodes from the root on, level by level, and the children in that numbering."""
    right = np.array(right_children)
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        inner = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack([left[inner], right[inner]], axis=1).ravel())
    order = np.concatenate(levels)
    place = np.full(len(left) + 1, -1)  # the last place stays -1, for the children of leaves
    place[order] = np.arange(len(order))
    leaf = left[order] < 0
    return order, np.where(leaf, -1, place[left[order]]), np.where(leaf, -1, place[right[order]])


def _cat_bits(tree: dict[str, Any], order: np.ndarray) -> list[np.ndarray] | None:
    if not tree.get("categories_nodes"):
        return None
    none = np.zeros(0, dtype=np.uint32)
    of_node = {}
    for node, start, size in zip(
        tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]
    ):
        goes_right = np.array(tree["categories"][start : start + size], dtype=np.int64)
        goes_left = np.ones(32 * (goes_right.max(initial=0) // 32 + 1), dtype=bool)
        goes_left[goes_right] = False
        of_node[node] = np.packbits(goes_left, bitorder="little").view("<u4")
    return [of_node.get(node, none) for node in order.tolist()]


def _intercept(booster: Any, trees: TreeEnsemble, learner: dict[str, Any]) -> np.ndarray:
    """Put base_score through the link that gives XGBoost's own margin.

    Which objectives keep it behind a link, and behind which, depends on XGBoost's version.

    Raises
    ------
    ReaderError
        No link gives the margin that XGBoost gives.
    """
    text = learner["learner_model_param"]["base_score"]  # a number, or since 3.1 a list of them
    score = np.ravel(json.loads(text)).astype(np.float32)
    total, scale = _sum_of_missing(trees)
    wanted = _margin_of_missing(booster, trees.n_columns) - total
    one = np.float32(1.0)
    share = np.clip(score, _EDGE, one - _EDGE)
    with np.errstate(divide="ignore", invalid="ignore"):
        # in float32 and in this form, as XGBoost does: near the edges the rounding is visible
        links = (score, -np.log(one / share - one), np.log(score))
    errors = [np.abs(link - wanted).max() if np.isfinite(link).all() else np.inf for link in links]
    best = np.broadcast_to(links[int(np.argmin(errors))], wanted.shape).astype(np.float64)
    if not (np.abs(best - wanted) <= _FLOAT32_SUM * (1.0 + np.abs(wanted) + scale)).all():
        raise ReaderError(
            f"XGBoost's margins start from {np.round(wanted, 5).tolist()}, which base_score={text} "
            f"gives under no link that is known (objective {learner['objective']['name']!r}): the "
            "booster and its saved form disagree; save it, load it, and compile what was loaded"
        )
    return best


def _margin_of_missing(booster: Any, n_columns: int) -> np.ndarray:
    """Give XGBoost's margins, (n_outputs,), of a row in which everything is missing."""
    import xgboost

    row = xgboost.DMatrix(np.full((1, n_columns), np.nan, dtype=np.float32), nthread=1)
    margins = booster.predict(row, output_margin=True, validate_features=False)
    return np.ravel(margins).astype(np.float64)


def _sum_of_missing(trees: TreeEnsemble) -> tuple[np.ndarray, np.ndarray]:
    """Sum what the trees give the row of missing values, and its magnitude: two (n_outputs,)."""
    node = trees.roots.astype(np.int64)
    while (trees.feature[node] >= 0).any():
        by_default = np.where(trees.flags[node] & MISSING_LEFT, trees.left[node], trees.right[node])
        node = np.where(trees.feature[node] >= 0, by_default, node)
    total, scale = np.zeros(trees.n_outputs), np.zeros(trees.n_outputs)
    for j in range(trees.value.shape[1]):
        np.add.at(total, trees.tree_output + j, trees.value[node, j])
        np.add.at(scale, trees.tree_output + j, np.abs(trees.value[node, j]))
    return total, scale

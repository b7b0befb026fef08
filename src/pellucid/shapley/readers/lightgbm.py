"""LightGBM: the model's own text, which holds every double with 17 digits.

The text is what `Booster.model_to_string` gives, cut at the best iteration as `predict` does.
Conventions are those of LightGBM 4 (``include/LightGBM/tree.h``): NumericalDecision,
CategoricalDecision and, for linear_tree, Predict. In rf mode the margin is the average over
iterations, which is what `predict` puts through the link; ``raw_score=True`` alone forgets to
divide there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.trees import (
    CATEGORICAL,
    MISSING_LEFT,
    ZERO_MISSING,
    ZERO_WIDTH,
    TreeArrays,
    TreeEnsemble,
    join_trees,
)

_CATEGORICAL_BIT, _DEFAULT_LEFT_BIT = 1, 2
_MISSING_SHIFT, _MISSING_ZERO, _MISSING_NAN = 2, 1, 2


def read(model: Any) -> TreeEnsemble:
    """Read the trees of a `lightgbm.Booster` or of a fitted scikit-learn wrapper.

    Raises
    ------
    ReaderError
        The model is not fitted, or its text is of a kind that this reader does not know.
    """
    return read_text(_booster(model).model_to_string())


def margins(model: Any, rows: np.ndarray) -> np.ndarray | None:
    """LightGBM's own margins, (n_rows, n_outputs), in rf mode averaged; None where it refuses."""
    import lightgbm

    booster = _booster(model)
    try:
        found = booster.predict(rows, raw_score=True)
    except lightgbm.basic.LightGBMError:
        return None
    if "average_output" in booster.model_to_string(num_iteration=1).splitlines():
        found = found / (max(booster.best_iteration, 0) or booster.current_iteration())
    return np.asarray(found).reshape(len(rows), -1)


def _booster(model: Any) -> Any:
    import lightgbm

    if isinstance(model, lightgbm.Booster):
        return model
    try:
        return model.booster_
    except (AttributeError, lightgbm.basic.LightGBMError, ValueError) as error:
        raise ReaderError(
            f"{type(model).__name__} holds no booster; fit it before compiling"
        ) from error


def read_text(text: str) -> TreeEnsemble:
    """Read the trees in LightGBM's text format.

    Raises
    ------
    ReaderError
        The text does not start like a LightGBM model, or is cut.
    """
    head, *blocks = text.partition("end of trees")[0].split("\nTree=")
    facts = _facts(head)
    if not head.startswith("tree\n") or "num_tree_per_iteration" not in facts:
        raise ReaderError("not the text of a LightGBM model: it has no 'tree' header")
    n_outputs = int(facts["num_tree_per_iteration"])
    trees = [_tree(_facts(block), output=i % n_outputs) for i, block in enumerate(blocks)]
    average = "average_output" in head.splitlines()
    return join_trees(
        trees,
        n_columns=int(facts["max_feature_idx"]) + 1,
        n_outputs=n_outputs,
        float32=False,
        divisor=max(1, len(trees) // n_outputs) if average else 1.0,
        columns=tuple(facts["feature_names"].split(" ")),
        library="LightGBM",
    )


def _facts(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {key: value for key, sep, value in pairs if sep}


def _numbers(facts: dict[str, str], key: str, dtype: type = np.float64) -> np.ndarray:
    return np.array(facts.get(key, "").split(), dtype=dtype)


def _tree(facts: dict[str, str], *, output: int) -> TreeArrays:
    """Inner nodes first, in LightGBM's order (a parent before its children), then the leaves."""
    n_leaves = int(facts["num_leaves"])
    n_inner = n_leaves - 1
    leaf_value = _numbers(facts, "leaf_value")
    if len(leaf_value) != n_leaves:
        raise ReaderError(f"a tree has {len(leaf_value)} leaf values for {n_leaves} leaves")
    leaf_count = _numbers(facts, "leaf_count")
    nothing = np.full(n_leaves, -1)
    feature = np.concatenate([_numbers(facts, "split_feature", np.int64)[:n_inner], nothing])
    threshold = np.concatenate([_numbers(facts, "threshold")[:n_inner], np.zeros(n_leaves)])
    decision = _numbers(facts, "decision_type", np.int64)[:n_inner]
    # LightGBM writes leaf i as -1 - i; here it is node n_inner + i
    left, right = (
        np.where(children < 0, n_inner - 1 - children, children)
        for children in (_numbers(facts, side, np.int64)[:n_inner] for side in _SIDES)
    )
    cover = np.concatenate([_numbers(facts, "internal_count")[:n_inner], leaf_count])
    return TreeArrays(
        feature=feature,
        threshold=_past_zero(threshold),
        flags=np.concatenate([_flags(decision, threshold[:n_inner]), np.zeros(n_leaves, int)]),
        left=np.concatenate([left, nothing]),
        right=np.concatenate([right, nothing]),
        cover=cover if len(cover) == len(feature) else np.ones(len(feature)),
        value=np.concatenate([np.zeros(n_inner), leaf_value]),
        output=output,
        cat_bits=_cat_bits(facts, decision, threshold, n_leaves),
        linear=_linear(facts, n_inner) if facts.get("is_linear") == "1" else None,
    )


_SIDES = ("left_child", "right_child")


def _past_zero(threshold: np.ndarray) -> np.ndarray:
    """Send values within ZERO_WIDTH where zero goes: `predict` reads them as zero."""
    inside = (threshold >= -ZERO_WIDTH) & (threshold < ZERO_WIDTH)
    edge = np.where(threshold >= 0.0, ZERO_WIDTH, np.nextafter(-ZERO_WIDTH, -1.0))
    return np.where(inside, edge, threshold)


def _flags(decision: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    categorical = (decision & _CATEGORICAL_BIT) != 0
    default_left = (decision & _DEFAULT_LEFT_BIT) != 0
    missing = (decision >> _MISSING_SHIFT) & 3
    zero = (missing == _MISSING_ZERO) & ~categorical
    # without a missing type NaN is read as zero; in categories it goes right
    left = np.where(missing == 0, threshold >= 0.0, default_left) & ~categorical
    return categorical * CATEGORICAL + left * MISSING_LEFT + zero * ZERO_MISSING


def _cat_bits(
    facts: dict[str, str], decision: np.ndarray, threshold: np.ndarray, n_leaves: int
) -> list[np.ndarray] | None:
    if int(facts.get("num_cat", "0")) == 0:
        return None
    bounds = _numbers(facts, "cat_boundaries", np.int64)
    words = _numbers(facts, "cat_threshold", np.uint32)
    bits = [np.zeros(0, np.uint32)] * (len(decision) + n_leaves)
    for node in np.flatnonzero(decision & _CATEGORICAL_BIT):
        index = int(threshold[node])  # a categorical node's threshold numbers its set
        bits[node] = words[bounds[index] : bounds[index + 1]]
    return bits


def _linear(facts: dict[str, str], n_inner: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    const = _numbers(facts, "leaf_const")
    sizes = _numbers(facts, "num_features", np.int64)
    columns = _numbers(facts, "leaf_features", np.int32)
    coef = _numbers(facts, "leaf_coeff")
    ends = np.cumsum(sizes)
    none = (np.zeros(0, np.int32), np.zeros(0), 0.0)
    leaves = [
        (columns[end - size : end], coef[end - size : end], float(c))
        for end, size, c in zip(ends, sizes, const)
    ]
    return [none] * n_inner + leaves

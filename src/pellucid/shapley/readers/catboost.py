"""CatBoost: the model's own JSON, which holds doubles with 17 digits and floats with 9.

Rows are rounded to float32, and go right when ``x > border``. NaN goes left, but right where the
column had NaN at the fit and nan_mode="Max". Oblivious trees become ordinary ones whose levels
repeat a split, from the last split down, as CatBoost's own Shapley values walk them. The margin is
``predict(prediction_type="RawFormulaVal")``.

Categorical columns of rows hold codes: the whole number whose text or integer CatBoost was given,
NaN for the category "nan", and any other number for a category that the model has not seen. A split
on statistics of one column is a set of its codes (see `catboost_splits`). Statistics of several
columns at once, which CatBoost may make unless max_ctr_complexity=1, are no split of a column and
are refused. So are text and embedding columns.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.readers.catboost_splits import LEAF, read_features, read_split
from pellucid.shapley.trees import TreeArrays, TreeEnsemble, join_trees

# cover of a leaf without training rows, of which oblivious trees have many: its share is nothing,
# yet that of two such leaves is a half each
_NO_ROWS = np.finfo(np.float64).tiny


def read(model: Any) -> TreeEnsemble:
    """Read the trees of a fitted `catboost.CatBoost`, classifier, regressor or ranker.

    Raises
    ------
    ReaderError
        A model that is not fitted, that has text, embedding or combined categorical features, or
        whose categories are not codes.
    """
    import catboost

    if not isinstance(model, catboost.CatBoost):
        raise ReaderError(
            f"no reader for CatBoost's {type(model).__name__}; expected a fitted CatBoost model"
        )
    if not model.is_fitted():
        raise ReaderError(f"{type(model).__name__} holds no trees; fit it before compiling")
    names = tuple(model.feature_names_)
    for kind, columns in (
        ("text", model.get_text_feature_indices()),
        ("embedding", model.get_embedding_feature_indices()),
    ):
        if columns:
            raise ReaderError(
                f"column {names[columns[0]]} of the CatBoost model is {kind}, which no tree splits "
                "as it is; fit without it, or on numbers made of it beforehand"
            )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        exported = json.loads(path.read_bytes())
    return read_json(exported, names)


def margins(model: Any, rows: np.ndarray) -> np.ndarray | None:
    """CatBoost's own margins, (n_rows, n_outputs); None for rows, or no trees, that it refuses."""
    import catboost
    import pandas as pd

    frame = pd.DataFrame(rows, columns=model.feature_names_)
    for column in model.get_cat_feature_indices():
        codes = rows[:, column]
        frame[model.feature_names_[column]] = [
            "nan" if np.isnan(x) else str(int(x)) if np.isfinite(x) else str(x) for x in codes
        ]
    try:
        found = model.predict(frame, prediction_type="RawFormulaVal")
    except catboost.CatBoostError:
        return None
    return np.asarray(found).reshape(len(rows), -1)


def read_json(exported: dict[str, Any], names: tuple[str, ...]) -> TreeEnsemble:
    """Read the trees from CatBoost's JSON; ``names`` are those of all columns, in order.

    Raises
    ------
    ReaderError
        Splits of a kind that is not known here, or on categories that are not codes.
    """
    scale, bias = exported["scale_and_bias"]
    used: dict[int, dict[str, Any]] = {}  # splits by CatBoost's number
    if "oblivious_trees" in exported:
        trees = [_oblivious(tree, used) for tree in exported["oblivious_trees"] or ()]
    else:
        trees = [_grown(tree, used) for tree in exported["trees"] or ()]
    features = read_features(exported, names)
    splits = [read_split(features, split) for split in used.values()] + [LEAF]
    place_of = {number: place for place, number in enumerate(used)} | {-1: len(used)}
    places = [np.array([place_of[number] for number in tree.split.tolist()]) for tree in trees]
    column, threshold, flags, words = (
        [getattr(split, name) for split in splits]
        for name in ("column", "threshold", "flags", "words")
    )
    width = trees[0].value.shape[1] if trees else len(bias)
    ensemble = join_trees(
        [
            TreeArrays(
                feature=np.array(column)[place],
                threshold=np.array(threshold)[place],
                flags=np.array(flags)[place],
                left=tree.left,
                right=tree.right,
                cover=tree.cover,
                value=tree.value * scale,
            )
            for tree, place in zip(trees, places)
        ],
        n_columns=len(names),
        n_outputs=width,
        float32=True,
        intercept=np.resize(bias, width),
        columns=None if names == tuple(map(str, range(len(names)))) else names,
        library="CatBoost",
    )
    # the nodes of a split share its words, which may be many
    size = np.array([len(of_split) for of_split in words], dtype=np.int32)
    place = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
    return replace(
        ensemble,
        cat_start=(np.cumsum(size, dtype=np.int64) - size)[place],
        cat_size=size[place],
        cat_bits=np.concatenate(words).astype(np.uint32),
    )


@dataclass(frozen=True, eq=False)
class _Tree:
    """A tree whose splits are known by CatBoost's number, -1 at leaves."""

    split: np.ndarray
    left: np.ndarray
    right: np.ndarray
    cover: np.ndarray
    value: np.ndarray


def _oblivious(tree: dict[str, Any], used: dict[int, dict[str, Any]]) -> _Tree:
    """Read a tree whose levels ask one question each: node i has children 2 i + 1 and 2 i + 2."""
    levels = (tree["splits"] or [])[::-1]
    used |= {split["split_index"]: split for split in levels}
    depth = len(levels)
    n_inner = 2**depth - 1
    leaves = np.array(tree["leaf_values"], dtype=np.float64).reshape(n_inner + 1, -1)
    cover = [_cover(tree.get("leaf_weights"), n_inner + 1)]
    for _ in range(depth):
        cover.insert(0, cover[0].reshape(-1, 2).sum(axis=1))
    left = np.full(2 * n_inner + 1, -1)
    left[:n_inner] = 2 * np.arange(n_inner) + 1
    numbers = np.array([split["split_index"] for split in levels], dtype=np.int64)
    return _Tree(
        split=np.concatenate([np.repeat(numbers, 2 ** np.arange(depth)), np.full(n_inner + 1, -1)]),
        left=left,
        right=np.where(left < 0, -1, left + 1),
        cover=np.concatenate(cover),
        value=np.concatenate([np.zeros((n_inner, leaves.shape[1])), leaves]),
    )


def _grown(tree: dict[str, Any], used: dict[int, dict[str, Any]]) -> _Tree:
    """Read a tree of any shape, level by level."""
    nodes, left, right, numbers = [tree], [], [], []
    for node in nodes:  # which grows as inner nodes are met
        split = node.get("split")
        left.append(len(nodes) if split else -1)
        right.append(len(nodes) + 1 if split else -1)
        numbers.append(split["split_index"] if split else -1)
        if split:
            used[split["split_index"]] = split
            nodes += [node["left"], node["right"]]
    is_leaf = np.array(numbers) < 0
    leaves = [node for node in nodes if "split" not in node]
    values = np.array([np.ravel(leaf["value"]) for leaf in leaves])
    value, cover = np.zeros((len(nodes), values.shape[1])), np.zeros(len(nodes))
    value[is_leaf] = values
    cover[is_leaf] = _cover([leaf["weight"] for leaf in leaves], len(leaves))
    for at in np.flatnonzero(~is_leaf)[::-1]:
        cover[at] = cover[left[at]] + cover[right[at]]
    return _Tree(np.array(numbers), np.array(left), np.array(right), cover, value)


def _cover(weights: list[float] | None, n_leaves: int) -> np.ndarray:
    """Give the cover of leaves; NaN, which the path-dependent game refuses, if there is none."""
    if weights is None:
        return np.full(n_leaves, np.nan)
    return np.maximum(np.array(weights, dtype=np.float64), _NO_ROWS)

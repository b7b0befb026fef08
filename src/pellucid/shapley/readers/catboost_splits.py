"""Splits of CatBoost in the form of `pellucid.shapley.trees`.

A one-hot split asks for one category and sends it right. A split on statistics (a CTR) compares a
number that CatBoost keeps for each category, so it asks for a set of them. CatBoost's
`TStaticCtrProvider::CalcCtrs` says which counts go into the number, and what a category without
counts gets; `TModelCtr::Calc` makes the number, in float32, as here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.shapley.errors import ReaderError
from pellucid.shapley.readers.catboost_codes import NO_KEY, category_keys, column_keys
from pellucid.shapley.trees import CATEGORICAL, MISSING_LEFT, UNKNOWN_LEFT

_NO_WORDS = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Split:
    """A split in the form of `trees`: the column, and what goes left."""

    column: int
    threshold: float
    flags: int
    words: np.ndarray


LEAF = Split(-1, 0.0, 0, _NO_WORDS)


@dataclass(frozen=True, eq=False)
class Features:
    """What CatBoost's JSON says of the columns, and of the numbers that it makes of them.

    floats, categories : entries of the columns, by CatBoost's number of the column in its kind.
    keys : of each of ``categories``; see `column_keys`.
    statistics : category, border and what is compared with it for each of the keys, for each
        border of the statistics, which CatBoost numbers on from ``first``.
    """

    floats: dict[int, dict[str, Any]]
    categories: dict[int, dict[str, Any]]
    keys: dict[int, np.ndarray]
    statistics: list[tuple[int, float, np.ndarray]]
    first: int


def read_features(exported: dict[str, Any], names: tuple[str, ...]) -> Features:
    """Read the columns and the statistics in CatBoost's JSON.

    Raises
    ------
    ReaderError
        Categories that are not codes, and statistics of several columns or of an unknown kind.
    """
    info = exported["features_info"]
    floats = {f["feature_index"]: f for f in info.get("float_features", ())}
    categories = {f["feature_index"]: f for f in info.get("categorical_features", ())}
    ctrs = [(_category(ctr, categories, names), ctr) for ctr in info.get("ctrs", ())]
    tables = {ctr["identifier"]: exported["ctr_data"][ctr["identifier"]] for _, ctr in ctrs}
    keys, statistics = {}, []
    for index, feature in categories.items():
        known = [category_keys(feature.get("values", ()))]
        known += [_table_keys(tables[ctr["identifier"]]) for of, ctr in ctrs if of == index]
        what = f"column {names[feature['flat_feature_index']]} of the CatBoost model"
        keys[index] = column_keys(np.concatenate(known), what=what)
    for index, ctr in ctrs:
        values = category_statistics(ctr, tables[ctr["identifier"]], keys[index])
        statistics += [(index, border, values) for border in ctr["borders"]]
    first = sum(len(feature["borders"]) for feature in floats.values())
    first += sum(len(feature.get("values", ())) for feature in categories.values())
    return Features(floats, categories, keys, statistics, first)


def _category(
    ctr: dict[str, Any], categories: dict[int, dict[str, Any]], names: tuple[str, ...]
) -> int:
    """Give the one column that a statistic is made of."""
    elements = ctr["elements"]
    if len(elements) == 1 and "cat_feature_index" in elements[0]:
        return int(elements[0]["cat_feature_index"])
    columns = [
        names[categories[part["cat_feature_index"]]["flat_feature_index"]]
        for part in elements
        if "cat_feature_index" in part
    ]
    raise ReaderError(
        f"the CatBoost model splits on statistics of several columns together ({', '.join(columns)}"
        "), which is no split of a column; fit with max_ctr_complexity=1"
    )


def read_split(features: Features, split: dict[str, Any]) -> Split:
    """Put a split of CatBoost's JSON in our form.

    Raises
    ------
    ReaderError
        A kind of split, or of numbering splits, that is not known here.
    """
    kind = split["split_type"]
    if kind == "FloatFeature":
        feature = features.floats[split["float_feature_index"]]
        nan_right = feature["has_nans"] and feature["nan_value_treatment"] == "AsTrue"
        border = float(np.float32(split["border"]))
        flags = 0 if nan_right else MISSING_LEFT
        return Split(feature["flat_feature_index"], border, flags, _NO_WORDS)
    if kind == "OneHotFeature":
        index = split["cat_feature_index"]
        left = features.keys[index] != category_keys([split["value"]])
    elif kind == "OnlineCtr":
        index, border, values = features.statistics[split["split_index"] - features.first]
        if border != split["border"]:
            raise ReaderError(
                f"a CatBoost split on statistics has border {split['border']}, and {border} where "
                "its number points to: this version of CatBoost numbers splits in a way not known "
                "here"
            )
        left = ~(values > np.float32(border))
    else:
        raise ReaderError(f"a CatBoost split of kind {kind!r} is not known here")
    return Split(features.categories[index]["flat_feature_index"], 0.0, *split_set(left))


def split_set(left: np.ndarray) -> tuple[int, np.ndarray]:
    """Give the flags and words of a categorical node.

    Parameters
    ----------
    left : bool (n_codes + 2,)
        Whether each code, an unseen one, and a missing one goes left.

    Examples
    --------
    >>> split_set(np.array([True, False, True, False, True]))
    (3, array([5], dtype=uint32))
    """
    codes, unseen, missing = left[:-2], bool(left[-2]), bool(left[-1])
    bits = np.full(-(-len(codes) // 32) * 32, unseen)
    bits[: len(codes)] = codes
    flags = CATEGORICAL | UNKNOWN_LEFT * unseen | MISSING_LEFT * missing
    return flags, np.packbits(bits, bitorder="little").view("<u4")


def category_statistics(ctr: dict[str, Any], table: dict[str, Any], keys: np.ndarray) -> np.ndarray:
    """Give the number that CatBoost compares with borders, for each key: float32 (n_keys,).

    Parameters
    ----------
    ctr : an entry of "ctrs" in CatBoost's JSON
    table : its entry of "ctr_data"
    keys : uint64 (n_keys,)

    Raises
    ------
    ReaderError
        A kind of statistic that is not known here.
    """
    counts = _counts(table, keys)
    kind, border = ctr["ctr_type"], ctr["target_border_idx"]
    total = counts.sum(axis=0)
    if kind == "Borders":
        good = counts[border + 1 :].sum(axis=0)
    elif kind == "Buckets":
        good = counts[border]
    elif kind in ("Counter", "FeatureFreq"):
        good, total = counts[0], np.full(len(keys), float(table["counter_denominator"]))
    elif kind in ("BinarizedTargetMeanValue", "FloatTargetMeanValue"):
        good, total = counts
    else:
        raise ReaderError(f"CatBoost's statistic {kind!r} of a category is not known here")
    prior, weight, shift, scale = (
        np.float32(ctr[name]) for name in ("prior_numerator", "prior_denomerator", "shift", "scale")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (good.astype(np.float32) + prior) / (total.astype(np.float32) + weight)
        value: np.ndarray = (share + shift) * scale
    return value


def _counts(table: dict[str, Any], keys: np.ndarray) -> np.ndarray:
    """Look the counts of ``keys`` up, zero where there are none: float64 (n_counts, n_keys)."""
    flat, stride = table["hash_map"], table["hash_stride"]
    counts = np.array([flat[i::stride] for i in range(1, stride)], dtype=np.float64)
    own = _table_keys(table)
    order = np.argsort(own)
    place = order[np.minimum(np.searchsorted(own, keys, sorter=order), len(own) - 1)]
    return np.where((own[place] == keys) & (keys != NO_KEY), counts[:, place], 0.0)


def _table_keys(table: dict[str, Any]) -> np.ndarray:
    """Give the keys of a table, among them NO_KEY of its empty places: uint64."""
    return np.array(table["hash_map"][:: table["hash_stride"]], dtype=np.uint64)

"""Small fitted LightGBM models of every kind that the reader knows."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

N_COLUMNS = 6
KINDS = (
    "plain", "no_missing", "zero_as_missing", "categorical", "multiclass", "dart", "rf", "binary",
    "linear_tree",
)  # fmt: skip


def table(kind, seed, n_rows=400):
    """Rows with NaN, zeros and, in the last two columns, small integer codes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_COLUMNS))
    X[:, -2:] = rng.integers(0, 40, size=(n_rows, 2))
    if kind != "no_missing":
        X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = 0.0
    Z = np.nan_to_num(X)
    y = Z[:, 0] * Z[:, 1] + np.sin(3 * Z[:, 2]) + (Z[:, -1] % 7 > 3) * Z[:, 3] + Z[:, -2] % 3
    return X, y


def fit(kind, seed=0, *, n_trees=5, n_leaves=8, n_rows=400, **extra):
    """A booster, and the rows that it was fitted on."""
    X, y = table(kind, seed, n_rows)
    params = {
        "objective": "regression", "num_leaves": n_leaves, "min_data_in_leaf": 5, "verbosity": -1,
        "num_threads": 1, "seed": seed, "min_data_per_group": 5, "cat_smooth": 1.0,
        "learning_rate": 0.3, **extra,
    }  # fmt: skip
    categorical = [N_COLUMNS - 2, N_COLUMNS - 1] if kind == "categorical" else []
    if kind == "zero_as_missing":
        params["zero_as_missing"] = True
    if kind == "multiclass":
        params |= {"objective": "multiclass", "num_class": 3}
        y = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    if kind == "binary":
        params["objective"] = "binary"
        y = y > np.median(y)
    if kind == "dart":
        params |= {"boosting": "dart", "drop_rate": 0.5, "skip_drop": 0.0}
    if kind == "rf":
        params |= {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
    if kind == "linear_tree":
        params["linear_tree"] = True
    data = lgb.Dataset(X, y, categorical_feature=categorical, params=params)
    return lgb.train(params, data, n_trees), X


def raw_scores(booster, X):
    """LightGBM's margins (n_rows, n_outputs); in rf mode averaged, as `predict` does."""
    scores = booster.predict(X, raw_score=True).reshape(len(X), -1)
    if "average_output" in booster.model_to_string(num_iteration=1).splitlines():
        scores = scores / booster.current_iteration()
    return scores


def adversarial(booster, X, rng, n_rows=300):
    """Rows on thresholds and one float beside them, NaN, infinities, unknown categories."""
    from pellucid.shapley.readers.lightgbm import read

    trees = read(booster)
    rows = X[rng.integers(len(X), size=n_rows)].copy()
    odd = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, 1e-35, -1e-34, -1.0, -0.5, 1e10, 77.0]
    )
    for row in rows:
        for column in range(X.shape[1]):
            limits = trees.threshold[trees.feature == column]
            if len(limits) and rng.random() < 0.5:
                limit = rng.choice(limits)
                row[column] = rng.choice(
                    [limit, np.nextafter(limit, 9e9), np.nextafter(limit, -9e9)]
                )
            elif rng.random() < 0.3:
                row[column] = rng.choice(odd)
    return rows

"""CatBoost: gradient boosted trees, read into our own sum of trees.

Columns of codes are categories to CatBoost, and it splits on statistics of their target. These are
of one column each (max_ctr_complexity=1), so that a split stays a set of the column's codes and is
explained exactly. A missing code is a category of its own; one that the training rows lack gets
what CatBoost gives a category without statistics.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.models.boosting import MAX_ROUNDS, PATIENCE, Start
from pellucid.models.family import Config, FamilyError, Rows, with_defaults
from pellucid.models.problem import Problem
from pellucid.models.trees import TreeMember, read_trees
from pellucid.shapley.trees import join_trees

_BLOCK = 1024  # rows that are compared at a time
_LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}
# what a configuration may set, by CatBoost's names, and its default; None leaves it to CatBoost
_DEFAULTS: dict[str, Any] = {
    "learning_rate": 0.08,
    "depth": 6,
    "l2_leaf_reg": 3.0,
    "random_strength": 1.0,
    "rsm": 1.0,
    "subsample": None,
    "bagging_temperature": None,
    "border_count": 254,
    "one_hot_max_size": 10,
    "grow_policy": "SymmetricTree",
    "max_leaves": None,
    "min_data_in_leaf": 1,
    "leaf_estimation_iterations": None,  # by the loss, as below
}
# CatBoost's own choice where it has many rounds to go; left to CatBoost, a refit of few rounds
# would take fewer steps and grow other trees
_LEAF_STEPS = {"Logloss": 10, "Poisson": 10, "MultiClass": 1, "RMSE": 1}


class CatBoostFamily:
    """Boosting with early stopping, one thread: trials run side by side, and bits depend on it."""

    name = "catboost"

    def fit(
        self,
        train: Rows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        valid: Rows | None = None,
        rounds: int | None = None,
        deadline: float | None = None,
    ) -> TreeMember:
        """Boost until the validation loss stops falling, for ``rounds``, or until ``deadline``.

        Raises
        ------
        FamilyError
            CatBoost is not installed, the configuration has a setting that is not known, or a
            monotone column is asked for where CatBoost has none.
        """
        catboost = _import()
        from pellucid.shapley.readers.catboost import read

        params = _params(problem, config, seed=seed)
        if any(train.monotone):
            params |= _monotone(train, problem, params)
        start = Start.of(train, problem)
        if _nothing_to_learn(train):  # where CatBoost raises
            none = join_trees(
                [],
                n_columns=train.X.shape[1],
                n_outputs=problem.n_outputs,
                float32=True,
                library="CatBoost",
            )
            return TreeMember(start.complete(none), rounds=0, family=self.name)

        def pool(rows: Rows) -> Any:
            return catboost.Pool(
                _table(rows.X, train.categorical),
                start.labels(rows, problem),
                cat_features=list(train.categorical),
                weight=rows.weight,
                baseline=start.margins(len(rows.X)),
                thread_count=1,
            )

        model = catboost.CatBoost({**params, "iterations": rounds or MAX_ROUNDS})
        model.fit(
            pool(_with_all_classes(train, problem)),
            eval_set=pool(valid) if valid is not None and rounds is None else None,
            early_stopping_rounds=PATIENCE,
            callbacks=None if deadline is None else [_StopAt(deadline)],
        )
        trees = start.complete(read(model))
        return TreeMember(trees, rounds=model.tree_count_, family=self.name)

    def from_files(self, files: Mapping[str, bytes]) -> TreeMember:
        """Rebuild a member from its files; needs no CatBoost."""
        return read_trees(files)


def _import() -> Any:
    try:
        import catboost
    except ImportError as error:
        raise FamilyError(
            "the family 'catboost' needs CatBoost, which is not installed: "
            "pip install 'pellucid[catboost]'"
        ) from error
    return catboost


def _params(problem: Problem, config: Config, *, seed: int) -> dict[str, Any]:
    loss = "Poisson" if problem.link == "log" else _LOSSES[problem.task]
    chosen = with_defaults(config, _DEFAULTS, who="CatBoost")
    chosen["leaf_estimation_iterations"] = chosen["leaf_estimation_iterations"] or _LEAF_STEPS[loss]
    params: dict[str, Any] = {
        **{name: value for name, value in chosen.items() if value is not None},
        "loss_function": loss,
        "boost_from_average": False,
        "max_ctr_complexity": 1,
        "random_seed": seed,
        "thread_count": 1,
        "logging_level": "Silent",
        "allow_writing_files": False,
    }
    if chosen["bagging_temperature"] is not None:
        params["bootstrap_type"] = "Bayesian"
    elif chosen["subsample"] is not None:
        params["bootstrap_type"] = "Bernoulli"
    return params


def _monotone(rows: Rows, problem: Problem, params: Config) -> dict[str, Any]:
    """What holds columns to a direction.

    Raises
    ------
    FamilyError
        Several classes, or trees of any shape.
    """
    if problem.task == "multiclass" or params["grow_policy"] != "SymmetricTree":
        raise FamilyError(
            "CatBoost keeps a column monotone with one margin and symmetric trees only, not with "
            f"{problem.n_outputs} margins and grow_policy={params['grow_policy']!r}; use the "
            "family 'lightgbm' or 'xgboost'"
        )
    # trees are not shrunk as more come: CatBoost cannot where it starts from given margins
    return {"monotone_constraints": list(rows.monotone), "model_shrink_rate": 0.0}


def _nothing_to_learn(rows: Rows) -> bool:
    """Whether all rows are alike in the target, or in all columns."""
    if (rows.y == rows.y[0]).all():
        return True
    blocks = (rows.X[at : at + _BLOCK] for at in range(0, len(rows.X), _BLOCK))
    first = rows.X[0]  # the first block tells, but for tables of no use
    return all(np.array_equal(b, np.broadcast_to(first, b.shape), equal_nan=True) for b in blocks)


def _with_all_classes(rows: Rows, problem: Problem) -> Rows:
    """The rows, and one without weight for each class that they lack: CatBoost counts classes."""
    lacking = np.setdiff1d(np.arange(problem.n_classes), rows.y)
    if problem.task != "multiclass" or len(lacking) == 0:
        return rows
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    return replace(
        rows,
        X=np.concatenate([rows.X, np.repeat(rows.X[:1], len(lacking), axis=0)]),
        y=np.concatenate([rows.y, lacking]),
        weight=np.concatenate([weight, np.zeros(len(lacking))]),
    )


def _table(X: np.ndarray, categorical: tuple[int, ...]) -> Any:
    """The rows as CatBoost takes them: codes as text, as its reader understands them."""
    if not categorical:
        return X
    import pandas as pd

    frame = pd.DataFrame(X)
    for column in categorical:
        codes, place = np.unique(X[:, column], return_inverse=True)
        text = ["nan" if np.isnan(code) else str(int(code)) for code in codes]
        frame[column] = pd.Categorical.from_codes(place, pd.Index(text))
    return frame


class _StopAt:
    """Ends boosting, keeping the trees so far, once the clock passes the deadline."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def after_iteration(self, info: Any) -> bool:
        return time.monotonic() <= self.deadline


FAMILY = CatBoostFamily()

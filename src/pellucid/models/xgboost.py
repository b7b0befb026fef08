"""XGBoost: gradient boosted trees, and boosted forests, read into our own sum of trees.

The margin is our own float64 sum of the leaves; XGBoost's, in float32, is close to it. A category
that the training rows lack takes the way of a missing one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid.files import scratch_folder
from pellucid.models.boosting import MAX_ROUNDS, PATIENCE, Start
from pellucid.models.family import Config, FamilyError, Rows, with_defaults
from pellucid.models.memory import available_memory
from pellucid.models.problem import Problem
from pellucid.models.shared import Peers
from pellucid.models.stored import StoredRows
from pellucid.models.trees import TreeMember, read_trees
from pellucid.models.unknown import codes_of, unknown_as_missing, without_unknown

_OBJECTIVES = {
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
    "regression": "reg:squarederror",
}
_METRICS = {"binary": "logloss", "multiclass": "mlogloss", "regression": "rmse"}
# what a configuration may set, by XGBoost's names, and its default; with `max_leaves` the leaf of
# most gain grows first, within `max_depth` (0: any). Measured on six tables, 31 leaves lose
# 0.2-1.7 % less than a depth of six, and their trees take fewer look-ups to explain
_DEFAULTS: dict[str, Any] = {
    "eta": 0.1,
    "max_depth": 0,
    "max_leaves": 31,
    "min_child_weight": 5.0,
    "subsample": 1.0,
    "colsample_bytree": 0.8,
    "colsample_bynode": 1.0,
    "lambda": 1.0,
    "alpha": 0.0,
    "gamma": 0.0,
    "num_parallel_tree": 1,
    "max_bin": 256,
}
_SHARE = 0.25  # of the memory that is left, for bins


class XGBoostFamily:
    """Boosting on histograms with early stopping, one thread: trials run side by side."""

    name = "xgboost"

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
            XGBoost is not installed, or the configuration has a setting that is not known.
        """
        xgboost = _import()
        start = Start.of(train, problem)
        known = {column: codes_of(train.X[:, column]) for column in train.categorical}

        def matrix(rows: Rows) -> Any:
            return xgboost.DMatrix(
                without_unknown(rows.X, known),
                start.labels(rows, problem),
                weight=rows.weight,
                base_margin=start.margins(len(rows.X)),
                feature_types=_types(known, rows.X.shape[1]),
                enable_categorical=True,
                nthread=1,
            )

        watched = None if valid is None or rounds is not None else matrix(valid)
        params = _params(train, problem, config, seed=seed)
        booster = _boost(xgboost, params, matrix(train), watched, rounds, deadline)
        return _member(booster, start, known)

    def fit_stored(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        deadline: float | None = None,
    ) -> TreeMember:
        """Boost for ``rounds`` on rows that are read in pieces, and kept as bins.

        The bins are in memory where a quarter of it holds them, a byte a cell, else on disk.

        Raises
        ------
        FamilyError
            As `fit` does.
        """
        start, known = Start.of(train, problem), _stored_codes(train)
        params = _params(train, problem, config, seed=seed)
        return _boost_stored(train, problem, params, start, known, rounds, deadline)

    def fit_shared(
        self,
        train: StoredRows,
        problem: Problem,
        config: Config,
        *,
        seed: int,
        rounds: int,
        peers: Peers,
    ) -> TreeMember:
        """Boost for ``rounds`` on a share of the rows, with those who hold the other shares.

        Raises
        ------
        FamilyError
            As `fit` does.
        """
        xgboost = _import()
        known = {column: peers.codes[column] for column in train.categorical}
        params = _params(train, problem, config, seed=seed)
        with xgboost.collective.CommunicatorContext(**peers.tracker):
            return _boost_stored(train, problem, params, peers.start, known, rounds, None)

    def from_files(self, files: Mapping[str, bytes]) -> TreeMember:
        """Rebuild a member from its files; needs no XGBoost."""
        return read_trees(files)


def _boost_stored(
    train: StoredRows,
    problem: Problem,
    params: dict[str, Any],
    start: Start,
    known: Mapping[int, np.ndarray],
    rounds: int,
    deadline: float | None,
) -> TreeMember:
    xgboost = _import()
    n_rows, n_columns = train.matrix.shape
    with scratch_folder(train.folder) as cache:
        in_memory = n_rows * n_columns < _SHARE * (available_memory() or np.inf)
        kind = xgboost.QuantileDMatrix if in_memory else xgboost.ExtMemQuantileDMatrix
        pieces = _pieces(
            xgboost, train, start, problem, known, None if in_memory else str(cache / "bins")
        )
        data = kind(pieces, max_bin=params["max_bin"], nthread=1, enable_categorical=True)
        booster = _boost(xgboost, params, data, None, rounds, deadline)
        return _member(booster, start, known)


def _boost(
    xgboost: Any,
    params: dict[str, Any],
    data: Any,
    watched: Any,
    rounds: int | None,
    deadline: float | None,
) -> Any:
    callbacks: list[Any] = []
    if watched is not None:
        callbacks.append(xgboost.callback.EarlyStopping(rounds=PATIENCE))
    if deadline is not None:
        callbacks.append(_stop_at(xgboost, deadline))
    booster = xgboost.train(
        params,
        data,
        num_boost_round=rounds or MAX_ROUNDS,
        evals=[] if watched is None else [(watched, "valid")],
        callbacks=callbacks,
        verbose_eval=False,
    )
    return booster if watched is None else booster[: booster.best_iteration + 1]


def _member(booster: Any, start: Start, known: Mapping[int, np.ndarray]) -> TreeMember:
    from pellucid.shapley.readers.xgboost import read

    trees = unknown_as_missing(start.complete(read(booster)), known)
    return TreeMember(trees, rounds=booster.num_boosted_rounds(), family=XGBoostFamily.name)


def _types(known: Mapping[int, np.ndarray], n_columns: int) -> list[str]:
    return ["c" if i in known else "q" for i in range(n_columns)]


def _stored_codes(train: StoredRows) -> dict[int, np.ndarray]:
    """The category codes that each column shows, in one pass."""
    known = {column: np.zeros(0, dtype=np.int64) for column in train.categorical}
    if known:
        for _, X in train.chunks():
            for column in known:
                known[column] = np.union1d(known[column], codes_of(X[:, column]))
    return known


def _pieces(
    xgboost: Any,
    train: StoredRows,
    start: Start,
    problem: Problem,
    known: Mapping[int, np.ndarray],
    cache: str | None,
) -> Any:
    """The rows as XGBoost asks for them, several times over."""
    labels = start.labels(train, problem)

    class Pieces(xgboost.DataIter):
        def __init__(self) -> None:
            self._left = train.chunks()
            super().__init__(cache_prefix=cache)

        def next(self, input_data: Callable[..., None]) -> bool:
            for rows, X in self._left:
                input_data(
                    data=without_unknown(X, known),
                    label=labels[rows],
                    weight=None if train.weight is None else train.weight[rows],
                    base_margin=start.margins(len(X)),
                    feature_types=_types(known, X.shape[1]),
                )
                return True
            return False

        def reset(self) -> None:
            self._left = train.chunks()

    return Pieces()


def _import() -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise FamilyError(
            "the family 'xgboost' needs XGBoost, which is not installed: "
            "pip install 'pellucid[xgboost]'"
        ) from error
    return xgboost


def _params(
    train: Rows | StoredRows, problem: Problem, config: Config, *, seed: int
) -> dict[str, Any]:
    params: dict[str, Any] = {
        **with_defaults(config, _DEFAULTS, who="XGBoost"),
        "objective": _OBJECTIVES[problem.task],
        "eval_metric": _METRICS[problem.task],
        "tree_method": "hist",
        "seed": seed,
        "nthread": 1,
        "verbosity": 0,
    }
    if train.monotone:
        params["monotone_constraints"] = tuple(train.monotone)
    if params["max_leaves"]:
        params["grow_policy"] = "lossguide"
    if problem.task == "multiclass":
        params["num_class"] = problem.n_classes
    if problem.link == "log":
        params |= {"objective": "count:poisson", "eval_metric": "poisson-nloglik"}
    return params


def _stop_at(xgboost: Any, deadline: float) -> Any:
    """End boosting, keeping the trees so far, once the clock passes ``deadline``."""

    class StopAt(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            return time.monotonic() > deadline

    return StopAt()


FAMILY = XGBoostFamily()

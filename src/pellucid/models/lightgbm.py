"""LightGBM: gradient boosted trees, read into our own sum of trees.

The sum is the same as LightGBM's raw score to the last bit, takes half the time for one row, and
a stored member needs no LightGBM. Categories that a split does not name, unseen and missing ones
included, go right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid.models.boosting import MAX_ROUNDS, PATIENCE, Start
from pellucid.models.family import Config, FamilyError, Rows, with_defaults
from pellucid.models.problem import Problem
from pellucid.models.shared import Peers
from pellucid.models.stored import CHUNK, Matrix, StoredRows
from pellucid.models.trees import TreeMember, read_trees

_PATIENT = 120  # minutes that a process waits for another's histograms

# by task, of regression by link: what is minimised, the first by default
_OBJECTIVES: dict[str, tuple[str, ...]] = {
    "binary": ("binary",),
    "multiclass": ("multiclass",),
    "identity": ("regression", "huber", "l1"),
    "log": ("poisson", "tweedie", "gamma"),
}
# what a configuration may set, by LightGBM's names, and its default
_DEFAULTS: dict[str, Any] = {
    "objective": None,
    "learning_rate": 0.08,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "feature_fraction": 1.0,
    "bagging_fraction": 1.0,
    "lambda_l1": 0.0,
    "lambda_l2": 1.0,
    "max_bin": 255,
    "extra_trees": False,
    "path_smooth": 0.0,
    "cat_smooth": 10.0,
    "cat_l2": 10.0,
    "min_data_per_group": 100,
    "max_cat_threshold": 32,
}


class LightGBMFamily:
    """Boosting with early stopping on validation rows, one thread: trials run side by side."""

    name = "lightgbm"

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
            The configuration has a setting that is not known, or an objective that does not fit
            the problem.
        """
        return _boost(
            (train, train.X),
            None if valid is None or rounds is not None else (valid, valid.X),
            problem,
            config,
            seed=seed,
            rounds=rounds,
            deadline=deadline,
        )

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
        """Boost for ``rounds`` on rows that are read in pieces: the bits of `fit` on all of them.

        LightGBM holds a byte a cell where columns have at most 256 bins.
        """
        return _boost(
            (train, _sequence(train.matrix)),
            None,
            problem,
            config,
            seed=seed,
            rounds=rounds,
            deadline=deadline,
        )

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
        """Boost for ``rounds`` on a share of the rows, with those who hold the other shares."""
        return _boost(
            (train, _sequence(train.matrix)),
            None,
            problem,
            config,
            seed=seed,
            rounds=rounds,
            deadline=None,
            peers=peers,
        )

    def from_files(self, files: Mapping[str, bytes]) -> TreeMember:
        """Rebuild a member from its files; needs no LightGBM."""
        return read_trees(files)


def _boost(
    train: tuple[Rows | StoredRows, Any],
    valid: tuple[Rows, Any] | None,
    problem: Problem,
    config: Config,
    *,
    seed: int,
    rounds: int | None,
    deadline: float | None,
    peers: Peers | None = None,
) -> TreeMember:
    """Boost on rows, each given with what LightGBM reads them from."""
    import lightgbm as lgb

    from pellucid.shapley.readers.lightgbm import read_text

    rows = train[0]
    n_rows = len(rows.y) if peers is None else peers.n_rows
    params = _params(problem, config, seed=seed, n_rows=n_rows)
    if rows.monotone:
        params["monotone_constraints"] = list(rows.monotone)
    if peers is not None:
        params |= _network(peers)
    start = Start.of(rows, problem) if peers is None else peers.start

    def dataset(rows: Rows | StoredRows, X: Any, reference: Any = None) -> Any:
        return lgb.Dataset(
            X,
            start.labels(rows, problem),
            weight=rows.weight,
            init_score=start.margins(len(rows.y)).ravel(order="F"),
            categorical_feature=list(train[0].categorical),
            reference=reference,
            params=params,
        )

    data = dataset(*train)
    callbacks: list[Callable[..., Any]] = [lgb.log_evaluation(0)]
    watched = []
    if valid is not None:
        watched = [dataset(*valid, data)]
        callbacks.append(lgb.early_stopping(PATIENCE, verbose=False))
    if deadline is not None:
        callbacks.append(_stop_at(deadline))
    booster = lgb.train(
        params,
        data,
        num_boost_round=rounds or MAX_ROUNDS,
        valid_sets=watched,
        callbacks=callbacks,
    )
    if peers is not None:
        booster.free_network()
    best = booster.best_iteration or booster.current_iteration()
    trees = read_text(booster.model_to_string(num_iteration=best))
    return TreeMember(start.complete(trees), rounds=best, family=LightGBMFamily.name)


def _network(peers: Peers) -> dict[str, Any]:
    """How LightGBM adds up the histograms of all shares."""
    return {
        "machines": ",".join(peers.addresses),
        "local_listen_port": int(peers.addresses[peers.rank].rpartition(":")[2]),
        "num_machines": len(peers.addresses),
        "time_out": _PATIENT,
        "tree_learner": "data",
        "pre_partition": True,
    }


def _sequence(matrix: Matrix) -> Any:
    """The rows as LightGBM asks for them: single ones, in order, to find bins; then in pieces."""
    import lightgbm as lgb

    class Pieces(lgb.Sequence):
        batch_size = CHUNK
        _first, _piece = 0, np.zeros((0, 0))

        def __len__(self) -> int:
            return matrix.shape[0]

        def __getitem__(self, at: Any) -> np.ndarray:
            if isinstance(at, slice):
                return matrix.read(at.start, at.stop)
            if not self._first <= at < self._first + len(self._piece):
                self._first = at
                self._piece = matrix.read(at, min(at + CHUNK, len(self)))
            return self._piece[at - self._first].astype(np.float64)

    return Pieces()


def _params(problem: Problem, config: Config, *, seed: int, n_rows: int) -> dict[str, Any]:
    params: dict[str, Any] = {
        **with_defaults(config, _DEFAULTS, who="LightGBM"),
        "objective": _objective(problem, config.get("objective")),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "feature_pre_filter": False,
    }
    if problem.task == "multiclass":
        params["num_class"] = problem.n_classes
    if params["bagging_fraction"] < 1.0:
        params["bagging_freq"] = 1
    # 20 rows a leaf, and 100 a set of categories, are too many for a table of a few hundred
    for setting in ("min_data_in_leaf", "min_data_per_group"):
        params[setting] = max(1, min(int(params[setting]), n_rows // 30))
    return params


def _objective(problem: Problem, wanted: str | None) -> str:
    """The loss to minimise, which early stopping watches too."""
    known = _OBJECTIVES[problem.task if problem.is_classification else problem.link]
    if wanted is not None and wanted not in known:
        raise FamilyError(
            f"unknown LightGBM objective {wanted!r} for this problem; known: {', '.join(known)}"
        )
    return wanted or known[0]


def _stop_at(deadline: float) -> Callable[..., None]:
    """End boosting, keeping the trees so far, once the clock passes ``deadline``."""

    def callback(env: Any) -> None:
        if time.monotonic() > deadline:
            from lightgbm.callback import EarlyStopException

            scores = env.evaluation_result_list or []
            raise EarlyStopException(env.iteration, scores)

    callback.order = 40  # type: ignore[attr-defined]  # after early stopping has looked
    return callback


FAMILY = LightGBMFamily()

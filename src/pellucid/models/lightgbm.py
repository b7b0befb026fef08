"""LightGBM: gradient boosted trees; the margin is the raw score, a sum over trees."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid import shapley
from pellucid.models.family import Config, Rows, Shapley
from pellucid.models.problem import Problem

if TYPE_CHECKING:
    import lightgbm

MAX_ROUNDS = 2000
_PATIENCE = 40  # rounds without gain on the validation rows before boosting stops
_TABLES = 64 * 2**20  # bytes of look-up tables: filling more takes longer than it saves
_OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}
# what a configuration may set, and its default
_DEFAULTS: dict[str, Any] = {
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
}


@dataclass(frozen=True, eq=False)
class LightGBMMember:
    """A fitted booster; its text is its state."""

    booster: lightgbm.Booster
    rounds: int
    n_outputs: int
    family: str = "lightgbm"

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Raw scores, float64 (n_rows, n_outputs)."""
        if len(X) == 0:
            return np.empty((0, self.n_outputs))
        scores = self.booster.predict(X, raw_score=True, num_threads=1)
        return np.asarray(scores, dtype=np.float64).reshape(len(X), self.n_outputs)

    @cached_property
    def _trees(self) -> Any:
        from pellucid.shapley.readers import read_ensemble

        return read_ensemble(self.booster)  # read once, compiled for every set of players

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """Compile the trees into lookup tables."""
        tables: Shapley = shapley.compile(
            self._trees, background=background, players=players, memory=_TABLES
        )
        return tables

    def to_files(self) -> dict[str, bytes]:
        """LightGBM's own text format."""
        facts = json.dumps({"rounds": self.rounds, "n_outputs": self.n_outputs})
        return {"model.txt": self.booster.model_to_string().encode(), "model.json": facts.encode()}


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
    ) -> LightGBMMember:
        """Boost until the validation loss stops falling, for ``rounds``, or until ``deadline``."""
        import lightgbm as lgb

        params = _params(problem, config, seed=seed, n_rows=len(train.X))
        data = lgb.Dataset(train.X, train.y, params=params, free_raw_data=True)
        callbacks: list[Callable[..., Any]] = [lgb.log_evaluation(0)]
        valid_sets = []
        if valid is not None and rounds is None:
            valid_sets = [lgb.Dataset(valid.X, valid.y, reference=data, params=params)]
            callbacks.append(lgb.early_stopping(_PATIENCE, verbose=False))
        if deadline is not None:
            callbacks.append(_stop_at(deadline))
        booster = lgb.train(
            params,
            data,
            num_boost_round=rounds or MAX_ROUNDS,
            valid_sets=valid_sets,
            callbacks=callbacks,
        )
        best = booster.best_iteration or booster.current_iteration()
        # keep the text of the best iterations only: what is saved is what predicts
        kept = lgb.Booster(model_str=booster.model_to_string(num_iteration=best))
        return LightGBMMember(kept, rounds=best, n_outputs=problem.n_outputs)

    def from_files(self, files: Mapping[str, bytes]) -> LightGBMMember:
        """Rebuild a member from its files."""
        import lightgbm as lgb

        facts = json.loads(files["model.json"])
        booster = lgb.Booster(model_str=files["model.txt"].decode())
        return LightGBMMember(booster, rounds=facts["rounds"], n_outputs=facts["n_outputs"])


def _params(problem: Problem, config: Config, *, seed: int, n_rows: int) -> dict[str, Any]:
    unknown = set(config) - set(_DEFAULTS)
    if unknown:
        raise ValueError(f"unknown LightGBM setting {sorted(unknown)}")
    params: dict[str, Any] = {
        **_DEFAULTS,
        **config,
        "objective": _OBJECTIVES[problem.task],
        "metric": {"binary": "binary_logloss", "multiclass": "multi_logloss"}.get(
            problem.task, "l2"
        ),
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
    # 20 rows a leaf are too many for a table of a few hundred
    params["min_data_in_leaf"] = max(1, min(int(params["min_data_in_leaf"]), n_rows // 30))
    return params


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

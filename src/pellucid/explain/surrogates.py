"""Surrogates: simple models that learn another model's answers, and are explained exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse

from pellucid.explain.closed import closed
from pellucid.explain.cores import read_core
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.subject import Subject

Kind = Literal["lightgbm", "linear", "sgd", "tree"]


@dataclass(frozen=True, eq=False)
class Surrogate:
    """One fitted model for each output, on columns that it reads through a scale of its own.

    scale : from columns to columns, one by one.
    """

    models: tuple[Any, ...]
    scale: Callable[[Any], Any]

    def predict(self, columns: Any) -> np.ndarray:
        """Answers, float64 (n_rows, n_outputs)."""
        scaled = self.scale(columns)
        return np.column_stack([np.ravel(model.predict(scaled)) for model in self.models])

    def values(
        self, columns: Any, background: Any, of_column: np.ndarray, n_players: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Exact values (n_rows, n_players, n_outputs), and base values (n_outputs,)."""
        rows, absent = self.scale(columns), self.scale(background)
        parts = []
        for model in self.models:
            subject = Subject("surrogate", model, read_core(model), prepare=_itself)
            parts.append(closed(subject, absent, of_column, n_players))
        values = np.concatenate([part.values(rows) for part in parts], axis=2)
        return values, np.concatenate([part.base_values for part in parts])


def fit_surrogate(kind: Kind, columns: Any, answers: np.ndarray, *, seed: int) -> Surrogate:
    """Learn answers (n_rows, n_outputs) from columns, numbers or a CSR matrix.

    Raises
    ------
    ExplanationError
        An unknown kind.
    """
    makers = {"lightgbm": _lightgbm, "linear": _ridge, "sgd": _sgd, "tree": _tree}
    if kind not in makers:
        raise ExplanationError(f"unknown surrogate {kind!r}; expected one of {', '.join(makers)}")
    scale = _itself if kind == "lightgbm" else _scale(columns, centred=kind != "tree")
    scaled = scale(columns)
    models = tuple(
        makers[kind](len(answers), seed).fit(scaled, answers[:, k]) for k in range(answers.shape[1])
    )
    return Surrogate(models, scale)


def _lightgbm(n_rows: int, seed: int) -> Any:
    import lightgbm

    # few rows a leaf where there are few rows: else a small table gives a constant
    return lightgbm.LGBMRegressor(
        n_estimators=200, learning_rate=0.1, num_leaves=31,
        min_child_samples=int(np.clip(n_rows // 50, 1, 20)), random_state=seed,
        deterministic=True, force_row_wise=True, verbosity=-1,
    )  # fmt: skip


def _ridge(n_rows: int, seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0, random_state=seed)


def _sgd(n_rows: int, seed: int) -> Any:
    from sklearn.linear_model import SGDRegressor

    return SGDRegressor(max_iter=2000, tol=1e-5, random_state=seed)


def _tree(n_rows: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=2, random_state=seed)


def _itself(columns: Any) -> Any:
    return columns


def _scale(columns: Any, *, centred: bool) -> Callable[[Any], Any]:
    """Missing cells filled with the column's mean, and columns brought to one size."""
    if sparse.issparse(columns):
        return _itself
    known = ~np.isnan(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0.0).sum(axis=0, dtype=np.float64) / count
    if not centred:
        return _Scale(fill=mean, mean=np.zeros_like(mean), size=np.ones_like(mean))
    spread = np.sqrt((np.where(known, columns - mean, 0.0) ** 2).sum(axis=0) / count)
    return _Scale(fill=mean, mean=mean, size=np.where(spread > 0, spread, 1.0))


@dataclass(frozen=True, eq=False)
class _Scale:
    """Fills missing cells, moves and divides columns; a class, so that it can be pickled."""

    fill: np.ndarray
    mean: np.ndarray
    size: np.ndarray

    def __call__(self, columns: Any) -> np.ndarray:
        filled: np.ndarray = np.where(np.isnan(columns), self.fill, columns)
        return (filled - self.mean) / self.size

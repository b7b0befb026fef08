"""Exact pairwise interactions of raw features, of trees and of our ensembles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pellucid import shapley
from pellucid.explain.asking import AskError, class_at
from pellucid.explain.closed import check_size, encoded
from pellucid.explain.explanation import ExplanationError
from pellucid.explain.matrices import dense
from pellucid.explain.setting import Setting, make_setting
from pellucid.models.change import ChangeMember
from pellucid.models.ensemble import Ensemble
from pellucid.models.family import Member
from pellucid.models.trees import TreeMember
from pellucid.models.view import ViewMember

_ADDS_UP = 1e-5  # of the margins' scale, that matrices may miss them by


@dataclass(frozen=True, eq=False)
class Interactions:
    """A matrix of raw features by raw features for every row, in margin space.

    Attributes
    ----------
    values : ndarray of float64, (n_rows, n_features, n_features, n_outputs)
        Symmetric. Off the diagonal half of a pair's interaction, on it what a feature does alone;
        a line adds up to the feature's Shapley value, all to the margin less the base value.
    base_values : ndarray of float64, (n_outputs,)
    feature_names : tuple of str
    index : Index, (n_rows,)
    classes : tuple or None
    additivity_error : float
        Most that a row's matrix and base value miss the model's margin by.
    """

    values: np.ndarray
    base_values: np.ndarray
    feature_names: tuple[str, ...]
    index: pd.Index
    classes: tuple[Any, ...] | None
    additivity_error: float

    def matrix(self, row: int, label: Any = None) -> pd.DataFrame:
        """One row's matrix, towards a class or of the only output."""
        if not 0 <= row < len(self.index):
            raise AskError(f"row {row} is not among the {len(self.index)} rows")
        names = list(self.feature_names)
        return pd.DataFrame(self._towards(label)[row], index=names, columns=names)

    def strongest(self, top: int | None = 10, label: Any = None) -> pd.Series:
        """Mean absolute interaction of each pair over the rows, the strongest first.

        Without a label the mean over classes. A pair's interaction is both of its cells.
        """
        if label is None:
            sizes = np.abs(self.values).mean(axis=(0, 3))
        else:
            sizes = np.abs(self._towards(label)).mean(axis=0)
        first, second = np.triu_indices(len(self.feature_names), k=1)
        strength = 2 * sizes[first, second]
        order = np.argsort(-strength, kind="stable")[:top]
        names = np.array(self.feature_names, dtype=object)
        pairs = pd.MultiIndex.from_arrays(
            [names[first[order]], names[second[order]]], names=["feature", "with"]
        )
        return pd.Series(strength[order], index=pairs, name="interaction")

    def _towards(self, label: Any) -> np.ndarray:
        n_outputs = self.values.shape[3]
        if n_outputs > 1:
            return self.values[..., class_at(self.classes or range(n_outputs), label)]
        first = label is not None and self.classes is not None
        sign = -1.0 if first and class_at(self.classes or (), label) == 0 else 1.0
        return sign * self.values[..., 0]


def interactions(model: Any, X: Any, *, background: Any = None) -> Interactions:
    """Exact Shapley interactions of every pair of raw features, row by row.

    Parameters
    ----------
    model : whatever `pellucid.explain` takes, if its margin is trees, linear, or one of ours
        Members of an ensemble that are linear or splines add columns up, and have none.
    X : table, (n_rows, n_columns)
    background : table, optional
        As in `pellucid.explain`.

    Raises
    ------
    ExplanationError
        A model whose interactions have no closed form, with the reason, or matrices that do not
        add up to the model's margin.

    Notes
    -----
    See `pellucid.shapley.interactions`.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 3)), columns=list("abc"))
    >>> y = X["a"] * X["b"] + X["c"]
    >>> forest = RandomForestRegressor(10, random_state=0).fit(X, y)
    >>> found = interactions(forest, X[:20], background=X[:50])
    >>> found.strongest(1).index.tolist()
    [('a', 'b')]
    """
    setting = make_setting(model, X, background=background)
    subject, depth = setting.subject, setting.subject.depth
    players = setting.lineages[-1].groups(setting.raw_of)
    if (players < 0).any():
        at = int(np.flatnonzero(players < 0)[0])
        raise ExplanationError(
            f"column {setting.engineered_names[at]!r} of {subject.label} is made of several raw "
            f"columns, so raw pairs have no closed form"
        )
    n = len(setting.raw_names)
    rows, absent = setting.rows_at(depth), setting.background_at(depth)
    answers = subject.ask("margin", depth=depth)
    margins, base = answers(rows), answers(absent).mean(axis=0)
    check_size(rows.shape[0], n * n, margins.shape[1])
    values = _of_core(setting, rows, absent, players, n, margins.shape[1])
    missed = float(np.abs(values.sum(axis=(1, 2)) + base - margins).max(initial=0.0))
    if not missed <= _ADDS_UP * max(1.0, float(np.abs(margins).max(initial=0.0))):
        raise ExplanationError(
            f"the interactions of {subject.label} miss its margins by {missed:.3g} and are not "
            f"returned"
        )
    return Interactions(values, base, setting.raw_names, setting.index, subject.classes, missed)


def _of_core(
    setting: Setting, rows: Any, absent: Any, players: np.ndarray, n: int, n_outputs: int
) -> np.ndarray:
    core = setting.subject.core
    if isinstance(core.model, Ensemble):
        return member_interactions(core.model, dense(rows), dense(absent), players, n)
    if core.linear is not None:
        away = dense(rows) - dense(absent).mean(axis=0)
        parts = away[:, :, None] * core.linear.coef.T  # (n_rows, n_columns, n_outputs)
        belongs = np.eye(n)[players]  # (n_columns, n_players)
        return _diagonal(np.einsum("rco,cp->rpo", parts, belongs), n)
    try:
        found = _trees(core.model, encoded(core, rows), encoded(core, absent), players, n)
    except (shapley.ShapleyError, TypeError, ValueError) as error:
        raise ExplanationError(
            f"interactions of {setting.subject.label} have no closed form: {error}"
        ) from error
    return found[..., [1]] if found.shape[3] == 2 and n_outputs == 1 else found


def member_interactions(
    member: Member | Ensemble, X: np.ndarray, background: np.ndarray, players: np.ndarray, n: int
) -> np.ndarray:
    """Interactions of a member's margin, (n_rows, n, n, n_outputs).

    Parameters
    ----------
    member : of an ensemble, or one itself
    X, background : (n_rows, n_columns), (n_background, n_columns); engineered
    players : int (n_columns,); the player of each column
    n : number of players
    """
    if isinstance(member, Ensemble):
        parts = [member_interactions(each, X, background, players, n) for each in member.members]
        shape = (len(X), n, n, len(member.intercept))
        return sum((w * part for w, part in zip(member.weights, parts)), np.zeros(shape))
    if isinstance(member, ChangeMember):
        both = (
            member_interactions(m, X, background, players, n) for m in (member.base, member.inner)
        )
        return sum(both, np.zeros(1))
    if isinstance(member, ViewMember):
        widths = [table.shape[1] for table in member.tables]
        seen = np.concatenate([players[member.columns], np.repeat(players[member.encoded], widths)])
        return member_interactions(member.inner, member.see(X), member.see(background), seen, n)
    if isinstance(member, TreeMember):
        return _trees(member.trees, X, background, players, n)
    values = member.shapley(background=background, players=players).values(X)
    return _diagonal(values if values.ndim == 3 else values[:, :, None], n)


def _trees(
    trees: Any, X: np.ndarray, background: np.ndarray, players: np.ndarray, n: int
) -> np.ndarray:
    own, seats = np.unique(players, return_inverse=True)
    found = shapley.interactions(trees, X, background=background, players=seats)
    found = found[..., None] if found.ndim == 3 else found
    out = np.zeros((len(X), n, n, found.shape[3]))
    out[:, own[:, None], own[None, :]] = found
    return out


def _diagonal(values: np.ndarray, n: int) -> np.ndarray:
    """Matrices of a margin that adds players up: values (n_rows, up to n, n_outputs) alone."""
    out = np.zeros((len(values), n, n, values.shape[2]))
    at = np.arange(values.shape[1])
    out[:, at, at] = values
    return out

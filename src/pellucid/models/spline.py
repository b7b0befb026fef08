"""A generalised additive model: a curve for each numeric column, a slope for every other.

Where columns are too many to solve for all curves at once, those that tell most of the target by
themselves get curves, others slopes, and of very many the last ones are left out. A text's words
have slopes, with a penalty of their own: as a whole they may say much or nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.arrays import read_arrays
from pellucid.models.boosting import Start
from pellucid.models.curves import Curves, has_more_values, knots_of
from pellucid.models.design import Design
from pellucid.models.family import Config, Rows, Shapley, with_defaults
from pellucid.models.linear import LinearMember, read_linear
from pellucid.models.problem import Problem
from pellucid.models.scaling import Scaling
from pellucid.models.smoothing import Fitted, fit_additive

_KNOTS, _FEWEST_KNOTS = 20, 4
_KNOTS_OF_MANY = 12  # where each class has curves of its own
_FEW_VALUES = 10  # a column with no more gets a slope
_MOST_COEFFICIENTS = 400  # solved for at once; 800 take three times as long for 0.1 % less loss
_ROOM = 12  # coefficients of a curve, where not every column can have one
_ARRAYS = ("column", "start", "knot", "height")


@dataclass(frozen=True, eq=False)
class SplineMember:
    """``margin = linear margin + sum of curves``; a column with a curve has no slope."""

    linear: LinearMember
    curves: Curves
    family: str = "spline"

    @property
    def rounds(self) -> int:
        """Steps that the fit took."""
        return self.linear.rounds

    def margins(self, X: np.ndarray) -> np.ndarray:
        """Margins, float64 (n_rows, n_outputs)."""
        margins = self.linear.margins(X)
        for c in range(len(self.curves)):
            margins += self.curves.value(c, X)
        return margins

    def shapley(self, *, background: np.ndarray, players: np.ndarray) -> Shapley:
        """Closed form: each column adds what it gives beyond its mean over the background."""
        linear = self.linear.shapley(background=background, players=players)
        means = [self.curves.value(c, background).mean(axis=0) for c in range(len(self.curves))]
        by_curve = np.array(means).reshape(len(self.curves), len(self.linear.intercept))
        return _Additive(linear, self.curves, by_curve, players[self.curves.column])

    def to_files(self) -> dict[str, bytes]:
        """The linear part's files, and the curves as one npz file of arrays."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: getattr(self.curves, name) for name in _ARRAYS})
        return {**self.linear.to_files(), "curves.npz": buffer.getvalue()}


@dataclass(frozen=True, eq=False)
class _Additive:
    """Shapley values of a linear margin and curves.

    means : (n_curves, n_outputs), over the background; players : (n_curves,)
    """

    linear: Shapley
    curves: Curves
    means: np.ndarray
    players: np.ndarray

    @property
    def base_values(self) -> np.ndarray:
        base: np.ndarray = self.linear.base_values + self.means.sum(axis=0)
        return base

    @property
    def source(self) -> str:
        return "spline"

    @property
    def magnitude(self) -> np.ndarray:
        total: np.ndarray = self.linear.magnitude + np.abs(self.means).sum(axis=0)
        return total

    def values(self, X: np.ndarray) -> np.ndarray:
        values = self.linear.values(X)
        by_output = values if values.ndim == 3 else values[:, :, None]  # a view of the same sums
        for c, player in enumerate(self.players):
            by_output[:, player] += self.curves.value(c, X) - self.means[c]
        return values


class SplineFamily:
    """Curves as smooth as the data say (see `pellucid.models.smoothing`).

    Config: ``knots``, the most that a curve may have; by default 20, of many classes 12.
    """

    name = "spline"

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
    ) -> SplineMember:
        """Find curves and slopes; ``rounds`` are steps of the fit.

        Raises
        ------
        FamilyError
            A setting that is not known.
        """
        settings = with_defaults(config, {"knots": None}, who="spline")
        weight = np.ones(len(train.X)) if train.weight is None else train.weight
        weight = weight / weight.mean()
        start = Start.of(train, problem)
        goal = start.labels(train, problem).astype(np.float64)[:, None]
        if problem.is_classification:
            goal = (goal == np.arange(problem.n_classes)[-problem.n_outputs :]).astype(np.float64)
        scaling = Scaling.of(train.X, weight, words=train.words)
        X = scaling.apply(train.X)
        curved = {
            j
            for j in set(range(X.shape[1])).difference(train.words)
            if has_more_values(train.X[:, j], _FEW_VALUES)
        }
        order = _by_telling(X, goal * weight[:, None])
        kept = _affordable(order, curved)
        usual = _KNOTS if problem.n_outputs == 1 else _KNOTS_OF_MANY
        knots = _knots(train.X, kept, curved, settings["knots"] or usual)
        words = sorted(set(kept).intersection(train.words))
        straight = [*sorted(set(kept) - set(knots) - set(words)), *words]
        design = Design.of(
            X[:, straight], train.X[:, list(knots)], list(knots.values()), weight,
            n_words=len(words),
        )  # fmt: skip
        fitted = fit_additive(
            design, goal, problem, start=start.margin, seed=seed, n_steps=rounds, deadline=deadline
        )
        return _member(fitted, design, scaling, start, knots, straight)

    def from_files(self, files: Mapping[str, bytes]) -> SplineMember:
        """Rebuild a member from its files."""
        arrays = read_arrays(files["curves.npz"])
        curves = Curves(**{name: arrays[name] for name in _ARRAYS})
        return SplineMember(read_linear(files), curves)


def _by_telling(X: np.ndarray, pull: np.ndarray) -> list[int]:
    """Columns in the order of their correlation with the target, the largest first.

    Parameters
    ----------
    X : float64 (n_rows, n_columns); centred.
    pull : float64 (n_rows, n_outputs); the target in the unit of learning, times the weights.
    """
    spread = np.sqrt(np.maximum((X**2).sum(axis=0), 1e-12))
    told = np.abs(X.T @ (pull - pull.mean(axis=0))).max(axis=1) / spread
    order: list[int] = np.argsort(-told, kind="stable").tolist()
    return order


def _affordable(order: list[int], curved: set[int]) -> list[int]:
    """The first columns, as many as can be solved for at once with their curves; or all."""
    if len(order) <= _MOST_COEFFICIENTS:
        return order
    taken = np.cumsum([_ROOM if j in curved else 1 for j in order])
    return order[: int((taken <= _MOST_COEFFICIENTS).sum())]


def _knots(X: np.ndarray, kept: list[int], curved: set[int], most: int) -> dict[int, np.ndarray]:
    """Knots of each column that gets a curve; fewer for each, then for the first, of many."""
    own = [j for j in kept if j in curved]
    full = {j: knots_of(X[:, j], most) for j in sorted(own)}
    sizes = np.array([len(places) for places in full.values()])
    spare, room = _MOST_COEFFICIENTS - len(kept), most
    while room >= _FEWEST_KNOTS and np.minimum(sizes, room).sum() > spare + len(own):
        room -= 1
    if room < _FEWEST_KNOTS:
        own, room = own[: spare // (_ROOM - 1)], _ROOM
    knots = {j: full[j] if len(full[j]) <= room else knots_of(X[:, j], room) for j in sorted(own)}
    return {j: places for j, places in knots.items() if len(places) > 2}


def _member(
    fitted: Fitted,
    design: Design,
    scaling: Scaling,
    start: Start,
    knots: Mapping[int, np.ndarray],
    straight: Sequence[int],
) -> SplineMember:
    """Put slopes and curves into the units of the columns and of the target."""
    coef = np.zeros((len(start.prior), len(scaling.scale)))
    coef[:, straight] = start.spread * fitted.coef[:, design.blocks[0]] / scaling.scale[straight]
    intercept = start.prior + start.spread * (fitted.intercept - start.margin)
    heights = [np.zeros((0, len(coef)))]
    for block in design.blocks[1:]:
        own = fitted.coef[:, block].T
        heights.append(start.spread * (own - design.centre[block] @ own))
    return SplineMember(
        LinearMember(
            coef=coef,
            intercept=intercept - coef @ scaling.fill,
            fill=scaling.fill,
            low=scaling.low,
            high=scaling.high,
            rounds=fitted.n_steps,
        ),
        Curves(
            column=np.array(list(knots), dtype=np.int64),
            start=np.cumsum([0, *design.sizes]),
            knot=np.concatenate([np.zeros(0), *knots.values()]),
            height=np.concatenate(heights),
        ),
    )


FAMILY = SplineFamily()

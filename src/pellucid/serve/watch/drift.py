"""How rows that are scored differ from those of training: their cells, predictions and reasons.

Distances are Kolmogorov and Smirnov's: the largest difference between the shares of rows at or
below a value, 0 to 1; of a category it is the largest change of a level's share. A raw feature has
that of its engineered column which moved most. Chances are those of the two-sample test, times the
number of columns that were tried, and are then adjusted for the number of features (Benjamini and
Hochberg 1995), so that of many features few are said to drift by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.explain.predictor import Predictor
from pellucid.serve.errors import ServeError
from pellucid.serve.watch.window import Window

LEAST_ROWS = 10  # to compare
LEAST = 0.1  # a distance below which a difference is none to act on


@dataclass(frozen=True)
class FeatureDrift:
    """One raw feature.

    distance : of its cells, and ``moved``, the engineered column that it is told by; None where
        the log does not keep the column
    chance : of such a distance if nothing drifted, adjusted
    importance_before, importance : mean absolute importance in training and now; None where no
        logged row was explained
    rank_before, rank : by importance, from 1 on
    importance_chance : as ``chance``, by Welch's test
    """

    name: str
    distance: float | None
    moved: str
    chance: float | None
    importance_before: float
    importance: float | None
    rank_before: int
    rank: int | None
    importance_chance: float | None


@dataclass(frozen=True)
class Drift:
    """What differs.

    features : most important in training first
    prediction_distance, prediction_chance : of the margins, the largest of any class
    importance_shift : share of all importance that went to other features; None without
    n_rows, n_explained, n_reference : rows that were compared
    """

    features: tuple[FeatureDrift, ...]
    prediction_distance: float
    prediction_chance: float
    importance_shift: float | None
    n_rows: int
    n_explained: int
    n_reference: int

    def alarms(self, level: float = 0.01) -> list[str]:
        """What differs by more than `LEAST`, with a chance below ``level``, in words."""
        found = []
        if self.prediction_distance >= LEAST and self.prediction_chance < level:
            found.append(f"predictions drift (distance {self.prediction_distance:.2f})")
        for each in self.features:
            moved = each.distance is not None and each.distance >= LEAST
            if moved and each.chance is not None and each.chance < level:
                found.append(f"{each.name} drifts (distance {each.distance:.2f}, {each.moved})")
            if each.importance is None or each.importance_chance is None:
                continue
            larger = max(each.importance, each.importance_before)
            changed = abs(each.importance - each.importance_before) >= LEAST * larger
            if changed and each.importance_chance < level:
                found.append(
                    f"{each.name} has another importance "
                    f"({each.importance_before:.3g}, now {each.importance:.3g})"
                )
        return found


@dataclass(frozen=True, eq=False)
class Told:
    """Absolute importances of explained rows: their mean and spread, (n_features,), and rows."""

    mean: np.ndarray
    spread: np.ndarray
    n_rows: int


def measure(predictor: Predictor, window: Window, reference: Any = None) -> Drift:
    """Compare logged rows with those that a model was trained on.

    Parameters
    ----------
    predictor : Predictor
    window : Window
    reference : table, optional
        Raw rows to compare with; the model's background, 100 training rows, by default. More
        rows see smaller drift.

    Raises
    ------
    ServeError
        Too few rows.
    """
    before = predictor.background
    if reference is not None:
        before = predictor.featurizer.transform(predictor.frame(reference))
    now = predictor.featurizer.transform(predictor.frame(window.inputs))
    if min(len(before), len(now)) < LEAST_ROWS:
        raise ServeError(
            f"{len(now)} logged rows and {len(before)} to compare with are too few; at least "
            f"{LEAST_ROWS}"
        )
    margins = predictor.ensemble.margins(before)
    told = np.abs(window.importances).sum(axis=2) if len(window.importances) >= 2 else None
    return describe(
        predictor,
        before,
        margins,
        lambda k: _distance(before[:, k], now[:, k]),
        [_distance(margins[:, k], window.margins[:, k]) for k in range(margins.shape[1])],
        None if told is None else Told(told.mean(axis=0), told.std(axis=0, ddof=1), len(told)),
        n_rows=len(now),
        omitted=window.omitted,
    )


def describe(
    predictor: Predictor,
    before: np.ndarray,
    margins: np.ndarray,
    distance_of: Callable[[int], tuple[float, float]],
    outputs: Sequence[tuple[float, float]],
    told: Told | None,
    *,
    n_rows: int,
    omitted: tuple[str, ...] = (),
) -> Drift:
    """What differs, from distances with their chances.

    Parameters
    ----------
    before, margins : the engineered rows that are compared with, and their margins.
    distance_of : of an engineered column.
    outputs : of each margin.
    told : importances now; None where no row was explained.
    n_rows : now.
    omitted : raw columns that the rows do not have.
    """
    own = sizes_of(predictor, before, margins)
    distance, chance = max(outputs)
    return Drift(
        features=_features(predictor, distance_of, own, told, omitted),
        prediction_distance=distance,
        prediction_chance=min(1.0, chance * len(outputs)),
        importance_shift=None if told is None else _shift(own.mean(axis=0), told.mean),
        n_rows=n_rows,
        n_explained=0 if told is None else told.n_rows,
        n_reference=len(before),
    )


def sizes_of(predictor: Predictor, matrix: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Absolute importances of engineered rows, added up over outputs, (n_rows, n_features)."""
    values, _ = predictor.importances("raw", matrix, margins)
    sizes: np.ndarray = np.abs(values.reshape(len(values), values.shape[1], -1)).sum(axis=2)
    return sizes


def _features(
    predictor: Predictor,
    distance_of: Callable[[int], tuple[float, float]],
    own: np.ndarray,
    told: Told | None,
    omitted: tuple[str, ...],
) -> tuple[FeatureDrift, ...]:
    names, features = predictor.names_of("raw"), predictor.feature_map
    moved = [
        ("", None, None) if name in omitted else _moved(features, k, distance_of)
        for k, name in enumerate(names)
    ]
    chances = adjusted([chance for _, _, chance in moved])
    by_importance: list[float | None] = [None] * len(names)
    if told is not None:
        by_importance = adjusted([_welch(own[:, k], told, k) for k in range(len(names))])
    ranks, ranks_now = _ranks(own.mean(axis=0)), None if told is None else _ranks(told.mean)
    found = [
        FeatureDrift(
            name=name,
            distance=moved[k][1],
            moved=moved[k][0],
            chance=chances[k],
            importance_before=float(own[:, k].mean()),
            importance=None if told is None else float(told.mean[k]),
            rank_before=int(ranks[k]),
            rank=None if ranks_now is None else int(ranks_now[k]),
            importance_chance=by_importance[k],
        )
        for k, name in enumerate(names)
        if (features.raw_of == k).any()
    ]
    return tuple(sorted(found, key=lambda each: each.rank_before))


def _moved(
    features: Any, raw: int, distance_of: Callable[[int], tuple[float, float]]
) -> tuple[str, float | None, float | None]:
    """The engineered column of a raw feature that moved most, by how much, and the chance of it."""
    columns = np.flatnonzero(features.raw_of == raw)
    # the order of codes means nothing, where there are indicators to tell levels by
    spoken = [k for k in columns if features.forms[k] != "code"] or columns.tolist()
    if not len(spoken):
        return "", None, None
    best = max(((*distance_of(int(k)), int(k)) for k in spoken), key=lambda each: each[0])
    distance, chance, column = best
    return features.engineered_names[column], distance, min(1.0, chance * len(spoken))


def _distance(before: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Kolmogorov and Smirnov's distance with its chance; missing values are the lowest."""
    from scipy.stats import ks_2samp

    one, other = (np.where(np.isnan(each), -np.inf, each) for each in (before, now))
    if (one == one[0]).all() and (other == one[0]).all():
        return 0.0, 1.0
    found = ks_2samp(one, other, method="asymp")
    return float(found.statistic), float(found.pvalue)


def _welch(before: np.ndarray, now: Told, k: int) -> float:
    from scipy.stats import ttest_ind_from_stats

    mean, spread = before.mean(), before.std(ddof=1)
    if spread == 0.0 and now.spread[k] == 0.0:
        return 1.0 if np.isclose(mean, now.mean[k]) else 0.0
    found = ttest_ind_from_stats(
        mean, spread, len(before), now.mean[k], now.spread[k], now.n_rows, equal_var=False
    )
    return float(found.pvalue)


def _ranks(importance: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(importance), dtype=np.int64)
    ranks[np.argsort(-importance, kind="stable")] = np.arange(1, len(importance) + 1)
    return ranks


def _shift(before: np.ndarray, now: np.ndarray) -> float:
    """Half the sum of changes of shares: the share of importance that went elsewhere."""
    if before.sum() == 0.0 or now.sum() == 0.0:
        return 0.0
    return float(np.abs(before / before.sum() - now / now.sum()).sum() / 2.0)


def adjusted(chances: list[float | None]) -> list[float | None]:
    """Chances adjusted for how many there are (Benjamini and Hochberg); None stays.

    Examples
    --------
    >>> adjusted([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    known = sorted((chance, at) for at, chance in enumerate(chances) if chance is not None)
    out: list[float | None] = [None] * len(chances)
    least = 1.0
    for rank in range(len(known), 0, -1):
        chance, at = known[rank - 1]
        least = min(least, chance * len(known) / rank)
        out[at] = least
    return out

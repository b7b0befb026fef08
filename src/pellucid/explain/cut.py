"""Where a model may be cut so that its players come apart.

After a number of steps each column may still belong to one player. A row that is mixed of two is
then made by swapping columns there, and nothing before is done again: a *cut*. The deeper it lies
the better, and at full depth the core's own structure can be used. A cut is believed only when
mixed rows, put through the model's own steps, come out as if swapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pellucid.explain.matrices import take, width
from pellucid.explain.players import Seats
from pellucid.explain.setting import Setting

_CHECKED = 48  # mixed rows that a cut is held against
_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Cut:
    """A depth at which every column belongs to one player.

    depth : number of steps before it.
    of_column : int (n_columns at that depth,); the player of each.
    names : the players.
    error : largest difference found between swapped and mixed rows; None where nothing is swapped
        after the model's own steps.
    reasons : why it lies no deeper.
    """

    depth: int
    of_column: np.ndarray
    names: tuple[str, ...]
    error: float | None = None
    reasons: tuple[str, ...] = ()


def find_cut(setting: Setting, seats: Seats) -> Cut:
    """The deepest cut for these players; kept with the ground."""
    if seats.engineered:
        return Cut(setting.subject.depth, seats.of_column, seats.names)
    key = ("cut", seats.of_column.tobytes(), seats.names)
    kept = setting.ground.kept
    if key not in kept:
        kept[key] = _find_cut(setting, seats)
    found: Cut = kept[key]
    return found


def _find_cut(setting: Setting, seats: Seats) -> Cut:
    reasons: list[str] = []
    for depth in range(setting.subject.depth, 0, -1):
        lineage = setting.lineages[depth]
        groups = lineage.groups(seats.of_column)
        crossing = np.flatnonzero(groups < 0)
        if len(crossing):
            parents = lineage.parents_of(int(crossing[0]))
            shown = ", ".join(parents[:3]) + (", ..." if len(parents) > 3 else "")
            more = f" and {len(crossing) - 1} more columns are" if len(crossing) > 1 else " is"
            reasons.append(
                f"{lineage.outputs[crossing[0]]!r}{more} made of several players ({shown})"
            )
            continue
        error = _swap_error(setting, depth, seats.of_column, groups)
        if error <= _TOLERANCE:
            return Cut(depth, groups, seats.names, error, tuple(reasons[:1]))
        reasons.append(
            f"step {setting.subject.steps[depth - 1].name!r} answers mixed rows by {error:.2g} "
            f"otherwise than column by column"
        )
    return Cut(0, seats.of_column, seats.names, None, tuple(reasons[:1]))


def _swap_error(setting: Setting, depth: int, of_raw: np.ndarray, of_column: np.ndarray) -> float:
    """Largest difference between rows mixed before the steps, and after them."""
    rng = np.random.default_rng((setting.seed, depth))
    own, absent = setting.rows, setting.ground.background
    deep = setting.rows_at(depth)
    if absent is None:
        absent, other = own, deep
    else:
        other = setting.background_at(depth)
    here = rng.integers(own.shape[0], size=_CHECKED)
    there = rng.integers(absent.shape[0], size=_CHECKED)
    joined = rng.random((_CHECKED, int(of_raw.max(initial=0)) + 1)) < 0.5
    raw = mix(take(own, here), take(absent, there), joined[:, of_raw])
    swapped = mix(take(deep, here), take(other, there), joined[:, of_column])
    return difference(setting.subject.at(depth, raw), swapped)


def mix(present: Any, absent: Any, follow: np.ndarray) -> Any:
    """Rows of ``present`` where ``follow`` (n_rows, n_columns) says so, else of ``absent``."""
    if isinstance(present, pd.Series):
        own = follow[:, 0] if width(present) == 1 else follow
        return _chosen(present, absent, own)
    if isinstance(present, pd.DataFrame):
        columns = {
            i: _chosen(present.iloc[:, i], absent.iloc[:, i], follow[:, i])
            for i in range(present.shape[1])
        }
        mixed = pd.DataFrame(columns, index=pd.RangeIndex(len(follow)), copy=False)
        mixed.columns = present.columns
        return mixed
    if sparse.issparse(present):
        chosen = np.where(follow, present.toarray(), absent.toarray())
        return sparse.csr_matrix(chosen)
    return np.where(follow, present, absent)


def _chosen(present: pd.Series, absent: pd.Series, follow: np.ndarray) -> pd.Series:
    both = pd.concat([present, absent], ignore_index=True)
    at = np.arange(len(follow)) + np.where(follow, 0, len(follow))
    return pd.Series(both.array.take(at), dtype=both.dtype, name=present.name)


def difference(a: Any, b: Any) -> float:
    """Largest relative difference of two sets of rows; infinite where cells are not numbers."""
    if sparse.issparse(a):
        a, b = a.toarray(), sparse.csr_array(b).toarray()
    if isinstance(a, pd.DataFrame):
        columns = [difference(a.iloc[:, i], b.iloc[:, i]) for i in range(a.shape[1])]
        return max(columns, default=0.0)
    left, right = pd.Series(np.ravel(a)), pd.Series(np.ravel(b))
    if left.dtype.kind in "fiub" and right.dtype.kind in "fiub":
        x, y = left.to_numpy(np.float64), right.to_numpy(np.float64)
        if (np.isnan(x) != np.isnan(y)).any():
            return np.inf
        same = np.isnan(x) | (x == y)
        return float(np.where(same, 0.0, np.abs(x - y) / (1.0 + np.abs(y))).max(initial=0.0))
    equal = (left.astype(object) == right.astype(object)) | (left.isna() & right.isna())
    return 0.0 if bool(equal.all()) else np.inf

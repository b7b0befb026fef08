"""Compile trees, a background and players into tables; look rows up in them.

One leaf of weight w and D distinct players is a product game: reached by (x on S, background z
elsewhere) when every player i meets its condition by x (bit b_i, if i is in S) or by z (bit c_i).
Its Shapley values depend on x through the D bits only, so all that is needed of the background is
the distinct c with their weights. The sum over leaves is the model's Shapley value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.paths import Paths, find_paths
from pellucid.shapley.players import Players, resolve_players
from pellucid.shapley.readers import read_ensemble
from pellucid.shapley.rows import check_rows, check_weights
from pellucid.shapley.trees import TreeEnsemble

Game = Literal["interventional", "path-dependent"]
_BLOCK = 256  # rows that go through a tree together, so that its tables stay in cache


@dataclass(frozen=True, eq=False)
class TreeTables:
    """Exact Shapley values of a tree ensemble, ready to look up.

    patterns, shares : distinct background patterns of each leaf, from ``pattern_start``.
    """

    ensemble: TreeEnsemble
    players: Players
    paths: Paths
    pattern_start: np.ndarray
    patterns: np.ndarray
    shares: np.ndarray
    base_values: np.ndarray
    n_jobs: int = 1

    @property
    def n_players(self) -> int:
        """Number of players."""
        return self.players.n

    @property
    def n_outputs(self) -> int:
        """Number of margins."""
        return self.ensemble.n_outputs

    def margins(self, X: Any) -> np.ndarray:
        """Predict as the reader understands the model: margins, float64 (n_rows, n_outputs)."""
        rows = check_rows(X, n_columns=self.ensemble.n_columns)
        return ensemble_margins(self.ensemble, rows)

    def values(self, X: Any) -> np.ndarray:
        """Shapley values, (n_rows, n_players), or (n_rows, n_players, n_outputs) when several.

        Each row sums to its margin minus the base values. The bits of a row do not depend on the
        other rows, nor on ``n_jobs``.
        """
        rows = check_rows(X, n_columns=self.ensemble.n_columns)
        out = np.zeros((len(rows), self.n_players, self.n_outputs))
        starts = range(0, len(rows), _BLOCK)
        if self.n_jobs > 1 and len(starts) > 1:
            with ThreadPoolExecutor(self.n_jobs) as pool:
                list(pool.map(lambda start: self._explain_block(rows, start, out), starts))
        else:
            for start in starts:
                self._explain_block(rows, start, out)
        out /= self.ensemble.divisor
        return out[:, :, 0] if self.n_outputs == 1 else out

    def _explain_block(self, rows: np.ndarray, start: int, out: np.ndarray) -> None:
        from pellucid.shapley import kernels

        trees, paths = self.ensemble, self.paths
        kernels.walk_block(
            as_block(trees, rows[start : start + _BLOCK]), trees.tree_bounds, trees.tree_output,
            paths.tree_leaf, paths.leaf_node, paths.cond_start, paths.cond_node, paths.cond_left,
            paths.cond_slot, paths.slot_start, paths.slot_player,
            self.pattern_start, self.patterns, self.shares, share_table(),
            trees.feature, trees.threshold, trees.flags, trees.cat_start, trees.cat_size,
            trees.cat_bits, trees.value, out[start : start + _BLOCK],
        )  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Write to one file; `pellucid.shapley.load` reads it."""
        from pellucid.shapley.files import save_tables

        save_tables(self, path)


def share_table() -> np.ndarray:
    """Tabulate ``a! b! / (a + b + 1)!``, the weight of one player among a + b others."""
    sizes = range(65)
    return np.array([[1.0 / ((a + b + 1) * comb(a + b, a)) for b in sizes] for a in sizes])


def as_block(ensemble: TreeEnsemble, rows: np.ndarray) -> np.ndarray:
    """Rows as the kernels take them: float64 (n_columns, n_rows), in the library's precision."""
    if ensemble.float32 and rows.dtype != np.float32:
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32)
    return np.ascontiguousarray(rows.T, dtype=np.float64)


def ensemble_margins(ensemble: TreeEnsemble, rows: np.ndarray) -> np.ndarray:
    """Margins of the ensemble by walking its trees, float64 (n_rows, n_outputs)."""
    from pellucid.shapley import kernels

    out = np.tile(ensemble.intercept, (len(rows), 1))
    linear = ensemble.linear
    parts = (
        (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(0))
        if linear is None
        else (linear.start, linear.column, linear.coef, linear.const)
    )
    for start in range(0, len(rows), _BLOCK):
        kernels.leaf_sums(
            as_block(ensemble, rows[start : start + _BLOCK]), ensemble.roots,
            ensemble.tree_output, ensemble.feature, ensemble.threshold, ensemble.flags,
            ensemble.left, ensemble.right, ensemble.cat_start, ensemble.cat_size,
            ensemble.cat_bits, ensemble.value, *parts, out[start : start + _BLOCK],
        )  # fmt: skip
    out /= ensemble.divisor
    return out


def compile(
    model: Any,
    *,
    background: Any = None,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    game: Game = "interventional",
    n_jobs: int = 1,
    weights: Any = None,
) -> TreeTables:
    """Compile a fitted tree model into tables of exact Shapley values of its margin.

    Parameters
    ----------
    model : fitted model of a supported library, or a TreeEnsemble
    background : array (n_background, n_columns), optional
        Rows that stand for "absent". Without rows the game is path-dependent.
    players : None, array of int (n_columns,), or mapping of name to columns
        Columns that join a coalition together; by default each column plays for itself.
    game : {"interventional", "path-dependent"}
        Absent players follow the background rows, or the tree's own cover ratios.
    n_jobs : int
        Threads that explain blocks of rows; the bits do not depend on it.
    weights : array (n_background,), optional
        Weights of the background rows.

    Returns
    -------
    TreeTables

    Raises
    ------
    ShapleyError
        Background, weights or players that do not fit the model.
    ReaderError
        A model that no reader knows.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.shapley.trees import TreeArrays, join_trees
    >>> stump = TreeArrays(
    ...     feature=np.array([1, -1, -1]), threshold=np.array([0.5, 0, 0]),
    ...     flags=np.zeros(3), left=np.array([1, -1, -1]), right=np.array([2, -1, -1]),
    ...     cover=np.array([4.0, 3, 1]), value=np.array([0.0, -1, 1]))
    >>> model = join_trees([stump], n_columns=2, n_outputs=1, float32=False)
    >>> tables = compile(model, background=[[0.0, 0.0], [0.0, 1.0]])
    >>> tables.values([[7.0, 1.0]])
    array([[0., 1.]])
    >>> tables.base_values
    array([0.])
    """
    ensemble = read_ensemble(model)
    who = resolve_players(players, n_columns=ensemble.n_columns, columns=ensemble.columns)
    if game not in ("interventional", "path-dependent"):
        raise ShapleyError(f"unknown game {game!r}; expected 'interventional' or 'path-dependent'")
    if background is None or game == "path-dependent":
        raise ShapleyError("the path-dependent game is not available; give background rows")
    if ensemble.linear is not None:
        raise ShapleyError("the model has linear leaves; fit it with linear_tree=False")
    rows = check_rows(background, n_columns=ensemble.n_columns, what="background")
    shares = check_weights(weights, n_rows=len(rows))
    return _compile_interventional(ensemble, who, rows, shares, n_jobs)


def _compile_interventional(
    ensemble: TreeEnsemble, who: Players, rows: np.ndarray, weights: np.ndarray, n_jobs: int
) -> TreeTables:
    from pellucid.shapley import kernels

    paths = find_paths(ensemble, who.of_column)
    pattern_start = np.zeros(len(paths.leaf_node) + 1, dtype=np.int64)
    patterns, shares = kernels.background_patterns(
        as_block(ensemble, rows), weights, ensemble.tree_bounds, paths.tree_leaf,
        paths.cond_start, paths.cond_node, paths.cond_left, paths.cond_slot,
        ensemble.feature, ensemble.threshold, ensemble.flags, ensemble.cat_start,
        ensemble.cat_size, ensemble.cat_bits, pattern_start,
    )  # fmt: skip
    base = (ensemble_margins(ensemble, rows) * weights[:, None]).sum(axis=0)
    return TreeTables(ensemble, who, paths, pattern_start, patterns, shares, base, n_jobs)


def warmup() -> None:
    """Load the kernels, compiling them if this machine's cache does not have them yet.

    Safe to call in a background thread; a later `compile` then starts at once.
    """
    from pellucid.shapley.trees import TreeArrays, join_trees

    stump = TreeArrays(
        feature=np.array([0, -1, -1]), threshold=np.zeros(3), flags=np.zeros(3),
        left=np.array([1, -1, -1]), right=np.array([2, -1, -1]),
        cover=np.array([2.0, 1, 1]), value=np.array([0.0, -1, 1]),
    )  # fmt: skip
    model = join_trees([stump], n_columns=1, n_outputs=1, float32=False)
    tables = compile(model, background=np.zeros((1, 1)))
    tables.values(np.zeros((2, 1)))
    tables.margins(np.zeros((1, 1)))


def load(path: str | Path) -> Any:
    """Tables from a file that ``save`` wrote.

    Raises
    ------
    TablesFileError
        A file that is missing, damaged, or of an unknown version.
    """
    from pellucid.shapley.files import load_tables

    return load_tables(path)

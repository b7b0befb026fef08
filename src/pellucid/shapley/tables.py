"""Compile trees, a background and players into tables; look rows up in them.

One leaf of weight w and D distinct players is a product game: reached by (x on S, background z
elsewhere) when every player i meets its condition by x (bit b_i, if i is in S) or by z (bit c_i).
Its Shapley values depend on x through the D bits only, so all that is needed of the background is
the distinct c with their weights. The sum over leaves is the model's Shapley value.

The path-dependent game (TreeSHAP, Lundberg et al. 2020) replaces c_i by the cover ratio r_i of the
player's conditions: still a product game, and the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pellucid.shapley.additivity import FLOAT32, FLOAT64, hold_to_margins
from pellucid.shapley.errors import ShapleyError
from pellucid.shapley.groups import POINT_WEIGHTS, POINTS, SHARES, Groups, build_groups
from pellucid.shapley.margins import as_block, ensemble_margins
from pellucid.shapley.paths import Paths, find_paths, path_base, path_ratios
from pellucid.shapley.players import Players, resolve_players
from pellucid.shapley.readers import hold_reader, read_ensemble
from pellucid.shapley.rows import check_rows, check_weights, known_columns
from pellucid.shapley.slopes import Slopes, add_slopes, find_slopes
from pellucid.shapley.trees import TreeEnsemble

Game = Literal["interventional", "path-dependent"]
_BLOCK = 1024  # rows that go through a tree together while all tables stay in cache
_LONG_BLOCK = 8192
_CACHE = 8 * 2**20
_HELD = 100  # background rows whose margins are held to those of the library
_SUMS = 16 * 2**20  # bytes of a block's sums that stay near
_NO_TWINS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class TreeTables:
    """Exact Shapley values of a tree ensemble, ready to look up."""

    ensemble: TreeEnsemble
    players: Players
    paths: Paths
    groups: Groups
    base_values: np.ndarray
    n_jobs: int = 1
    slopes: Slopes | None = None

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
        rows = check_rows(X, n_columns=self.ensemble.n_columns, columns=self.players.columns)
        return ensemble_margins(self.ensemble, rows)

    def values(self, X: Any) -> np.ndarray:
        """Shapley values, (n_rows, n_players), or (n_rows, n_players, n_outputs) when several.

        Each row sums to its margin minus the base values. The bits of a row do not depend on the
        other rows, nor on ``n_jobs``.
        """
        rows = check_rows(X, n_columns=self.ensemble.n_columns, columns=self.players.columns)
        out = np.empty((len(rows), self.n_players * self.n_outputs))
        size = self.block_size(len(rows))
        starts = range(0, len(rows), size)
        if self.n_jobs > 1 and len(starts) > 1:
            with ThreadPoolExecutor(self.n_jobs) as pool:
                list(pool.map(lambda at: self._explain(rows, at, at + size, out), starts))
        else:
            for at in starts:
                self._explain(rows, at, at + size, out)
        return self.shaped(out)

    def shaped(self, out: np.ndarray) -> np.ndarray:
        """What all trees add up to, (n_rows, n_players * n_outputs), as values."""
        if self.ensemble.divisor != 1.0:
            out /= self.ensemble.divisor
        if self.n_outputs == 1:
            return out
        return out.reshape(len(out), self.n_players, self.n_outputs)

    @property
    def source(self) -> str:
        """Where the margin comes from, as messages call it."""
        return f"reader of {self.ensemble.library or 'trees'}"

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Sum of the largest numbers, without signs, that margins are sums of, (n_outputs,)."""
        return self.ensemble.magnitude

    def verify(self, values: Any, margins: Any) -> np.ndarray:
        """Hold values to the model's own margins of the same rows, row by row.

        Raises an `AdditivityError` that says which row does not add up; gives what each sum misses
        its margin by, (n_rows, n_outputs). See `pellucid.shapley.additivity.hold_to_margins`.
        """
        return hold_to_margins(
            self, values, margins, tolerance=FLOAT32 if self.ensemble.float32_sums else FLOAT64
        )

    def block_size(self, n_rows: int) -> int:
        """Rows that go through the trees together."""
        # tables that outgrow the cache come from memory once a block, and a deep leaf's patterns,
        # which are worked out once a block, repeat the more the longer it is
        if self.groups.table.nbytes < _CACHE and not len(self.groups.deep_leaf):
            return _BLOCK
        fits = _SUMS // (8 * self.n_players * self.n_outputs)
        return max(256, min(_LONG_BLOCK, fits, -(-n_rows // self.n_jobs)))

    def _explain(self, rows: np.ndarray, start: int, stop: int, out: np.ndarray) -> None:
        from pellucid.shapley import blocks, one_row

        trees = self.ensemble
        block = as_block(trees, rows[start:stop])
        if len(rows) == 1 and self.slopes is None:
            out[:] = 0.0
            level = self.level
            one_row.explain_row(
                block[:, 0], *self.nodes, *level[:17], *level[21:], self.groups.n_seen,
                self._deepest, *self._walk, out[0],
            )  # fmt: skip
            return
        sums = np.zeros((out.shape[1], block.shape[1]))
        blocks.explain_block(
            block, *self.nodes, self.level, self.level, _NO_TWINS, 1, sums, sums[:0]
        )
        if self.slopes is not None:
            add_slopes(trees, self.paths, self.slopes, block, sums)
        out[start:stop] = sums.T

    @cached_property
    def nodes(self) -> tuple[np.ndarray, ...]:
        """The trees as the kernels take them."""
        trees = self.ensemble
        return (
            trees.tree_bounds, trees.tree_output, trees.feature, trees.threshold, trees.flags,
            trees.cat_start, trees.cat_size, trees.cat_bits, trees.value,
        )  # fmt: skip

    @cached_property
    def level(self) -> tuple[Any, ...]:
        """The tables of these players as the kernels take them."""
        paths, groups = self.paths, self.groups
        return (
            groups.tree_group, groups.cond_start, groups.cond_node, groups.cond_flip,
            groups.cond_bit, groups.target_start, groups.target, groups.table_start, groups.table,
            groups.tree_deep, groups.deep_leaf, groups.deep_start, groups.patterns, groups.shares,
            groups.mask_start, groups.masks, paths.leaf_node,
            paths.cond_start, paths.cond_node, paths.cond_left, paths.cond_slot,
            paths.slot_start, paths.slot_player,
            groups.ratios, POINTS, POINT_WEIGHTS, SHARES, self.ensemble.n_outputs,
        )  # fmt: skip

    @cached_property
    def _walk(self) -> tuple[np.ndarray, ...]:
        from pellucid.shapley.walks import lay_out_walk

        walk = lay_out_walk(
            self.ensemble, self.players.of_column, self.groups.deep_of, self.groups.seen,
            deepest=self._deepest,
        )  # fmt: skip
        return (
            walk.tree_step, walk.node, walk.goes_left, walk.depth, walk.slot, walk.behind,
            walk.deep, walk.met,
        )  # fmt: skip

    @cached_property
    def _deepest(self) -> int:
        return int(np.diff(self.paths.cond_start).max(initial=0))

    def save(self, path: str | Path) -> None:
        """Write to one file; `pellucid.shapley.load` reads it."""
        from pellucid.shapley.files import save_tables

        save_tables(self, path)


def compile(
    model: Any,
    *,
    background: Any = None,
    players: Mapping[str, Sequence[Any]] | np.ndarray | Sequence[int] | None = None,
    game: Game = "interventional",
    n_jobs: int = 1,
    weights: Any = None,
    memory: int = 256 * 2**20,
) -> TreeTables:
    """Compile a fitted tree model into tables of exact Shapley values of its margin.

    Parameters
    ----------
    model : fitted model of a supported library, or a TreeEnsemble
    background : array or frame (n_background, n_columns), optional
        Rows that stand for "absent". Without rows the game is path-dependent. Frames, here and in
        ``values``, are put in the model's order by the names of their columns.
    players : None, array of int (n_columns,), or mapping of name to columns
        Columns that join a coalition together; by default each column plays for itself.
    game : {"interventional", "path-dependent"}
        Absent players follow the background rows, or the tree's own cover ratios.
    n_jobs : int
        Threads that explain blocks of rows; the bits do not depend on it.
    weights : array (n_background,), optional
        Weights of the background rows.
    memory : int
        Bytes that the tables may take; beyond it, leaves are walked instead.

    Returns
    -------
    TreeTables

    Raises
    ------
    ShapleyError
        Background, weights or players that do not fit the model.
    ReaderError
        A model that no reader knows, or whose margins of the background, as they were read, are
        not those that the library gives.

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
    columns = known_columns(background, ensemble.columns)
    who = resolve_players(players, n_columns=ensemble.n_columns, columns=columns)
    if game not in ("interventional", "path-dependent"):
        raise ShapleyError(f"unknown game {game!r}; expected 'interventional' or 'path-dependent'")
    paths, slopes = find_paths(ensemble, who.of_column), None
    if background is None or game == "path-dependent":
        if ensemble.linear is not None:
            raise ShapleyError(
                "the model has linear leaves, whose columns have no path-dependent mean; give "
                "background rows and game='interventional'"
            )
        ratios = path_ratios(ensemble, paths)
        block, shares = np.zeros((ensemble.n_columns, 0)), np.zeros(0)
        base = path_base(ensemble, paths, ratios)
    else:
        rows = check_rows(
            background, n_columns=ensemble.n_columns, columns=columns, what="background"
        )
        ratios = np.zeros(0)
        block, shares = as_block(ensemble, rows), check_weights(weights, n_rows=len(rows))
        margins = ensemble_margins(ensemble, rows)
        hold_reader(model, ensemble, rows[:_HELD], margins[:_HELD])
        base = (margins * shares[:, None]).sum(axis=0)
        if ensemble.linear is not None:
            slopes = find_slopes(
                ensemble, ensemble.linear, paths, who.of_column, block=block, weights=shares
            )
    groups = build_groups(
        ensemble, paths, who.of_column, block=block, weights=shares, ratios=ratios, memory=memory
    )
    return TreeTables(ensemble, who, paths, groups, base, n_jobs, slopes)


def load(path: str | Path) -> Any:
    """Tables from a file that ``save`` wrote.

    Raises
    ------
    TablesFileError
        A file that is missing, damaged, or of an unknown version.
    """
    from pellucid.shapley.files import load_tables

    return load_tables(path)

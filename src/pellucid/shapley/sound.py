"""Tables of a file held to each other, so that no kernel looks where an array ends.

A digest says that a file is whole, not who wrote it. Kernels follow positions without looking at
bounds, so each array of positions is held to what it points into. Paths are few and follow from the
trees: they are found again and compared. What was filled from a background that is no more (tables,
patterns, masks) can only be held to its shape; that it is true is what `verify` is for.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from pellucid.shapley.additive import AdditiveTables, BinnedTable, Term
from pellucid.shapley.errors import ReaderError, ShapleyError
from pellucid.shapley.groups import MOST_BITS, Groups
from pellucid.shapley.linear import LinearTables
from pellucid.shapley.paths import Paths, find_paths
from pellucid.shapley.players import Players
from pellucid.shapley.slopes import find_slopes
from pellucid.shapley.tables import TreeTables
from pellucid.shapley.trees import TreeEnsemble, check_ensemble

_MOST_CONDITIONS = 2**28  # on all paths together: 1.6 GB of them
_MOST_NUMBERS = 2**24  # importances of a row: 128 MB of them
_MOST_THREADS = 4096


def check_tables(tables: Any) -> None:
    """Hold what a file gave to what its class says of it.

    Raises
    ------
    ShapleyError
        What does not hold; errors of Python and NumPy where a field is of another type.
    """
    check = _CHECKS.get(type(tables))
    if check is None:
        raise ShapleyError(f"expected tables, not {type(tables).__name__}")
    check(tables)


def _hold(sound: Any, what: str) -> None:
    if not sound:
        raise ReaderError(what)


def _is(array: Any, dtype: str, *shape: int) -> bool:
    return isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == shape


def _ascends(start: Any, n: int, end: int) -> bool:
    """Whether ``start`` cuts ``end`` things into ``n`` runs; differences could overflow."""
    return (
        _is(start, "int64", n + 1)
        and bool(start[0] == 0 and start[-1] == end)
        and bool((start[1:] >= start[:-1]).all())
    )


def _owners(start: np.ndarray) -> np.ndarray:
    """Which run each of the things that ``start`` cuts is of."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def _within(positions: np.ndarray, low: Any, high: Any) -> bool:
    return bool(((positions >= low) & (positions < high)).all())


def check_trees(trees: TreeEnsemble) -> None:
    """Hold trees to what no reader's fault, but a hostile file, can break, then to the conventions.

    Raises
    ------
    ReaderError
        What does not hold.
    """
    who, linear, n_nodes = "the file's trees", trees.linear, trees.n_nodes
    counts = (trees.n_columns, trees.n_outputs)
    _hold(all(type(n) is int and n >= 0 for n in counts), f"{who} have no counts of columns")
    _hold(type(trees.float32) is type(trees.float32_sums) is bool, f"{who} have no precision")
    _hold(type(trees.divisor) is float and 0 < trees.divisor < np.inf, f"{who} have no divisor")
    _hold(type(trees.library) is str, f"{who} come from no library")
    if linear is not None:
        n_terms = len(linear.column)
        _hold(
            _ascends(linear.start, n_nodes, n_terms)
            and _is(linear.column, "int32", n_terms)
            and _is(linear.coef, "float64", n_terms)
            and _is(linear.const, "float64", n_nodes)
            and np.isfinite(linear.coef).all()
            and np.isfinite(linear.const).all(),
            f"{who} have linear leaves that do not fit the nodes",
        )
    roots = trees.roots
    _hold((roots[1:] > roots[:-1]).all(), f"the roots do not cut {who} into trees")
    # sums of these with a width could overflow
    _hold(_within(trees.tree_output, 0, trees.n_outputs), f"{who} add to outputs beyond their own")
    check_ensemble(trees)
    _hold(_are_names(trees.columns, trees.n_columns), f"{who} have other columns than names")
    below = 2 * int((trees.feature >= 0).sum())
    _hold(below + trees.n_trees == n_nodes, f"{who} have nodes that no split leads to")
    _count_conditions(trees)


def _count_conditions(trees: TreeEnsemble) -> int:
    from pellucid.shapley import kernels

    _, found, _ = kernels.count_paths(trees.roots, trees.feature, trees.left, trees.right)
    _hold(found <= _MOST_CONDITIONS, f"the trees have {found} conditions on their paths")
    return int(found)


def _are_names(names: Any, n: int) -> bool:
    texts = type(names) is tuple and len(names) == n and all(type(name) is str for name in names)
    return names is None or texts


def _check_players(players: Any, n_columns: int, n_outputs: int) -> None:
    _hold(
        isinstance(players, Players)
        and type(players.n) is int
        and 0 <= players.n * n_outputs <= _MOST_NUMBERS
        and _is(players.of_column, "int32", n_columns)
        and _within(players.of_column, 0, players.n)
        and _are_names(players.names, players.n)
        and _are_names(players.columns, n_columns),
        "the players do not fit the columns",
    )


def _check_tree_tables(tables: TreeTables) -> None:
    trees, players, groups, slopes = tables.ensemble, tables.players, tables.groups, tables.slopes
    _hold(isinstance(trees, TreeEnsemble) and isinstance(groups, Groups), "parts are not trees")
    check_trees(trees)
    _check_players(players, trees.n_columns, trees.n_outputs)
    _hold(isinstance(tables.paths, Paths), "the paths are something else")
    _hold(len(tables.paths.cond_node) == _count_conditions(trees), "paths of other trees")
    found = find_paths(trees, players.of_column)
    _hold(_same(tables.paths, found), "the paths are not those of the trees")
    _check_groups(groups, trees, found, players.n * trees.n_outputs)
    base = tables.base_values
    _hold(
        _is(base, "float64", trees.n_outputs) and np.isfinite(base).all(),
        "the base values do not fit the outputs",
    )
    _hold(type(tables.n_jobs) is int and 1 <= tables.n_jobs <= _MOST_THREADS, "n_jobs is no count")
    _hold(
        (slopes is None) == (trees.linear is None), "slopes without linear leaves, or the reverse"
    )
    if slopes is not None and trees.linear is not None:
        nobody = np.zeros((trees.n_columns, 0))
        own = find_slopes(
            trees, trees.linear, found, players.of_column, block=nobody, weights=np.zeros(0)
        )
        n = len(slopes.weights)
        _hold(
            _same(slopes, own, "leaf", "slot_start", "slot_player", "column_slot")
            and _is(slopes.patterns, "uint64", len(own.leaf), n)
            and _is(slopes.background, "float64", trees.n_columns, n)
            and _is(slopes.weights, "float64", n),
            "the slopes are not those of the linear leaves",
        )


def _same(one: Any, other: Any, *names: str) -> bool:
    """Whether two hold the same arrays, by dtype and by number, in the fields of these names."""
    pairs = [
        (getattr(one, name), getattr(other, name))
        for name in names or [field.name for field in fields(other)]
    ]
    return all(_is(a, b.dtype.str, *b.shape) and np.array_equal(a, b) for a, b in pairs)


def _check_groups(groups: Groups, trees: TreeEnsemble, paths: Paths, n_numbers: int) -> None:
    """Hold tables of groups to their trees: `Groups` says what each array is."""
    n_groups, n_deep, n_nodes = len(groups.cond_start) - 1, len(groups.deep_leaf), trees.n_nodes
    n_conds, n_patterns = len(groups.cond_node), len(groups.patterns)
    _hold(
        _ascends(groups.tree_group, trees.n_trees, n_groups)
        and _ascends(groups.cond_start, n_groups, n_conds)
        and _is(groups.cond_node, "int32", n_conds)
        and _is(groups.cond_flip, "uint8", n_conds)
        and _is(groups.cond_bit, "uint8", n_conds)
        and _ascends(groups.target_start, n_groups, len(groups.target))
        and _is(groups.target, "int32", len(groups.target))
        and _is(groups.table_start, "int64", n_groups + 1)
        and _is(groups.table, "float64", len(groups.table))
        and np.isfinite(groups.table).all()
        and _within(groups.target, 0, n_numbers),
        "the groups do not fit the trees",
    )
    bounds, tree_of = trees.tree_bounds, _owners(groups.tree_group)
    group_of = _owners(groups.cond_start)
    tree_of_cond = tree_of[group_of]
    bits = np.zeros(n_groups, dtype=np.int64)  # of each group's pattern
    np.maximum.at(bits, group_of, groups.cond_bit.astype(np.int64) + 1)
    sizes = np.diff(groups.target_start) << np.minimum(bits, MOST_BITS)
    _hold(
        _within(groups.cond_node, bounds[tree_of_cond], bounds[tree_of_cond + 1])
        and (trees.feature[groups.cond_node] >= 0).all()
        and _within(groups.cond_flip, 0, 2)
        and _within(bits, 0, MOST_BITS + 1)
        and _within(groups.table_start[:-1], 0, len(groups.table) - sizes + 1),
        "a group asks a node, or reads a row, that is not its own",
    )
    _hold(
        _ascends(groups.tree_deep, trees.n_trees, n_deep)
        and _is(groups.deep_leaf, "int64", n_deep)
        and _ascends(groups.deep_start, n_deep, n_patterns)
        and _is(groups.patterns, "uint64", n_patterns)
        and _is(groups.shares, "float64", n_patterns)
        and np.isfinite(groups.shares).all()
        and _ascends(groups.mask_start, n_deep, len(groups.masks))
        and _is(groups.masks, "uint64", len(groups.masks))
        and _is(groups.deep_of, "int32", n_nodes),
        "the deep leaves do not fit the trees",
    )
    leaf, n_slots = groups.deep_leaf, np.diff(paths.slot_start)
    tree_of_deep = _owners(groups.tree_deep)
    own = _within(leaf, paths.tree_leaf[tree_of_deep], paths.tree_leaf[tree_of_deep + 1])
    _hold(own, "a deep leaf is not its tree's")
    words = (np.diff(groups.deep_start) + 63) // 64
    deep = groups.deep_of >= 0
    _hold(
        np.array_equal(np.diff(groups.mask_start), n_slots[leaf] * words)
        and int(deep.sum()) == n_deep
        and np.array_equal(groups.deep_of[paths.leaf_node[leaf]], np.arange(n_deep))
        and _end_well(groups.deep_of, trees),
        "the deep leaves are not where the nodes say",
    )
    n_seen, n_ratios = groups.n_seen, len(groups.ratios)
    _hold(
        type(n_seen) is int
        and (n_seen >= 0 if n_deep else n_seen == 0)
        and _is(groups.seen, "uint64", n_nodes * -(-n_seen // 64))
        and n_ratios in (0, len(paths.slot_player))
        and _is(groups.ratios, "float64", n_ratios)
        and np.isfinite(groups.ratios).all(),
        "what deep leaves are held against does not fit them",
    )


def _end_well(deep_of: np.ndarray, trees: TreeEnsemble) -> bool:
    """Whether each way down from a root comes to a group or to a deep leaf."""
    from pellucid.shapley.planning import INNER

    at = trees.roots
    while len(at):
        at = at[deep_of[at] == INNER]
        if (trees.feature[at] < 0).any():
            return False
        at = np.concatenate([trees.left[at], trees.right[at]])
    return True


def _check_linear(tables: LinearTables) -> None:
    n_outputs, n_columns = len(tables.intercept), len(tables.mean)
    parts = (tables.coef, tables.intercept, tables.mean, tables.fill)
    shapes = ((n_outputs, n_columns), (n_outputs,), (n_columns,), (n_columns,))
    _hold(
        all(_is(a, "float64", *n) and np.isfinite(a).all() for a, n in zip(parts, shapes)),
        "the coefficients do not fit the columns",
    )
    _check_players(tables.players, n_columns, n_outputs)


def _check_additive(tables: AdditiveTables) -> None:
    n_outputs, (n_background, n_columns) = len(tables.intercept), tables.background.shape
    _check_players(tables.players, n_columns, n_outputs)
    _hold(
        type(tables.terms) is tuple
        and n_background > 0
        and tables.background.dtype in (np.float32, np.float64)
        and _is(tables.intercept, "float64", n_outputs)
        and _is(tables.means, "float64", len(tables.terms), n_outputs)
        and _is(tables.weights, "float64", n_background),
        "the background or the means do not fit the terms",
    )
    for term in tables.terms:
        binned = isinstance(term, Term) and term.function
        _hold(
            isinstance(binned, BinnedTable)
            and type(term.columns) is type(binned.cuts) is tuple
            and len(term.columns) == len(binned.cuts)
            and len(binned.cuts) in (1, 2)
            and all(type(n) is int and 0 <= n < n_columns for n in term.columns)
            and all(_is(cuts, "float64", len(cuts)) for cuts in binned.cuts)
            and all((cuts[1:] >= cuts[:-1]).all() for cuts in binned.cuts)
            and binned.table.dtype == np.float64
            and binned.table.shape[len(binned.cuts) :] in ((), (1,), (n_outputs,)),
            "a term does not fit the columns",
        )


_CHECKS: dict[type, Any] = {
    TreeTables: _check_tree_tables,
    TreeEnsemble: check_trees,
    LinearTables: _check_linear,
    AdditiveTables: _check_additive,
}

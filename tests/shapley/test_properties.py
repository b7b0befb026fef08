"""What makes Shapley values Shapley values, on random trees of the array form itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import shapley
from pellucid.shapley.trees import (
    CATEGORICAL,
    MISSING_LEFT,
    UNKNOWN_LEFT,
    ZERO_MISSING,
    TreeArrays,
    join_trees,
)

from .oracle import brute_force, shapley_from_worth

GRID = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])  # rows and thresholds meet often
SMALL = 2000  # bytes: most leaves are walked instead of tabulated


def random_tree(rng, n_columns, depth, width, output):
    """One tree with every kind of node; children come after their parents."""
    nodes = [[]]
    feature, threshold, flags, left, right, bits = [], [], [], [], [], []
    level = [0]
    queue = [0]
    while queue:
        node = queue.pop(0)
        at = level[node]
        if at < depth and rng.random() < 0.85:
            kind = rng.choice(
                [0, MISSING_LEFT, ZERO_MISSING, ZERO_MISSING | MISSING_LEFT, CATEGORICAL]
            )
            if kind == CATEGORICAL:
                kind |= rng.choice([0, MISSING_LEFT]) | rng.choice([0, UNKNOWN_LEFT])
            nodes += [[], []]
            level += [at + 1, at + 1]
            queue += [len(nodes) - 2, len(nodes) - 1]
            feature.append(rng.integers(n_columns))
            left.append(len(nodes) - 2)
            right.append(len(nodes) - 1)
        else:
            kind = 0
            feature.append(-1)
            left.append(-1)
            right.append(-1)
        flags.append(kind)
        threshold.append(rng.choice(GRID))
        words = rng.integers(0, 2**3, size=1) if kind & CATEGORICAL else np.zeros(0)
        bits.append(words.astype(np.uint32))
    n = len(feature)
    leaves = np.array(feature) < 0
    cover = np.where(leaves, rng.integers(1, 9, size=n), 0.0)
    for node in range(n - 1, -1, -1):
        if not leaves[node]:
            cover[node] = cover[left[node]] + cover[right[node]]
    value = rng.normal(size=(n, width)) * leaves[:, None]
    columns = (feature, threshold, flags, left, right, cover, value)
    return TreeArrays(*(np.array(c) for c in columns), output=output, cat_bits=bits)


def random_model(seed, n_columns=4, n_outputs=1, vector=False, n_trees=3, depth=4):
    rng = np.random.default_rng(seed)
    width = n_outputs if vector else 1
    trees = [
        random_tree(rng, n_columns, depth, width, 0 if vector else t % n_outputs)
        for t in range(n_trees)
    ]
    return join_trees(
        trees, n_columns=n_columns, n_outputs=n_outputs, float32=False,
        intercept=rng.normal(size=n_outputs), divisor=rng.choice([1.0, 3.0]),
    )  # fmt: skip


def random_rows(seed, n_rows, n_columns=4):
    rng = np.random.default_rng(seed + 1)
    X = rng.choice(np.append(GRID, [7.0, 40.0, np.inf]), size=(n_rows, n_columns))
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def cube(tables, X):
    return tables.values(X).reshape(len(X), tables.n_players, tables.n_outputs)


def margins_of(model):
    tables = shapley.compile(model, background=np.zeros((1, model.n_columns)))
    return tables.margins


models = st.builds(
    random_model,
    st.integers(0, 10**6),
    n_outputs=st.integers(1, 3),
    vector=st.booleans(),
    depth=st.integers(0, 6),
)
backgrounds = st.tuples(st.integers(0, 10**6), st.integers(1, 90))
players = st.sampled_from([np.arange(4), np.array([0, 1, 0, 1]), np.array([1, 0, 2, 2])])
memories = st.sampled_from([1, SMALL, 2**28])
games = st.sampled_from(["interventional", "path-dependent"])
each = settings(max_examples=60, deadline=None)


@each
@given(models, backgrounds, players, memories)
def test_interventional_values_equal_their_definition(model, background, who, memory):
    rows = random_rows(*background)
    X = random_rows(background[0] + 7, 3)
    tables = shapley.compile(model, background=rows, players=who, memory=memory)
    expected = brute_force(margins_of(model), X, rows, who)
    np.testing.assert_allclose(cube(tables, X), expected, rtol=1e-9, atol=1e-12)


def expectation(model, x, joined):
    """The model's mean when players outside ``joined`` take branches by cover, by recursion."""
    import pellucid.shapley.tables as module

    single = module.ensemble_margins
    total = model.intercept.copy()
    for tree, root in enumerate(model.roots):
        stack = [(root, 1.0)]
        while stack:
            node, share = stack.pop()
            if model.feature[node] < 0:
                j = model.tree_output[tree]
                total[j : j + model.value.shape[1]] += share * model.value[node]
                continue
            both = model.left[node], model.right[node]
            if joined[model.feature[node]]:
                # ask the node itself: a copy of the model that holds this split only
                flags = [model.flags[node], 0, 0]
                words = model.cat_bits[model.cat_start[node] :][: model.cat_size[node]]
                stump = join_trees(
                    [
                        TreeArrays(
                            np.array([model.feature[node], -1, -1]),
                            np.array([model.threshold[node], 0, 0]), np.array(flags),
                            np.array([1, -1, -1]), np.array([2, -1, -1]), np.ones(3),
                            np.array([0.0, 1.0, 0.0]), cat_bits=[words, words[:0], words[:0]],
                        )
                    ],
                    n_columns=model.n_columns, n_outputs=1, float32=False,
                )  # fmt: skip
                goes_left = single(stump, x[None])[0, 0] == 1.0
                stack.append((both[0] if goes_left else both[1], share))
            else:
                whole = model.cover[both[0]] + model.cover[both[1]]
                stack += [(child, share * model.cover[child] / whole) for child in both]
    return total / model.divisor


@settings(max_examples=25, deadline=None)
@given(models, st.integers(0, 10**6), players, memories)
def test_path_dependent_values_equal_their_definition(model, seed, who, memory):
    X = random_rows(seed, 2)
    tables = shapley.compile(model, game="path-dependent", players=who, memory=memory)
    n = who.max() + 1
    for x, values in zip(X, cube(tables, X)):
        worth = [expectation(model, x, (mask >> who & 1).astype(bool)) for mask in range(2**n)]
        expected = shapley_from_worth(np.array(worth), n)
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(tables.base_values, worth[0], rtol=1e-9, atol=1e-12)


@each
@given(models, backgrounds, players, memories, games)
def test_efficiency(model, background, who, memory, game):
    rows, X = random_rows(*background), random_rows(background[0] + 7, 5)
    tables = shapley.compile(model, background=rows, players=who, memory=memory, game=game)
    total = cube(tables, X).sum(axis=1) + tables.base_values
    np.testing.assert_allclose(total, tables.margins(X), rtol=1e-9, atol=1e-11)


@each
@given(models, backgrounds, memories, games)
def test_dummy_a_column_that_no_split_tests_gets_zero(model, background, memory, game):
    wider = replace(model, n_columns=5)
    rows, X = random_rows(*background, 5), random_rows(background[0] + 7, 5, 5)
    tables = shapley.compile(wider, background=rows, memory=memory, game=game)
    assert (cube(tables, X)[:, 4] == 0.0).all()


@each
@given(models, backgrounds, memories, games)
def test_symmetry_columns_that_trade_places_trade_values(model, background, memory, game):
    swap = np.array([1, 0, 2, 3])
    feature = np.where(model.feature < 0, -1, swap[model.feature])
    rows, X = random_rows(*background), random_rows(background[0] + 7, 5)
    one = shapley.compile(model, background=rows, memory=memory, game=game)
    swapped = replace(model, feature=feature.astype(np.int32))
    other = shapley.compile(swapped, background=rows[:, swap], memory=memory, game=game)
    np.testing.assert_allclose(
        cube(one, X)[:, swap], cube(other, X[:, swap]), rtol=1e-9, atol=1e-12
    )


@each
@given(st.integers(0, 10**6), backgrounds, memories, games)
def test_linearity_over_the_ensemble(seed, background, memory, game):
    rng = np.random.default_rng(seed)
    trees = [random_tree(rng, 4, 4, 1, 0) for _ in range(4)]
    rows, X = random_rows(*background), random_rows(background[0] + 7, 5)

    def values(part):
        model = join_trees(part, n_columns=4, n_outputs=1, float32=False)
        return shapley.compile(model, background=rows, memory=memory, game=game).values(X)

    whole = values(trees)
    np.testing.assert_allclose(whole, values(trees[:1]) + values(trees[1:]), rtol=1e-9, atol=1e-12)


@each
@given(models, backgrounds, memories, games, st.integers(0, 10**6))
def test_rows_do_not_know_of_each_other(model, background, memory, game, seed):
    rows, X = random_rows(*background), random_rows(background[0] + 7, 70)
    tables = shapley.compile(model, background=rows, memory=memory, game=game)
    whole = tables.values(X)
    order = np.random.default_rng(seed).permutation(len(X))
    assert np.array_equal(tables.values(X[order]), whole[order])
    assert np.array_equal(tables.values(X[:1])[0], whole[0])
    assert np.array_equal(tables.values(X[3:9]), whole[3:9])


@each
@given(models, backgrounds, memories, games)
def test_the_only_player_gets_all_that_is_beyond_the_base_value(model, background, memory, game):
    rows, X = random_rows(*background), random_rows(background[0] + 7, 5)
    tables = shapley.compile(model, background=rows, players=[0] * 4, memory=memory, game=game)
    beyond = tables.margins(X) - tables.base_values
    np.testing.assert_allclose(cube(tables, X)[:, 0], beyond, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("game", ["interventional", "path-dependent"])
@pytest.mark.parametrize("memory", [1, SMALL, 2**28])
def test_threads_do_not_change_a_bit(memory, game):
    """More rows than a block of any size, so that threads have work."""
    model = random_model(2, n_outputs=2, n_trees=3, depth=5)
    rows, X = random_rows(0, 40), random_rows(5, 20_000)
    one, two, four = (
        shapley.compile(model, background=rows, memory=memory, game=game, n_jobs=n_jobs).values(X)
        for n_jobs in (1, 2, 4)
    )
    assert np.array_equal(one, two)
    assert np.array_equal(one, four)


@each
@given(models, backgrounds, memories, games)
def test_precision_of_rows_and_no_rows(model, background, memory, game):
    rows, X = random_rows(*background), random_rows(background[0] + 7, 9)
    tables = shapley.compile(model, background=rows, memory=memory, game=game)
    short = shapley.compile(model, background=rows.astype(np.float32), memory=memory, game=game)
    for size in (9, 1):  # GRID is exact in both precisions
        expected = tables.values(X[:size])
        assert np.array_equal(tables.values(X[:size].astype(np.float32)), expected)
        assert np.array_equal(short.values(X[:size]), expected)
    assert tables.values(X[:0]).shape == (0, *expected.shape[1:])
    assert tables.verify(tables.values(X[:0]), tables.margins(X[:0])).size == 0


@each
@given(models, backgrounds)
def test_memory_and_order_of_the_background_do_not_change_values(model, background):
    rows, X = random_rows(*background), random_rows(background[0] + 7, 9)
    large = shapley.compile(model, background=rows)
    walked = shapley.compile(model, background=rows[::-1], memory=1)
    assert len(walked.groups.table) == 0
    np.testing.assert_allclose(large.values(X), walked.values(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("memory", [1, SMALL, 2**28])
def test_tables_stay_under_the_cap(memory):
    model = random_model(0, n_columns=12, n_trees=20, depth=9)
    tables = shapley.compile(model, background=random_rows(0, 30, 12), memory=memory)
    assert tables.groups.table.nbytes <= memory


def test_deep_trees_equal_their_definition():
    model = random_model(1, n_columns=10, n_trees=4, depth=14)
    rows, X = random_rows(0, 80, 10), random_rows(5, 2, 10)
    for memory in (1, 10**5, 2**28):
        tables = shapley.compile(model, background=rows, memory=memory)
        expected = brute_force(tables.margins, X, rows, np.arange(10))
        np.testing.assert_allclose(cube(tables, X), expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("game", ["interventional", "path-dependent"])
def test_grouped_players_equal_merged_columns(game):
    """Two one-hot columns of one code, as one player, are the code itself."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, size=(50, 1)).astype(float)
    other = rng.normal(size=(50, 1))
    wide = np.hstack([codes == 0, codes == 1, other])
    leaf = {"flags": np.zeros(5), "cover": np.array([9.0, 3, 6, 2, 4])}
    shape = {"left": np.array([1, -1, 3, -1, -1]), "right": np.array([2, -1, 4, -1, -1])}
    value = np.array([0.0, 1.5, 0, -2.0, 0.7])
    on_wide = TreeArrays(
        feature=np.array([1, -1, 2, -1, -1]), threshold=np.array([0.5, 0, 0.0, 0, 0]), value=value,
        **shape, **leaf,
    )  # fmt: skip
    codes_bits = [np.array([0b101], np.uint32)] + [np.zeros(0, np.uint32)] * 4
    flags = np.array([CATEGORICAL, 0, 0, 0, 0])
    on_code = replace(
        on_wide, feature=np.array([0, -1, 1, -1, -1]), flags=flags, cat_bits=codes_bits
    )
    grouped = shapley.compile(
        join_trees([on_wide], n_columns=3, n_outputs=1, float32=False),
        background=wide[:20], players=[0, 0, 1], game=game,
    )  # fmt: skip
    merged = shapley.compile(
        join_trees([on_code], n_columns=2, n_outputs=1, float32=False),
        background=np.hstack([codes, other])[:20], game=game,
    )  # fmt: skip
    both = np.hstack([codes, other])
    np.testing.assert_allclose(grouped.values(wide), merged.values(both), rtol=1e-12, atol=1e-15)


def test_rows_are_rounded_where_the_library_compares_in_float32():
    below = np.nextafter(np.float32(0.1), np.float32(0))
    stump = TreeArrays(
        feature=np.array([0, -1, -1]), threshold=np.array([float(below), 0, 0]), flags=np.zeros(3),
        left=np.array([1, -1, -1]), right=np.array([2, -1, -1]), cover=np.array([2.0, 1, 1]),
        value=np.array([0.0, 1.0, 2.0]),
    )  # fmt: skip
    model = join_trees([stump], n_columns=1, n_outputs=1, float32=True)
    tables = shapley.compile(model, background=np.zeros((1, 1)))
    inside = np.array([[float(below) + 1e-12], [0.1]])  # the first rounds to the threshold
    assert tables.margins(inside)[:, 0].tolist() == [1.0, 2.0]
    assert tables.values(inside)[:, 0].tolist() == [0.0, 1.0]

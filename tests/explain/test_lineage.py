"""Lineages compose, and say of each output whose it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import pellucid
from pellucid.explain.cut import difference, mix
from pellucid.explain.lineage import identity, of_pairs, placed, side_by_side
from pellucid.explain.probing import probe

NAMES = tuple("abcde")


def relations(n_inputs, n_outputs):
    cell = st.tuples(st.integers(0, n_inputs - 1), st.integers(0, n_outputs - 1))
    return st.sets(cell, max_size=n_inputs * n_outputs).map(sorted)


@given(relations(5, 4), relations(4, 3), st.lists(st.integers(0, 2), min_size=5, max_size=5))
@settings(deadline=None)
def test_composition_and_groups_are_those_of_the_relation(first, second, player_of):
    middle, end = tuple("uvwx"), tuple("XYZ")
    both = of_pairs(NAMES, middle, first).then(of_pairs(middle, end, second))
    truth = {(i, k) for i, j in first for jj, k in second if j == jj}
    assert {(int(i), int(k)) for i, k in zip(*both.parents.nonzero())} == truth
    players = np.array(player_of)
    for output, group in enumerate(both.groups(players)):
        owners = {int(players[i]) for i, k in truth if k == output}
        expected = 0 if not owners else (owners.pop() if len(owners) == 1 else -1)
        assert group == expected


def test_parts_lie_side_by_side():
    left = placed(of_pairs(("a",), ("a1", "a2"), [(0, 0), (0, 1)]), NAMES, [0])
    right = placed(identity(("d", "b")), NAMES, [3, 1])
    joined = side_by_side([left, right], NAMES)
    assert joined.outputs == ("a1", "a2", "d", "b")
    assert [joined.parents_of(i) for i in range(4)] == [("a",), ("a",), ("d",), ("b",)]
    assert side_by_side([], NAMES).parents.shape == (5, 0)


@given(st.integers(0, 2**15 - 1), st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_probing_finds_the_columns_of_a_linear_map(bits, seed):
    weights = np.array([bits >> k & 1 for k in range(15)]).reshape(5, 3)
    rows = np.random.default_rng(seed).normal(size=(12, 5))
    found = probe(lambda X: X @ weights, rows)
    assert sorted(found) == sorted(zip(*(at.tolist() for at in np.nonzero(weights))))
    as_sparse = probe(lambda X: sparse.csr_matrix(X @ weights), sparse.csr_matrix(rows))
    assert sorted(as_sparse) == sorted(found)


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_rows_are_mixed_alike_in_every_form(follow):
    chosen = np.array(follow).reshape(3, 2)
    x, z = np.arange(6.0).reshape(3, 2), -np.arange(1.0, 7.0).reshape(3, 2)
    truth = np.where(chosen, x, z)
    np.testing.assert_array_equal(mix(x, z, chosen), truth)
    frame = mix(pd.DataFrame(x, columns=["a", "b"]), pd.DataFrame(z, columns=["a", "b"]), chosen)
    np.testing.assert_array_equal(frame.to_numpy(), truth)
    matrix = mix(sparse.csr_matrix(x), sparse.csr_matrix(z), chosen)
    np.testing.assert_array_equal(matrix.toarray(), truth)
    column = mix(pd.Series(x[:, 0]), pd.Series(z[:, 0]), chosen[:, :1])
    np.testing.assert_array_equal(column, truth[:, 0])


def test_differences_see_gaps_and_words():
    gap = np.array([[1.0, np.nan]])
    assert difference(gap, gap) == 0.0
    assert difference(gap, np.array([[1.0, 2.0]])) == np.inf
    assert difference(np.array([[3.0]]), np.array([[1.0]])) == 1.0
    words = pd.DataFrame({"a": ["x", None]})
    assert difference(words, words) == 0.0
    assert difference(words, pd.DataFrame({"a": ["x", "y"]})) == np.inf


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=4),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.integers(0, 5),
)
@settings(deadline=None, max_examples=25)
def test_parts_of_an_additive_function_are_its_importances(slopes, group_of, seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(12, 4)), columns=list("abcd"))
    groups = {str(g): [c for c, k in zip(X, group_of) if k == g] for g in sorted(set(group_of))}

    def add_up(frame):
        return sum(w * np.abs(frame[c]) for w, c in zip(slopes, "abcd"))

    found = pellucid.explain(add_up, X[:3], background=X[3:], players=groups)
    for player, (_, columns) in enumerate(groups.items()):
        part = sum(w * np.abs(X[c]) for w, c in zip(slopes, "abcd") if c in columns)
        truth = part[:3] - part[3:].mean()
        np.testing.assert_allclose(found.values[:, player], truth, atol=1e-9)

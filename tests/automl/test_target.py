"""Targets of any type become codes or values; what cannot be learned is said at once."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pellucid.automl.target import TargetError, encode, guess_kind, read_classes, read_values


@pytest.mark.filterwarnings("ignore:A column-vector y")
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["no", "yes", "no"], ["no", "yes"]),
        ([3, 1, 3], [1, 3]),
        ([True, False, True], [False, True]),
        (pd.Categorical(["b", "a", "b"]), ["a", "b"]),
        (pl.Series(["b", "a", "b"]), ["a", "b"]),
        (pd.Series([1.0, 2.0, 1.0], index=[7, 8, 9]), [1.0, 2.0]),
        (np.array([["x"], ["y"], ["x"]]), ["x", "y"]),
    ],
)
def test_labels_keep_their_type_and_order(labels, classes):
    target = read_classes(labels, n_rows=3)
    assert target.classes.tolist() == classes
    flat = np.asarray(labels).ravel().tolist()
    assert target.classes[target.y].tolist() == flat
    assert target.problem.task == "binary"


def test_rows_without_a_target_are_marked():
    target = read_classes(["a", None, "b"], n_rows=3)
    assert target.known.tolist() == [True, False, True]
    assert target.y.tolist() == [0, 1]
    values = read_values(pd.Series([1.0, np.nan, 3.0]), n_rows=3)
    assert values.y.tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("read", "y", "message"),
    [
        (read_classes, ["a", "a", "a"], "single class, 'a'"),
        (read_classes, [None, None, "a"], "known in 1 of 3 rows"),
        (read_classes, ["a", "b"], "X has 3 rows but y has 2"),
        (read_classes, [1, "b", 2], "mixes labels of types int, str"),
        (read_classes, [[1, 2], [3, 4], [5, 6]], "one column, not of shape"),
        (read_classes, None, "needs a target"),
        (read_classes, [1.0, np.inf, 2.0], "infinite"),
        (read_values, ["1", "x", "3"], "must be numeric for regression, but has 'x'"),
        (read_values, [1.0, 1.0, 1.0], "is 1.0 in every row"),
        (read_values, [1.0, np.inf, 2.0], "infinite"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(read, y, message):
    with pytest.raises(TargetError, match=message):
        read(y, n_rows=3)


def test_a_continuous_target_is_no_class():
    y = np.random.default_rng(0).normal(size=100)
    with pytest.raises(TargetError, match=r"continuous .* use AutoMLRegressor"):
        read_classes(y, n_rows=100)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, 1, 0], "classification"),
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        (list(range(100)), "regression"),
        ([0.1, 0.2, 0.7], "regression"),
    ],
)
def test_the_kind_of_target_is_guessed(values, kind):
    assert guess_kind(pd.Series(values)) == kind


def test_test_rows_are_read_in_the_terms_of_the_training():
    target = read_classes(["no", "yes"], n_rows=2)
    codes, known = encode(["yes", None, "no"], target, n_rows=3)
    assert codes[known].tolist() == [1, 0]
    with pytest.raises(TargetError, match="has 'maybe', which the training rows have not"):
        encode(["yes", "maybe"], target, n_rows=2)

"""Importances in probability space: those of explain, at a cost that has an end."""

import time

import numpy as np
import pandas as pd
import pytest

from pellucid import explain
from pellucid.serve.errors import RequestError
from pellucid.serve.formats import Asked
from pellucid.serve.options import Options
from pellucid.serve.scorer import Scorer
from pellucid.serve.spaces import MOST, score_in_space


@pytest.fixture(scope="module")
def scorer(clf):
    return Scorer(clf.predictor_)


def ask(scorer, rows, *, until=None, end=np.inf, **options):
    asked = Asked(rows, len(rows), range(len(rows)))
    options = Options(space="probability", **options)
    return score_in_space(scorer, asked, options, until=until, end=end)


def test_the_bits_are_those_of_explain(scorer, clf, people):
    scores = ask(scorer, people[:3])
    for level in ("raw", "engineered"):
        found = explain(clf, people[:3], players=level, space="probability")
        told = scores.levels[level]
        np.testing.assert_array_equal(told.values, found.values)
        np.testing.assert_array_equal(told.base_values, found.base_values)
        assert told.names == found.feature_names
        errors = found.standard_errors
        assert told.standard_error == (None if errors is None else errors.max())
        assert told.method == found.method


def test_more_rows_than_are_answered_in_time_are_refused_with_how_many_are_not(scorer, people):
    many = pd.concat([people] * 50, ignore_index=True)
    with pytest.raises(RequestError, match=r"send at most \d+ rows") as refused:
        ask(scorer, many)
    assert (refused.value.status, refused.value.code) == (413, "too_many_rows")
    most = int(str(refused.value).partition("at most ")[2].split()[0])
    each = int(str(refused.value).partition("up to ")[2].split()[0].replace(",", ""))
    assert most * each <= MOST < (most + 1) * each
    assert ask(scorer, many, above=2.0).explained.sum() == 0


def test_no_row_is_begun_after_the_end(scorer, people):
    with pytest.raises(RequestError) as refused:
        ask(scorer, people, end=time.perf_counter())
    assert (refused.value.status, refused.value.code) == (503, "deadline")
    late = ask(scorer, people, until=time.perf_counter())
    assert not late.levels
    assert sum("left out" in note for note in late.notes) == 2

"""The models of all folds are shipped where their average errs less and nothing forbids it."""

import numpy as np
import pytest

from pellucid.automl.options import Options
from pellucid.models.problem import Problem
from pellucid.search.folds import FEW_ROWS, fixed_fold, holdout, random_folds, time_folds
from pellucid.search.metrics import get_metric
from pellucid.search.trials import DataRef

BINARY, VALUES = Problem("binary", 2), Problem("regression")


def divided(n_rows, problem, folder, kind="random"):
    y = np.arange(n_rows) % 2
    folds = {
        "random": lambda: random_folds(y, problem, n_folds=5, seed=0),
        "holdout": lambda: holdout(y, problem, share=0.2, seed=0),
        "time": lambda: time_folds(np.arange(n_rows), n_folds=5),
        "fixed": lambda: fixed_fold(n_rows - 50, 50),
    }[kind]()
    return DataRef.write(folder, np.zeros((n_rows, 1), np.float32), y, folds, problem)


@pytest.mark.parametrize(
    ("n_rows", "problem", "kind", "options", "is_bagged"),
    [
        (FEW_ROWS - 1, BINARY, "random", {}, True),
        (FEW_ROWS, BINARY, "random", {}, False),
        (FEW_ROWS, BINARY, "random", {"refit": False}, True),
        (300, BINARY, "random", {"refit": True}, False),
        (300, BINARY, "random", {"latency_budget_ms": 5.0}, False),
        (300, BINARY, "random", {"whole_share": 0.2}, False),
        (300, BINARY, "holdout", {}, False),
        (300, BINARY, "time", {}, False),
        (300, BINARY, "fixed", {}, False),
        (300, VALUES, "random", {}, False),
    ],
)
def test_what_is_shipped_by_fold(tmp_path, n_rows, problem, kind, options, is_bagged):
    asked = Options(metric=get_metric(None, problem), **options)
    assert asked.is_bagged(divided(n_rows, problem, tmp_path, kind)) is is_bagged

"""What tests of explanations share: a table of all kinds, and Shapley values by definition."""

import numpy as np
import pandas as pd
import pytest
from tests.shapley.oracle import shapley_from_worth


@pytest.fixture(scope="session")
def people():
    """300 rows of numbers, words and gaps, and the odds of something, by an interaction."""
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n).round(1),
            "income": rng.exponential(1.0, n),
            "job": rng.choice(list("abcd"), n),
            "city": rng.choice(["Oslo", "Rome"], n),
        },
        index=[f"person {i}" for i in range(n)],
    )
    frame.loc[frame.index[::7], "age"] = np.nan
    y = np.where((frame["income"] > 0.8) ^ (frame["job"] == "a"), "yes", "no")
    y[::11] = "no"
    return frame, y


def by_definition(predict, rows, background, groups):
    """Shapley values (n_rows, n_players, n_outputs) of frames, by every coalition."""
    n = len(groups)
    found = []
    for i in range(len(rows)):
        worth = []
        for mask in range(2**n):
            mixed = background.copy().reset_index(drop=True)
            for player, columns in enumerate(groups):
                if mask >> player & 1:
                    for column in columns:
                        cell = rows[column].iloc[[i] * len(mixed)].reset_index(drop=True)
                        mixed[column] = cell
            answers = np.asarray(predict(mixed), dtype=float).reshape(len(mixed), -1)
            worth.append(answers.mean(axis=0))
        found.append(shapley_from_worth(np.array(worth), n))
    return np.array(found)


@pytest.fixture(scope="session")
def shapley_by_definition():
    """The oracle: a function of predict, rows, background and groups of columns."""
    return by_definition

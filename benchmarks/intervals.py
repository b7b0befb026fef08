"""How often the intervals of `pellucid.explain` hold what is true of all rows.

Samples of rows are drawn again and again from a known distribution, for which the truth is known; a
90 % interval should hold it in 90 of 100. Run ``python benchmarks/intervals.py``.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from pellucid import explain
from pellucid.explain.explanation import Explanation

CONFIDENCE = 0.9


def product(rows):
    """A times b; b has mean 1, so the mean answer at a is a."""
    return rows["a"] * rows["b"]


def partial_dependence(rng, n):
    """Whether the band at 0.5 holds 0.5."""
    X = pd.DataFrame({"a": rng.uniform(size=n), "b": rng.gamma(1.0, size=n)})
    found = explain.partial_dependence(product, X, "a", grid=[0.5], confidence=CONFIDENCE)
    return found.low[0] <= 0.5 <= found.high[0]


def accumulated_effects(rng, n):
    """Whether the band over the last point holds its distance from the mean of the curve, 0.5."""
    X = pd.DataFrame({"a": np.linspace(0, 1, n), "b": rng.gamma(1.0, size=n)})
    found = explain.accumulated_effects(product, X, "a", intervals=8, confidence=CONFIDENCE)
    return found.low[-1] <= 0.5 <= found.high[-1]


def ranking(rng, n):
    """Whether the interval of a feature's importance holds its mean absolute value."""
    values = rng.normal(size=(n, 1))
    made = Explanation(values, np.zeros(1), ("a",), pd.DataFrame({"a": values[:, 0]}))
    row = explain.rank(made, confidence=CONFIDENCE, random_state=int(rng.integers(1e9))).table
    return row["low"].iloc[0] <= np.sqrt(2 / np.pi) <= row["high"].iloc[0]


def permutation(rng, n):
    """Whether the interval of a feature's permutation importance holds 2, twice its variance."""
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    found = explain.permutation_importance(
        lambda rows: rows["a"], X, X["a"], background=X[:20], confidence=CONFIDENCE,
        random_state=int(rng.integers(1e9)),
    )  # fmt: skip
    row = found.table.loc["a"]
    return row["low"] <= 2 <= row["high"]


def error_group(rng, n):
    """Whether the interval of the worst group's error holds the true error of its rule's rows."""
    X = pd.DataFrame({"a": rng.uniform(size=n), "b": rng.uniform(size=n)})
    wrong = rng.exponential(size=n) * np.where(X["a"] > 0.7, 3.0, 1.0)
    found = explain.error_tree(
        lambda rows: rows["a"], X, X["a"] + wrong, depth=2, confidence=CONFIDENCE
    )
    true = np.where(X["a"] > 0.7, 3.0, 1.0)[found.group == 0].mean()
    return found.table["low"].iloc[0] <= true <= found.table["high"].iloc[0]


def main():
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=500)
    samples = parser.parse_args().samples
    table = {}
    for draw in (partial_dependence, accumulated_effects, ranking, permutation, error_group):
        name = draw.__name__.replace("_", " ")
        table[name] = {}
        for n in (60, 300):
            held = [bool(draw(np.random.default_rng(seed), n)) for seed in range(samples)]
            table[name][f"{n} rows"] = np.mean(held)
    print(f"share of {CONFIDENCE:.0%} intervals that hold the truth, {samples} samples each")
    print(pd.DataFrame(table).T.round(3).to_string())


if __name__ == "__main__":
    main()

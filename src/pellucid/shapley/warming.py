"""Every kernel, loaded or compiled now rather than under the first row of a service."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pellucid.shapley.interaction import interactions
from pellucid.shapley.tables import compile
from pellucid.shapley.trees import TreeArrays, join_trees


def warmup() -> None:
    """Load the kernels, compiling them if this machine's cache does not have them yet.

    A kernel has one signature, whatever the model, so one small model of each sort that takes
    another way is enough: afterwards nothing is compiled for any model or row. Safe to call in a
    background thread.
    """
    stump = TreeArrays(
        feature=np.array([0, -1, -1]), threshold=np.zeros(3), flags=np.zeros(3),
        left=np.array([1, -1, -1]), right=np.array([2, -1, -1]),
        cover=np.array([2.0, 1, 1]), value=np.array([0.0, -1, 1]),
    )  # fmt: skip
    line = (np.array([0]), np.array([1.0]), 0.5)  # columns, coefficients, constant of a leaf
    flat = replace(stump, linear=[line] * 3)
    for tree, background in ((stump, np.zeros((1, 1))), (stump, None), (flat, np.zeros((1, 1)))):
        model = join_trees([tree], n_columns=1, n_outputs=1, float32=False)
        for memory in (1, 2**20):  # leaves that are walked, and tables
            tables = compile(model, background=background, memory=memory)
            tables.values(np.zeros((1, 1)))
            tables.values(np.zeros((2, 1)))
            tables.margins(np.zeros((1, 1)))
            tables.margins(np.zeros((64, 1)))  # many rows have a kernel of their own
    model = join_trees([stump], n_columns=1, n_outputs=1, float32=False)
    interactions(model, np.zeros((1, 1)), background=np.zeros((1, 1)))
